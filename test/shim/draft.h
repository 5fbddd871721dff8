/* Specs, written by hand: what process/encode.ts does for launches. */
#ifndef DRAFT_H
#define DRAFT_H

#include <stddef.h>
#include "../../src/native/shim/pidpool.h"

enum { DRAFT_ROOM = 1 << 20 };

struct draft {
	struct pp_spec spec;
	struct pp_fd fds[16];
	const char *paths[4], *argv[4], *envp[4];
	struct pp_mount mounts[4];
	struct pp_limit limits[4];
	struct pp_rule rules[4];
	u64 filter[4];
	u32 groups[4];
	const char *cwd, *hostname, *uid_map, *gid_map;
	const char *mounted[4][4]; /* source, target, type and data of each mount */
	const char *ruled[4];
	int own_pid; /* the first variable's value is the child's pid */
};

/* /bin/sh -c script, with /dev/null at 0 to 2. */
struct draft draft_of(const char *script);

/* In memory of exactly its size: whoever reads past it is seen. */
struct pp_spec *draft_encode(const struct draft *d);

#endif
