/* The guardian: holds namespaces open, as init of a pid namespace where there is
 * one, until the other end of its stdin is closed. When it ends, however it
 * ends, the kernel kills every process of its pid namespace. A static program
 * that knows nothing else: children of the same user may be hostile. */
#include "../shim/arch.h"

#define SIGCHLD 17
#define SIG_IGN ((void *)1)
#define PR_SET_DUMPABLE 4

enum { EINTR = 4 };

struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	u64 mask;
};

__attribute__((used)) static _Noreturn void guard(void)
{
	/* Orphans come to init: ignored, the kernel reaps them itself. Their signals
	 * do nothing to a process without handlers that is init; and nobody who is
	 * not above us may trace us. */
	struct kernel_sigaction ignore = { .handler = SIG_IGN };
	char byte;
	long n;

	SYS4(NR_rt_sigaction, SIGCHLD, &ignore, 0, sizeof ignore.mask);
	SYS2(NR_prctl, PR_SET_DUMPABLE, 0);
	do
		n = SYS3(NR_read, 0, &byte, 1);
	while (n > 0 || n == -EINTR);
	for (;;)
		SYS1(NR_exit_group, 0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tcall guard\n\thlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tbl guard\n\tbrk #1\n");
#endif
