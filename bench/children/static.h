/* System calls for the children that benchmarks start: no libc, no loader, so
 * that what is measured is the launch and not the program. */
#if defined(__x86_64__)
enum {
	NR_read = 0, NR_write = 1, NR_close = 3, NR_nanosleep = 35, NR_setitimer = 38, NR_getpid = 39, NR_exit = 60,
	NR_prctl = 157, NR_clock_gettime = 228, NR_openat = 257,
};

static inline long call(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
enum {
	NR_openat = 56, NR_close = 57, NR_read = 63, NR_write = 64, NR_exit = 93, NR_nanosleep = 101, NR_setitimer = 103,
	NR_clock_gettime = 113, NR_prctl = 167, NR_getpid = 172,
};

static inline long call(long nr, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
#else
#error "no system calls for this architecture"
#endif
