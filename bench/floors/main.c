/* Reads the command; floor.h lists them. */
#include "floor.h"
#include <sys/mman.h>
#include <sys/resource.h>

static const struct way *const ways[] = {
	&way_fork, &way_vfork, &way_spawn, &way_pidfd, &way_files, &way_uring,
	&way_shared, &way_contained, &way_helped, &way_private, &way_user, &way_network,
	&way_pid, &way_mount, &way_ipc, &way_uts, &way_cgroup, &way_time,
};
enum { WAYS = sizeof ways / sizeof *ways };

static char *no_arguments[] = { "child", NULL };
char **child_argv = no_arguments;

static const struct way *find(const char *name)
{
	for (int i = 0; i < WAYS; i++)
		if (!strcmp(ways[i]->name, name))
			return ways[i];
	fprintf(stderr, "no way %s\n", name);
	exit(2);
}

static int tell_missing(void)
{
	const char *separator = "{";
	for (int i = 0; i < WAYS; i++) {
		const char *reason = ways[i]->missing ? ways[i]->missing(ways[i]) : NULL;
		if (!reason)
			continue;
		printf("%s\"%s\":\"%s\"", separator, ways[i]->name, reason);
		separator = ",";
	}
	puts(*separator == '{' ? "{}" : "}");
	return 0;
}

/* In pieces, as the runners allocate theirs: one large mapping would be of huge pages, which hardly need page tables. */
static void touch(long megabytes)
{
	for (long i = 0; i < megabytes; i++) {
		char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (piece == MAP_FAILED)
			die("mmap");
		memset(piece, 1, 1 << 20);
	}
}

static void allow_many_fds(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	const char *command = argc > 2 ? argv[2] : "";
	char **rest = argv + 3;
	int left = argc - 3;

	if (argc > 1)
		touch(atol(argv[1]));
	if (!strcmp(command, "ways") && left == 0)
		return tell_missing();
	if (!strcmp(command, "churn") && left >= 5) {
		if (left > 5)
			child_argv = rest + 4;
		return churn(find(rest[0]), atoi(rest[1]), atoi(rest[2]), atol(rest[3]), rest[4]);
	}
	if (!strcmp(command, "latency") && left == 3)
		return latency(find(rest[0]), atol(rest[1]), rest[2]);
	if (!strcmp(command, "capture") && left >= 2)
		return capture(atol(rest[0]), rest + 1);
	if (!strcmp(command, "settle") && left == 0)
		return settle();
	if (!strcmp(command, "storm") && left == 3) {
		allow_many_fds();
		return storm(rest[0], atol(rest[1]), rest[2]);
	}
	fprintf(stderr, "see floor.h\n");
	return 2;
}
