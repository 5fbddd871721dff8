#include "floor.h"
#include "namespaces.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static struct pool_namespaces pool;
static int failure;
/* The guardian ends when nobody holds the other end any more. */
static int lifeline[2];
static pid_t guardian;

static int write_file(pid_t pid, const char *name, const char *text)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return result;
}

int map_ids(pid_t pid)
{
	char uids[64] = "0 0 4294967295", gids[64] = "0 0 4294967295";
	int ordinary = geteuid() != 0, result;

	if (ordinary) {
		snprintf(uids, sizeof uids, "%u %u 1", geteuid(), geteuid());
		snprintf(gids, sizeof gids, "%u %u 1", getegid(), getegid());
	}
	result = write_file(pid, "uid_map", uids);
	if (result == 0 && ordinary)
		result = write_file(pid, "setgroups", "deny");
	return result < 0 ? result : write_file(pid, "gid_map", gids);
}

static int guard(void *unused)
{
	(void)unused;
	char byte;
	close(lifeline[1]);
	while (read(lifeline[0], &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int open_namespace(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		failure = -errno;
	return fd;
}

static void dismiss(void)
{
	close(lifeline[1]);
	waitpid(guardian, NULL, 0);
}

static void make(void)
{
	enum { GUARDIAN_STACK = 16384 };
	char *stack = allocate(GUARDIAN_STACK);
	if (pipe2(lifeline, O_CLOEXEC) < 0)
		die("pipe2");
	guardian = clone(guard, stack + GUARDIAN_STACK, CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | SIGCHLD, NULL);
	failure = guardian < 0 ? -errno : map_ids(guardian);
	/* The memory was copied: the guardian has a stack of its own. */
	free(stack);
	if (guardian > 0)
		atexit(dismiss);
	if (failure < 0)
		return;
	pool.user = open_namespace(guardian, "user");
	pool.network = open_namespace(guardian, "net");
	pool.pid = open_namespace(guardian, "pid");
}

int pool_namespaces(struct pool_namespaces *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make);
	*out = pool;
	return failure;
}
