/* Children launched as way_files does and kept apart by namespaces:
 *   shared       joins the pool's user and network namespace
 *   contained    the same, born in the pool's pid namespace, which the launching thread has entered
 *   contained by a helper
 *                the same where no thread may enter it: a process that may makes the child in its own place
 *   private      a user and a network namespace of its own
 *   user, network, pid, mount, ipc, uts, cgroup, time
 *                a user namespace of its own, and one of that kind; a pid namespace's init is the child itself
 * The first four leave it no capabilities and no way to new privileges. */
#include "floor.h"
#include "isolated.h"
#include <fcntl.h>
#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80 /* Linux 5.6 */
#endif

static int enter_pid_namespace(struct isolated *s)
{
	s->own_pid_namespace = open("/proc/thread-self/ns/pid", O_RDONLY | O_CLOEXEC);
	return s->own_pid_namespace < 0 ? -1 : setns(s->pool.pid, CLONE_NEWPID);
}

static int prepare(struct isolated *s, const struct way *way)
{
	memset(s, 0, sizeof *s);
	watched_open(&s->watched);
	s->isolation = way->isolation;
	s->own_pid_namespace = -1;
	s->failed = "setns";
	int error = s->isolation->joins ? pool_namespaces(&s->pool) : 0;
	if (error == 0 && s->isolation->enters_pid && enter_pid_namespace(s) < 0)
		error = -errno;
	s->error = -error;
	return error;
}

static void *open_isolated(const struct way *way, int in_flight)
{
	(void)in_flight;
	struct isolated *s = allocate(sizeof *s);
	if (prepare(s, way) < 0) {
		errno = s->error;
		die(s->failed);
	}
	return s;
}

static void launch(void *state, const char *program)
{
	struct isolated *s = state;
	if (isolated_start(s, program) < 0) {
		errno = s->error;
		die(s->failed);
	}
	watched_add(&s->watched, s->pidfd);
}

static int reap(void *state)
{
	struct isolated *s = state;
	return watched_reap(&s->watched);
}

static void close_isolated(void *state)
{
	struct isolated *s = state;
	if (s->own_pid_namespace >= 0) {
		setns(s->own_pid_namespace, CLONE_NEWPID);
		close(s->own_pid_namespace);
	}
	watched_close(&s->watched);
	free(s);
}

/* Tries it. */
static const char *missing(const struct way *way)
{
	static char reason[128];
	struct isolated *s = allocate(sizeof *s);
	if (prepare(s, way) < 0 || isolated_start(s, "/bin/true") < 0)
		snprintf(reason, sizeof reason, "%s: %s", s->failed, strerror(s->error));
	else
		s->failed = NULL;
	const char *result = s->failed ? reason : NULL;
	if (!s->failed) {
		watched_add(&s->watched, s->pidfd);
		watched_reap(&s->watched);
	}
	close_isolated(s);
	return result;
}

#define ISOLATED(variable, name, ...)                                            \
	static const struct isolation variable##_isolation = { __VA_ARGS__ };    \
	const struct way variable = {                                            \
		name, missing, open_isolated, launch, reap, close_isolated,      \
		&variable##_isolation,                                           \
	}

ISOLATED(way_shared, "shared", .joins = 1, .locks = 1);
ISOLATED(way_contained, "contained", .joins = 1, .enters_pid = 1, .locks = 1);
ISOLATED(way_helped, "contained by a helper", .joins = 1, .by_helper = 1, .locks = 1);
ISOLATED(way_private, "private", .cloned = CLONE_NEWUSER, .unshared = CLONE_NEWNET, .locks = 1);
ISOLATED(way_user, "user", .cloned = CLONE_NEWUSER);
ISOLATED(way_network, "network", .cloned = CLONE_NEWUSER, .unshared = CLONE_NEWNET);
ISOLATED(way_pid, "pid", .cloned = CLONE_NEWUSER | CLONE_NEWPID);
ISOLATED(way_mount, "mount", .cloned = CLONE_NEWUSER, .unshared = CLONE_NEWNS);
ISOLATED(way_ipc, "ipc", .cloned = CLONE_NEWUSER, .unshared = CLONE_NEWIPC);
ISOLATED(way_uts, "uts", .cloned = CLONE_NEWUSER, .unshared = CLONE_NEWUTS);
ISOLATED(way_cgroup, "cgroup", .cloned = CLONE_NEWUSER, .unshared = CLONE_NEWCGROUP);
ISOLATED(way_time, "time", .cloned = CLONE_NEWUSER, .unshared = CLONE_NEWTIME);
