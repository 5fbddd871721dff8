/* The floor: what a C program pays for the lifecycles of children, without any
 * language runtime. One program, `floor MEGABYTES COMMAND ...`:
 *   ways                                          JSON: why this machine lacks some, by way
 *   churn WAY THREADS IN_FLIGHT COUNT PROGRAM [ARGUMENT...]
 *                                                 microseconds a lifecycle
 *   latency WAY COUNT PROGRAM                     JSON: of single lifecycles, one at a time
 *   storm WAY COUNT PROGRAM                       JSON: of many exits at once
 *   capture TIMES PROGRAM [ARGUMENT...]           JSON: of reading a program's output
 *   settle                                        milliseconds until the kernel has removed what was left to it
 * MEGABYTES of memory are touched first: forks copy their page tables.
 *
 * No signal has a handler while children are launched, so no launch blocks any. */
#ifndef FLOOR_H
#define FLOOR_H

#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* P_PIDFD of Linux 5.4: an enumerator in some headers, absent from others. */
enum { IDTYPE_PIDFD = 3 };

/* How children are launched and reaped. Each thread has a state of its own and
 * reaps what it launched. */
struct way {
	const char *name;
	/* Why this machine lacks it, or NULL. */
	const char *(*missing)(const struct way *way);
	void *(*open)(const struct way *way, int in_flight);
	void (*launch)(void *state, const char *program);
	/* Waits for at least one exit; returns how many it reaped. */
	int (*reap)(void *state);
	void (*close)(void *state);
	/* What the child is kept apart by; see isolated.h. */
	const struct isolation *isolation;
};

extern const struct way way_fork, way_vfork, way_spawn, way_pidfd, way_files, way_uring;
extern const struct way way_shared, way_contained, way_helped, way_private, way_user, way_network, way_pid, way_mount,
	way_ipc, way_uts, way_cgroup, way_time;

/* Launches by vfork; returns the pid. */
pid_t start_vfork(const char *program);

/* Launches as way_files does; returns the pidfd. */
int launch_files(char *stack_top, const char *program);

int churn(const struct way *way, int threads, int in_flight, long count, const char *program);
int latency(const struct way *way, long count, const char *program);
int storm(const char *way, long count, const char *program);
int capture(long times, char **command);
int settle(void);

/* What the children get as their argv. */
extern char **child_argv;
/* The children get the environment of this program, as those of all contestants do. */
extern char **environ;

static inline double microseconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline void *die(const char *what)
{
	perror(what);
	exit(1);
}

static inline void *allocate(size_t bytes)
{
	void *memory = malloc(bytes);
	return memory ? memory : die("malloc");
}

#endif
