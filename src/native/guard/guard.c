/* The guardian: outlives this package's process by a moment, in which it ends
 * what else would outlive it too. Its stdin is one end of a socket, whose other
 * end the process holds and nobody else: it is closed, however that ends.
 *
 *   pidpool-guardian               holds namespaces open, as init of a pid
 *                                  namespace where there is one: when it ends,
 *                                  however it ends, the kernel kills every
 *                                  process in there
 *   pidpool-guardian group PATH    kills every process of a cgroup, and removes it
 *   pidpool-guardian sockets PATH  removes a directory, and the sockets in it
 *
 * A static program that knows nothing else: children of the same user may be
 * hostile. */
#include "../shim/arch.h"

#define SIGCHLD 17
#define SIG_IGN ((void *)1)
#define SIG_SETMASK 2
#define PR_SET_DUMPABLE 4
#define AT_FDCWD -100
#define AT_REMOVEDIR 0x200
#define O_RDONLY 0
#define O_WRONLY 1
#define O_CLOEXEC 02000000
#if defined(__aarch64__)
#define O_DIRECTORY 040000
#define O_NOFOLLOW 0100000
#else
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
#endif
#define SEEK_SET 0
#define DT_DIR 4
#define POLLPRI 2
/* Of a tenth of a second each, in which nothing happens. */
#define ROUNDS 100
/* Through a directory that somebody else fills. */
#define PASSES 100
/* Groups in groups that are removed; it bounds the stack. */
#define DEEPEST 64

enum { ENOENT = 2, EINTR = 4, ENODEV = 19 };

struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	u64 mask;
};

struct dirent64 {
	u64 inode;
	i64 offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

struct pollfd {
	i32 fd;
	short events, revents;
};

static void await_end(void)
{
	char byte;
	long n;

	do
		n = SYS3(NR_read, 0, &byte, 1);
	while (n > 0 || n == -EINTR);
}

/* Removes the groups beneath a group, the deepest first: those that are empty.
 * Children may have made some of their own. */
static void remove_groups(long dir, int depth)
{
	char buffer[2048] __attribute__((aligned(8)));
	long n;

	while ((n = SYS3(NR_getdents64, dir, buffer, sizeof buffer)) > 0)
		for (long at = 0; at < n;) {
			struct dirent64 *entry = (void *)(buffer + at);
			at += entry->length;
			if (entry->type != DT_DIR || entry->name[0] == '.')
				continue;
			if (SYS3(NR_unlinkat, dir, entry->name, AT_REMOVEDIR) == 0 || depth == DEEPEST)
				continue;
			long below = SYS4(NR_openat, dir, entry->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
			if (below < 0)
				continue;
			remove_groups(below, depth + 1);
			SYS1(NR_close, below);
			SYS3(NR_unlinkat, dir, entry->name, AT_REMOVEDIR);
		}
}

/* Nothing is opened before the end: the group is made when this runs already,
 * so that there is no moment at which nobody would remove it. Before Linux 5.14
 * there is no cgroup.kill, and nothing that this could do instead. */
static void guard_group(const char *path)
{
	await_end();
	long dir = SYS4(NR_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long kill = SYS4(NR_openat, dir, "cgroup.kill", O_WRONLY | O_CLOEXEC, 0);
	long events = SYS4(NR_openat, dir, "cgroup.events", O_RDONLY | O_CLOEXEC, 0);

	SYS3(NR_write, kill, "1", 1);
	for (int rounds = 0; rounds < ROUNDS;) {
		struct pollfd changed = { (i32)events, POLLPRI, 0 };
		i64 a_while[2] = { 0, 100000000 };
		char text[64];
		/* poll tells of what has changed since the last read: unread, of each change for ever. */
		SYS3(NR_lseek, events, 0, SEEK_SET);
		SYS3(NR_read, events, text, sizeof text);
		SYS3(NR_lseek, dir, 0, SEEK_SET);
		remove_groups(dir, 0);
		long r = SYS3(NR_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
		if (r == 0 || r == -ENOENT || r == -ENODEV)
			return;
		if (SYS5(NR_ppoll, &changed, 1, a_while, 0, 0) <= 0)
			rounds++;
	}
}

/* Nobody makes sockets any more: the launcher's deputies have held the other end
 * of our own, too. Directories are not ours, and stay with all that they are in. */
static void guard_sockets(const char *path)
{
	char buffer[2048] __attribute__((aligned(8)));
	int removed = 1;

	await_end();
	long dir = SYS4(NR_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	for (int pass = 0; removed && pass < PASSES; pass++) {
		long n;
		removed = 0;
		/* What is removed while a directory is read may hide other entries. */
		SYS3(NR_lseek, dir, 0, SEEK_SET);
		while ((n = SYS3(NR_getdents64, dir, buffer, sizeof buffer)) > 0)
			for (long at = 0; at < n;) {
				struct dirent64 *entry = (void *)(buffer + at);
				at += entry->length;
				if (SYS3(NR_unlinkat, dir, entry->name, 0) == 0)
					removed = 1;
			}
	}
	SYS3(NR_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

__attribute__((used)) static _Noreturn void guard(long *stack)
{
	/* Orphans come to init: ignored, the kernel reaps them itself. Its signals do
	 * nothing to an init without handlers, nor blocked ones to another process;
	 * and nobody who is not above us may trace us. */
	struct kernel_sigaction ignore = { .handler = SIG_IGN };
	u64 all = ~0ULL;

	SYS4(NR_rt_sigaction, SIGCHLD, &ignore, 0, sizeof ignore.mask);
	SYS4(NR_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof all);
	SYS2(NR_prctl, PR_SET_DUMPABLE, 0);
	if (stack[0] < 3)
		await_end();
	else if (*(const char *)stack[2] == 'g')
		guard_group((const char *)stack[3]);
	else
		guard_sockets((const char *)stack[3]);
	for (;;)
		SYS1(NR_exit_group, 0);
}

/* The kernel leaves argc and argv on the stack. */
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall guard\n\thlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl guard\n\tbrk #1\n");
#endif
