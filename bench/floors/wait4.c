/* Children launched as POSIX and Linux have long done it, reaped by
 * wait4(-1):
 *   fork         fork + execve, which copies the page tables
 *   wait4        vfork + execve
 *   posix_spawn  libc's own, a clone(CLONE_VM | CLONE_VFORK) */
#include "floor.h"
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void *open_nothing(const struct way *way, int in_flight)
{
	(void)way;
	(void)in_flight;
	return NULL;
}

static void close_nothing(void *state)
{
	(void)state;
}

static void launch_fork(void *state, const char *program)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		execve(program, child_argv, environ);
		_exit(127);
	}
	if (pid < 0)
		die("fork");
}

pid_t start_vfork(const char *program)
{
	pid_t pid = vfork();
	if (pid == 0) {
		execve(program, child_argv, environ);
		_exit(127);
	}
	if (pid < 0)
		die("vfork");
	return pid;
}

static void launch_vfork(void *state, const char *program)
{
	(void)state;
	start_vfork(program);
}

static void launch_spawn(void *state, const char *program)
{
	(void)state;
	pid_t pid;
	errno = posix_spawn(&pid, program, NULL, NULL, child_argv, environ);
	if (errno)
		die("posix_spawn");
}

static int reap_any(void *state)
{
	(void)state;
	int status;
	struct rusage usage;
	if (wait4(-1, &status, __WNOTHREAD, &usage) < 0)
		die("wait4");
	if (status != 0) {
		fprintf(stderr, "a child ended with status %#x\n", (unsigned)status);
		exit(1);
	}
	return 1;
}

const struct way way_fork = { "fork", NULL, open_nothing, launch_fork, reap_any, close_nothing, NULL };
const struct way way_vfork = { "wait4", NULL, open_nothing, launch_vfork, reap_any, close_nothing, NULL };
const struct way way_spawn = { "posix_spawn", NULL, open_nothing, launch_spawn, reap_any, close_nothing, NULL };
