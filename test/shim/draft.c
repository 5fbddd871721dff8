#include "draft.h"
#include <stdlib.h>
#include <string.h>

struct draft draft_of(const char *script)
{
	struct draft d = {
		.spec = { .argc = 3, .pathc = 1, .fdc = 3, .join_user = -1, .join_network = -1, .join_pid = -1, .cgroup = -1 },
		.paths = { "/bin/sh" },
		.argv = { "sh", "-c", script },
	};
	for (int i = 0; i < 16; i++)
		d.fds[i] = (struct pp_fd){ .target = i, .source = PP_DEVNULL, .handed = -1 };
	return d;
}

struct block {
	char *bytes;
	u32 n;
};

static u32 append(struct block *b, const void *what, size_t n)
{
	u32 at = (b->n + 7) & ~7U;
	memset(b->bytes + b->n, 0, at - b->n);
	memcpy(b->bytes + at, what, n);
	b->n = at + (u32)n;
	return at;
}

static u32 append_text(struct block *b, const char *text)
{
	return text ? append(b, text, strlen(text) + 1) : 0;
}

static u32 append_texts(struct block *b, const char *const *texts, u32 n)
{
	u64 offsets[16] = { 0 };
	for (u32 i = 0; i < n; i++)
		offsets[i] = append_text(b, texts[i]);
	return append(b, offsets, (n + 1) * sizeof *offsets);
}

struct pp_spec *draft_encode(const struct draft *d)
{
	struct block b = { malloc(DRAFT_ROOM), sizeof d->spec };
	struct draft copy = *d;
	struct pp_spec *s = &copy.spec;
	u32 paths[4], pid;

	s->argv = append_texts(&b, d->argv, s->argc);
	s->envp = append_texts(&b, d->envp, s->envc);
	for (u32 i = 0; i < s->pathc; i++)
		paths[i] = append_text(&b, d->paths[i]);
	s->paths = append(&b, paths, s->pathc * sizeof *paths);
	for (u32 i = 0; i < s->mountc; i++) {
		copy.mounts[i].source = append_text(&b, d->mounted[i][0]);
		copy.mounts[i].target = append_text(&b, d->mounted[i][1]);
		copy.mounts[i].type = append_text(&b, d->mounted[i][2]);
		copy.mounts[i].data = append_text(&b, d->mounted[i][3]);
	}
	s->mounts = append(&b, copy.mounts, s->mountc * sizeof *copy.mounts);
	for (u32 i = 0; i < s->rulec; i++)
		copy.rules[i].path = append_text(&b, d->ruled[i]);
	s->rules = append(&b, copy.rules, s->rulec * sizeof *copy.rules);
	for (u32 i = 0; i < s->fdc; i++)
		if (copy.fds[i].source == -1)
			copy.fds[i].path = append_text(&b, "/tmp");
	s->fds = append(&b, copy.fds, s->fdc * sizeof *copy.fds);
	s->groups = append(&b, d->groups, s->groupc * sizeof *d->groups);
	s->limits = append(&b, d->limits, s->limitc * sizeof *d->limits);
	s->filter = append(&b, d->filter, s->filterc * sizeof *d->filter);
	if (d->own_pid) {
		memcpy(&pid, b.bytes + s->envp, sizeof pid);
		pid += (u32)(strchr(b.bytes + pid, '=') + 1 - (b.bytes + pid));
		s->pids = append(&b, &pid, sizeof pid);
		s->pidc = 1;
	}
	s->cwd = append_text(&b, d->cwd);
	s->hostname = append_text(&b, d->hostname);
	s->uid_map = append_text(&b, d->uid_map);
	s->gid_map = append_text(&b, d->gid_map);
	s->size = b.n;
	memcpy(b.bytes, s, sizeof *s);
	char *exact = malloc(b.n);
	memcpy(exact, b.bytes, b.n);
	free(b.bytes);
	return (struct pp_spec *)(void *)exact;
}
