#include "contract.h"
#include <stdlib.h>
#include <string.h>

/* BPF_MAXINSNS: what a kernel takes, and what fits into struct sock_fprog. */
#define MAX_FILTER 4096
/* fs.nr_open */
#define MAX_TARGET (1 << 20)
#define NEW_ANY 0x7e020080U
#define NEW_USER 0x10000000U
#define PID_ROOM 16
#define O_CLOEXEC 02000000

struct table {
	u32 *count, *offset;
	size_t stride, align;
	bool ended; /* one more entry, which is 0 */
};

enum { TABLES = 10 };

struct range {
	size_t from, to;
};

struct block {
	unsigned char *bytes;
	size_t size;
	struct range taken[TABLES + 2];
	size_t takenc;
	bool mended; /* a string was not good */
};

static bool is_free(const struct block *b, size_t from, size_t to)
{
	if (from > to || to > b->size)
		return false;
	for (size_t i = 0; i < b->takenc; i++)
		if (from < b->taken[i].to && b->taken[i].from < to)
			return false;
	return true;
}

static bool place_table(struct block *b, const struct table *t)
{
	size_t entries = (size_t)*t->count + t->ended, end = *t->offset + entries * t->stride;

	if (entries == 0)
		return true;
	if (*t->offset % t->align != 0 || !is_free(b, *t->offset, end)) {
		*t->count = 0;
		return !t->ended;
	}
	b->taken[b->takenc++] = (struct range){ *t->offset, end };
	if (t->ended)
		memset(b->bytes + end - t->stride, 0, t->stride);
	return true;
}

/* Where the string is good: it ends within the block, and no table is in it. */
static u32 string_at(struct block *b, u64 offset)
{
	const unsigned char *end = offset < b->size ? memchr(b->bytes + offset, 0, b->size - offset) : NULL;

	if (end && is_free(b, offset, (size_t)(end - b->bytes) + 1))
		return (u32)offset;
	b->mended = true;
	return (u32)b->size - 1;
}

static void fit_string(struct block *b, u32 *offset)
{
	*offset = string_at(b, *offset);
}

static void fit_optional(struct block *b, u32 *offset)
{
	if (*offset)
		fit_string(b, offset);
}

static void fit_fds(struct block *b, struct pp_spec *spec)
{
	struct pp_fd *fds = (void *)(b->bytes + spec->fds);

	for (u32 i = 0; i < spec->fdc; i++) {
		struct pp_fd *fd = &fds[i];
		if (fd->target > MAX_TARGET || fd->target < 0 || (i > 0 && fd->target <= fds[i - 1].target)) {
			spec->fdc = i;
			return;
		}
		if (fd->source < PP_DEVNULL)
			fd->source = -1;
		if (fd->handed != fd->source || fd->source < 0)
			fd->handed = -1;
		if (fd->source == -1)
			fit_string(b, &fd->path);
		else
			fd->path = 0;
		fd->flags &= ~O_CLOEXEC;
	}
}

static void fit_pids(struct block *b, struct pp_spec *spec)
{
	const u32 *places = (void *)(b->bytes + spec->pids);

	for (u32 i = 0; i < spec->pidc; i++)
		if (places[i] >= b->size || !is_free(b, places[i], (size_t)places[i] + PID_ROOM))
			spec->pidc = i;
}

/* `lent`: the last byte is not the spec's own, and no string may need it. */
static bool fit(struct pp_spec *spec, size_t size, bool lent)
{
	unsigned char *bytes = (unsigned char *)spec;
	struct block b = { .bytes = bytes, .size = size };

	if (size <= sizeof *spec || bytes[size - 1] != 0)
		return false;
	spec->size = (u32)size;
	if (spec->filterc > MAX_FILTER)
		spec->filterc = MAX_FILTER;
	const struct table tables[TABLES] = {
		{ &spec->argc, &spec->argv, 8, 8, true },
		{ &spec->envc, &spec->envp, 8, 8, true },
		{ &spec->pathc, &spec->paths, 4, 4, false },
		{ &spec->fdc, &spec->fds, sizeof(struct pp_fd), 4, false },
		{ &spec->groupc, &spec->groups, 4, 4, false },
		{ &spec->mountc, &spec->mounts, sizeof(struct pp_mount), 8, false },
		{ &spec->limitc, &spec->limits, sizeof(struct pp_limit), 8, false },
		{ &spec->rulec, &spec->rules, sizeof(struct pp_rule), 8, false },
		{ &spec->filterc, &spec->filter, 8, 8, false },
		{ &spec->pidc, &spec->pids, 4, 4, false },
	};
	b.taken[b.takenc++] = (struct range){ 0, sizeof *spec };
	for (size_t i = 0; i < TABLES; i++)
		if (!place_table(&b, &tables[i]))
			return false;
	if (!is_free(&b, size - 1, size))
		return false;
	if (lent)
		b.taken[b.takenc++] = (struct range){ size - 1, size };

	u64 *argv = (void *)(bytes + spec->argv), *envp = (void *)(bytes + spec->envp);
	u32 *paths = (void *)(bytes + spec->paths);
	struct pp_mount *mounts = (void *)(bytes + spec->mounts);
	struct pp_rule *rules = (void *)(bytes + spec->rules);
	for (u32 i = 0; i < spec->argc; i++)
		argv[i] = string_at(&b, argv[i]);
	for (u32 i = 0; i < spec->envc; i++)
		envp[i] = string_at(&b, envp[i]);
	for (u32 i = 0; i < spec->pathc; i++)
		fit_string(&b, &paths[i]);
	for (u32 i = 0; i < spec->mountc; i++) {
		fit_optional(&b, &mounts[i].source);
		fit_string(&b, &mounts[i].target);
		fit_optional(&b, &mounts[i].type);
		fit_optional(&b, &mounts[i].data);
	}
	for (u32 i = 0; i < spec->rulec; i++)
		fit_optional(&b, &rules[i].path);
	fit_fds(&b, spec);
	fit_pids(&b, spec);
	fit_optional(&b, &spec->cwd);
	fit_optional(&b, &spec->hostname);

	spec->cloned &= NEW_ANY;
	if (spec->cloned & NEW_USER) {
		fit_string(&b, &spec->uid_map);
		fit_string(&b, &spec->gid_map);
	}
	if (spec->join_user < 0)
		spec->join_user = -1;
	if (spec->join_network < 0)
		spec->join_network = -1;
	/* An ordinary user's way into a pid namespace leads through its user namespace. */
	if (spec->join_pid < 0 || spec->join_user < 0 || spec->join_pid_id == 0) {
		spec->join_pid = -1;
		spec->join_pid_id = 0;
	}
	if (spec->cgroup < 0)
		spec->cgroup = -1;
	return !lent || !b.mended;
}

bool conform(struct pp_spec *spec, size_t size)
{
	return fit(spec, size, false);
}

bool conforms(const void *spec, size_t size)
{
	struct pp_spec *copy = malloc(size + 1);
	bool unchanged = false;

	memcpy(copy, spec, size);
	((unsigned char *)copy)[size] = 0;
	if (size > sizeof *copy && copy->size == size && fit(copy, size + 1, true)) {
		copy->size = (u32)size;
		unchanged = memcmp(copy, spec, size) == 0;
	}
	free(copy);
	return unchanged;
}
