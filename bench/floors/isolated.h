#ifndef ISOLATED_H
#define ISOLATED_H

#include "namespaces.h"
#include "watched.h"

/* What the launch of a child does about namespaces. */
struct isolation {
	int cloned, unshared;
	/* The child enters the pool's user and network namespace, and is born in its pid namespace: because the launching
	   thread has entered that, or because a helper that has makes the child. */
	int joins, enters_pid, by_helper;
	/* The child drops all capabilities, and any right to new ones. */
	int locks;
};

/* The state of a thread that launches such children. */
struct isolated {
	struct watched watched;
	const struct isolation *isolation;
	struct pool_namespaces pool;
	int own_pid_namespace;
	/* The rest belongs to one launch; the child shares it until exec. */
	const char *program;
	int pidfd;
	pid_t pid;
	int in_our_memory; /* a futex: the kernel makes it 0 when the child execs */
	int mapped;        /* a futex: 1 when the parent has written the id maps */
	const char *failed;
	int error;
};

/* 0 once the program runs; `failed` and `error` tell otherwise. */
int isolated_start(struct isolated *s, const char *program);

#endif
