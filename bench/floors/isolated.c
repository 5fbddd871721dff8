/* Launches a child that namespaces keep apart, otherwise as way_files does. */
#include "floor.h"
#include "isolated.h"
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void fail(struct isolated *s, const char *what)
{
	s->error = errno;
	s->failed = what;
	_exit(127);
}

static void wait_while(int *futex, int value)
{
	while (__atomic_load_n(futex, __ATOMIC_ACQUIRE) == value)
		syscall(SYS_futex, futex, FUTEX_WAIT, value, NULL);
}

/* A parent that is killed meanwhile writes no maps, and this child holds all its files open. */
static void await_maps(struct isolated *s)
{
	const struct timespec patience = { .tv_sec = 10 };
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	while (!__atomic_load_n(&s->mapped, __ATOMIC_ACQUIRE))
		if (syscall(SYS_futex, &s->mapped, FUTEX_WAIT, 0, &patience) < 0 && errno == ETIMEDOUT)
			fail(s, "uid_map");
}

static void join(struct isolated *s)
{
	if (setns(s->pool.user, CLONE_NEWUSER) < 0 || setns(s->pool.network, CLONE_NEWNET) < 0)
		fail(s, "setns");
}

static void lock(struct isolated *s)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (syscall(SYS_capset, &header, none) < 0)
		fail(s, "capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail(s, "prctl");
}

static int child(void *arg)
{
	struct isolated *s = arg;
	const struct isolation *isolation = s->isolation;

	if (isolation->cloned & CLONE_NEWUSER)
		await_maps(s);
	if (isolation->joins && !isolation->by_helper)
		join(s);
	if (isolation->unshared && unshare(isolation->unshared) < 0)
		fail(s, "unshare");
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_UNSHARE);
	if (isolation->locks)
		lock(s);
	syscall(SYS_execve, s->program, child_argv, environ);
	fail(s, "execve");
	return 127;
}

static pid_t clone_child(struct isolated *s, char *stack_top, int flags)
{
	return clone(child, stack_top, CLONE_VM | CLONE_FILES | CLONE_PIDFD | flags, s, &s->pidfd, NULL,
		     &s->in_our_memory);
}

static int help(void *arg)
{
	struct isolated *s = arg;
	join(s);
	if (setns(s->pool.pid, CLONE_NEWPID) < 0)
		fail(s, "setns");
	s->pid = clone_child(s, s->watched.stack + STACK / 2, CLONE_VFORK | CLONE_PARENT);
	if (s->pid < 0)
		fail(s, "clone");
	_exit(0);
}

static pid_t start_by_helper(struct isolated *s)
{
	/* Without an exit signal, so that nothing has to ignore it. */
	pid_t helper = clone(help, s->watched.stack + STACK, CLONE_VM | CLONE_FILES | CLONE_VFORK, s);
	if (helper < 0)
		return helper;
	while (waitpid(helper, NULL, __WALL) < 0 && errno == EINTR)
		;
	return s->pid;
}

/* The parent may not sleep until exec, as vfork would have it: it has to write the maps. */
static pid_t start_mapped(struct isolated *s)
{
	char *stack_top = s->watched.stack + STACK;
	pid_t pid = clone_child(s, stack_top, CLONE_CHILD_CLEARTID | SIGCHLD | s->isolation->cloned);
	if (pid < 0)
		return pid;
	int error = map_ids(pid);
	if (error < 0) {
		s->failed = "uid_map";
		s->error = -error;
	}
	__atomic_store_n(&s->mapped, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &s->mapped, FUTEX_WAKE, 1);
	wait_while(&s->in_our_memory, 1);
	return pid;
}

int isolated_start(struct isolated *s, const char *program)
{
	pid_t pid;

	s->program = program;
	s->failed = NULL;
	s->pidfd = s->pid = -1;
	s->mapped = 0;
	s->in_our_memory = 1;
	if (s->isolation->by_helper)
		pid = start_by_helper(s);
	else if (s->isolation->cloned)
		pid = start_mapped(s);
	else
		pid = clone_child(s, s->watched.stack + STACK, CLONE_VFORK | SIGCHLD);
	if (pid < 0 && !s->failed) {
		s->failed = "clone";
		s->error = errno;
	}
	return s->failed ? -1 : 0;
}
