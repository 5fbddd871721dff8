/* The two clones that start a child on a stack of its own. Assembly, because
 * the child has no frame to return to: it calls child(arg), which never
 * returns. Both give the pid or -errno to the parent.
 *
 *   long pp_clone3(struct clone_args *args, size_t size, void (*child)(void *), void *arg)
 *   long pp_clone(unsigned long flags, void *stack_top, int *pidfd, void (*child)(void *), void *arg)
 */
#if defined(__x86_64__)

__asm__(".text\n"
	".type pp_clone3, @function\n"
	".hidden pp_clone3\n"
	".globl pp_clone3\n"
	"pp_clone3:\n"
	"	mov %rcx, %r8\n" /* the system call destroys rcx */
	"	mov %rdx, %r9\n"
	"	mov $435, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	xor %ebp, %ebp\n"
	"	mov %r8, %rdi\n"
	"	call *%r9\n"
	"	hlt\n"
	".size pp_clone3, .-pp_clone3\n");

__asm__(".text\n"
	".type pp_clone, @function\n"
	".hidden pp_clone\n"
	".globl pp_clone\n"
	"pp_clone:\n"
	"	sub $16, %rsi\n"
	"	mov %r8, (%rsi)\n" /* the child finds its argument on its own stack */
	"	mov %rcx, %r9\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	xor %ebp, %ebp\n"
	"	mov (%rsp), %rdi\n"
	"	call *%r9\n"
	"	hlt\n"
	".size pp_clone, .-pp_clone\n");

#elif defined(__aarch64__)

__asm__(".text\n"
	".type pp_clone3, %function\n"
	".hidden pp_clone3\n"
	".globl pp_clone3\n"
	"pp_clone3:\n"
	"	mov x8, #435\n"
	"	svc 0\n"
	"	cbz x0, 1f\n"
	"	ret\n"
	"1:	mov x29, #0\n"
	"	mov x0, x3\n"
	"	blr x2\n"
	"	brk #1\n"
	".size pp_clone3, .-pp_clone3\n");

/* arm64's legacy clone takes (flags, stack, parent_tid, tls, child_tid). */
__asm__(".text\n"
	".type pp_clone, %function\n"
	".hidden pp_clone\n"
	".globl pp_clone\n"
	"pp_clone:\n"
	"	mov x9, x3\n"
	"	mov x10, x4\n"
	"	mov x3, #0\n"
	"	mov x4, #0\n"
	"	mov x8, #220\n"
	"	svc 0\n"
	"	cbz x0, 1f\n"
	"	ret\n"
	"1:	mov x29, #0\n"
	"	mov x0, x10\n"
	"	blr x9\n"
	"	brk #1\n"
	".size pp_clone, .-pp_clone\n");

#else
#error "pidpool: no clone written down for this architecture"
#endif
