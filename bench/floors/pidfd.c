/* Children launched with a pidfd, watched by epoll, reaped by
 * waitid(P_PIDFD):
 *   pidfd  clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD), which copies the fd table
 *   files  the same with CLONE_FILES and close_range(CLOSE_RANGE_UNSHARE), which copies the lowest fds only */
#include "floor.h"
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { STACK = 65536, EVENTS = 256 };

struct state {
	int epoll;
	char *stack;
	struct epoll_event events[EVENTS];
};

static int child_pidfd(void *program)
{
	syscall(SYS_execve, program, NO_ARGS, environ);
	_exit(127);
}

static int child_files(void *program)
{
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_UNSHARE);
	syscall(SYS_execve, program, NO_ARGS, environ);
	_exit(127);
}

static int start(char *stack_top, const char *program, int (*child)(void *), int flags)
{
	int pidfd = -1;
	if (clone(child, stack_top, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | flags, (void *)program, &pidfd) < 0)
		die("clone");
	return pidfd;
}

int launch_files(char *stack_top, const char *program)
{
	return start(stack_top, program, child_files, CLONE_FILES);
}

static void *open_epoll(int in_flight)
{
	(void)in_flight;
	struct state *s = allocate(sizeof *s);
	s->stack = allocate(STACK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	return s->epoll < 0 ? die("epoll_create1") : s;
}

static void watch(struct state *s, int pidfd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = pidfd };
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, pidfd, &ev) < 0)
		die("epoll_ctl");
}

static void launch_watched(void *state, const char *program)
{
	struct state *s = state;
	watch(s, start(s->stack + STACK, program, child_pidfd, 0));
}

static void launch_files_watched(void *state, const char *program)
{
	struct state *s = state;
	watch(s, launch_files(s->stack + STACK, program));
}

static int reap(void *state)
{
	struct state *s = state;
	int n = epoll_wait(s->epoll, s->events, EVENTS, -1);
	for (int i = 0; i < n; i++) {
		int fd = s->events[i].data.fd;
		siginfo_t info;
		struct rusage usage;
		if (syscall(SYS_waitid, IDTYPE_PIDFD, fd, &info, WEXITED, &usage) < 0)
			die("waitid");
		if (info.si_code != CLD_EXITED || info.si_status != 0) {
			fprintf(stderr, "a child ended with %d\n", info.si_status);
			exit(1);
		}
		/* Another thread's child between clone and exec may hold a copy of the fd, and with it the registration: of
		   the low ones also where the table is not copied, for close_range() copies 64 before it closes them. */
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
	}
	return n < 0 ? 0 : n;
}

static void close_epoll(void *state)
{
	struct state *s = state;
	close(s->epoll);
	free(s->stack);
	free(s);
}

const struct way way_pidfd = { "pidfd", NULL, open_epoll, launch_watched, reap, close_epoll };
const struct way way_files = { "files", NULL, open_epoll, launch_files_watched, reap, close_epoll };
