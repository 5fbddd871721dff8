/* Everything that differs between processors: system call numbers, the raw
 * system call; clone.c has the two clones. A new architecture adds a block to
 * each and one to ../syscall-numbers.ts. */
#ifndef PIDPOOL_ARCH_H
#define PIDPOOL_ARCH_H

typedef __INT32_TYPE__ i32;
typedef __INT64_TYPE__ i64;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;

#if defined(__x86_64__)

enum {
	NR_fcntl = 72, NR_getpid = 39, NR_getppid = 110, NR_umask = 95,
	NR_setpgid = 109, NR_setsid = 112,
	NR_setgroups = 116, NR_setresuid = 117, NR_setresgid = 119, NR_chdir = 80, NR_execve = 59, NR_exit = 60,
	NR_exit_group = 231, NR_prctl = 157, NR_setpriority = 141,
	NR_rt_sigaction = 13, NR_rt_sigprocmask = 14, NR_futex = 202,
	NR_clock_gettime = 228, NR_epoll_ctl = 233, NR_waitid = 247,
	NR_openat = 257, NR_dup3 = 292, NR_clone = 56, NR_write = 1,
	NR_close = 3, NR_close_range = 436, NR_clone3 = 435, NR_sched_yield = 24,
	NR_setns = 308, NR_unshare = 272, NR_mount = 165, NR_mount_setattr = 442, NR_sethostname = 170,
	NR_socket = 41, NR_ioctl = 16, NR_prlimit64 = 302, NR_capset = 126, NR_capget = 125, NR_getuid = 102, NR_geteuid = 107, NR_wait4 = 61, NR_read = 0,
	NR_landlock_create_ruleset = 444, NR_landlock_add_rule = 445, NR_landlock_restrict_self = 446, NR_seccomp = 317,
	NR_kill = 62, NR_getdents64 = 217, NR_unlinkat = 263, NR_ppoll = 271, NR_lseek = 8,
};

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

enum {
	NR_fcntl = 25, NR_getpid = 172, NR_getppid = 173, NR_umask = 166,
	NR_setpgid = 154, NR_setsid = 157,
	NR_setgroups = 159, NR_setresuid = 147, NR_setresgid = 149, NR_chdir = 49, NR_execve = 221, NR_exit = 93,
	NR_exit_group = 94, NR_prctl = 167, NR_setpriority = 140,
	NR_rt_sigaction = 134, NR_rt_sigprocmask = 135, NR_futex = 98,
	NR_clock_gettime = 113, NR_epoll_ctl = 21, NR_waitid = 95,
	NR_openat = 56, NR_dup3 = 24, NR_clone = 220, NR_write = 64,
	NR_close = 57, NR_close_range = 436, NR_clone3 = 435, NR_sched_yield = 124,
	NR_setns = 268, NR_unshare = 97, NR_mount = 40, NR_mount_setattr = 442, NR_sethostname = 161,
	NR_socket = 198, NR_ioctl = 29, NR_prlimit64 = 261, NR_capset = 91, NR_capget = 90, NR_getuid = 174, NR_geteuid = 175, NR_wait4 = 260, NR_read = 63,
	NR_landlock_create_ruleset = 444, NR_landlock_add_rule = 445, NR_landlock_restrict_self = 446, NR_seccomp = 277,
	NR_kill = 129, NR_getdents64 = 61, NR_unlinkat = 35, NR_ppoll = 73, NR_lseek = 62,
};

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else
#error "pidpool: no system calls written down for this architecture (src/native/shim/arch.h)"
#endif

#define SYS0(nr) sys6(nr, 0, 0, 0, 0, 0, 0)
#define SYS1(nr, a) sys6(nr, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(nr, a, b) sys6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(nr, a, b, c) sys6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(nr, a, b, c, d) sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(nr, a, b, c, d, e) sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

#endif
