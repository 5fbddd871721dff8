/* A child that appends its pid and the time at which it began to the file that
 * its argument names, and then lives until it is killed. It does not outlive its
 * parent, nor an hour, whoever started it. */
#include "static.h"

enum { AT_FDCWD = -100, O_WRONLY = 1, O_APPEND = 02000, CLOCK_MONOTONIC = 1 };
enum { PR_SET_PDEATHSIG = 1, SIGKILL = 9, ITIMER_REAL = 0 };

static const struct {
	long interval_seconds, interval_microseconds, seconds, microseconds;
} hour = { 0, 0, 3600, 0 };
static const struct {
	long seconds, nanoseconds;
} long_enough = { 3600, 0 };

/* One write a record: it is appended whole. */
static struct {
	long pid, seconds, nanoseconds;
} record;

/* The kernel leaves argc and argv on the stack, where only this can find them. */
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tcall serve\n");
#else
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl serve\n");
#endif

__attribute__((noreturn, used)) void serve(const long *stack)
{
	long fd;

	call(NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	call(NR_setitimer, ITIMER_REAL, (long)&hour, 0, 0, 0);
	record.pid = call(NR_getpid, 0, 0, 0, 0, 0);
	call(NR_clock_gettime, CLOCK_MONOTONIC, (long)&record.seconds, 0, 0, 0);
	fd = stack[0] < 2 ? -1 : call(NR_openat, AT_FDCWD, stack[2], O_WRONLY | O_APPEND, 0, 0);
	if (call(NR_write, fd, (long)&record, sizeof record, 0, 0) != sizeof record)
		for (;;)
			call(NR_exit, 1, 0, 0, 0, 0);
	call(NR_close, fd, 0, 0, 0, 0);
	for (;;)
		call(NR_nanosleep, (long)&long_enough, 0, 0, 0, 0);
}
