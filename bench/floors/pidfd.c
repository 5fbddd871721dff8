/* Children launched with a pidfd, watched by epoll, reaped by
 * waitid(P_PIDFD):
 *   pidfd  clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD), which copies the fd table
 *   files  the same with CLONE_FILES and close_range(CLOSE_RANGE_UNSHARE), which copies the lowest fds only */
#include "floor.h"
#include "watched.h"
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static int child_pidfd(void *program)
{
	syscall(SYS_execve, program, child_argv, environ);
	_exit(127);
}

static int child_files(void *program)
{
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_UNSHARE);
	syscall(SYS_execve, program, child_argv, environ);
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

static void *open_watched(const struct way *way, int in_flight)
{
	(void)way;
	(void)in_flight;
	struct watched *w = allocate(sizeof *w);
	watched_open(w);
	return w;
}

static void launch_pidfd_watched(void *state, const char *program)
{
	struct watched *w = state;
	watched_add(w, start(w->stack + STACK, program, child_pidfd, 0));
}

static void launch_files_watched(void *state, const char *program)
{
	struct watched *w = state;
	watched_add(w, launch_files(w->stack + STACK, program));
}

static int reap(void *state)
{
	return watched_reap(state);
}

static void close_watched(void *state)
{
	watched_close(state);
	free(state);
}

const struct way way_pidfd = { "pidfd", NULL, open_watched, launch_pidfd_watched, reap, close_watched, NULL };
const struct way way_files = { "files", NULL, open_watched, launch_files_watched, reap, close_watched, NULL };
