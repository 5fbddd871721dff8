/* What several isolated children share, and what the parent does for those that
 * share nothing. */
#ifndef NAMESPACES_H
#define NAMESPACES_H

#include <sys/types.h>

/* fds of namespaces that any number of children are in. */
struct pool_namespaces {
	int user, network, pid;
};

/* Made once in this program: ids mapped to themselves, an empty network, and a
 * pid namespace whose init lives as long as this program. Returns 0 or -errno. */
int pool_namespaces(struct pool_namespaces *out);

/* Maps the ids in a process's new user namespace: all of them where this program
 * may, its own otherwise. Returns 0 or -errno. */
int map_ids(pid_t pid);

#endif
