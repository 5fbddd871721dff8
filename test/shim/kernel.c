#include "kernel.h"
#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define F_SETFD 2
#define F_DUPFD_CLOEXEC 1030
#define UNSHARE 2
#define CLONE_FILES 0x400UL
#define CLONE_PIDFD 0x1000UL
#define CLONE_VFORK 0x4000UL
#define CLONE_PARENT 0x8000UL
#define CLONE_PARENT_SETTID 0x100000UL
#define CLONE_CHILD_CLEARTID 0x200000UL
#define CLONE_INTO_CGROUP 0x200000000ULL
#define PRIVATE 128
#define SIG_IGN ((void *)1)

enum { EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EBADF = 9, ECHILD = 10, EAGAIN = 11, ENOMEM = 12, EACCES = 13,
       EBUSY = 16, EINVAL = 22, EMFILE = 24, ENOSYS = 38, ETIMEDOUT = 110 };
enum { FILE_OBJECT = 0x10000, PIDFD_OBJECT = 0x20000, OTHER_OBJECT = 0x30000, MOST_CHILDREN = PP_FLIGHTS };

struct fd_table {
	struct {
		u32 object;
		bool cloexec;
	} fd[FDS];
};

struct clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	u64 set_tid, set_tid_size, cgroup;
};

struct process {
	bool alive;
	long pid;
	void (*main)(void *);
	void *arg;
	u32 *cleared;
	struct fd_table *fds, own;
	bool deputys, mask_cleared;
	u32 expected[FDS]; /* the object at each fd after exec */
	jmp_buf end;
};

static struct {
	struct pp_launcher *l;
	const unsigned char *choices;
	size_t left;
	struct fd_table fds;
	struct process children[MOST_CHILDREN], deputy, *running;
	long next_pid, dead;
	u32 next_object;
	int dumpable;
	u64 now;
} k;

void (*kernel_idle)(void);
void (*kernel_watched)(u64 token);
void (*kernel_step)(void);
u64 kernel_mask;

void broken(const char *what)
{
	fprintf(stderr, "the shim: %s\n", what);
	abort();
}

void kernel_reset(struct pp_launcher *l, const unsigned char *choices, size_t n)
{
	memset(&k, 0, sizeof k);
	k.l = l;
	k.choices = choices;
	k.left = n;
	k.next_pid = 1000;
	k.dumpable = 1;
	k.now = 1;
	kernel_mask = 0;
}

unsigned kernel_choose(unsigned n)
{
	if (k.left == 0)
		return 0;
	k.left--;
	return *k.choices++ % n;
}

/* 0, or now and then one of these as -errno. */
static long perhaps(const int *errors, unsigned n)
{
	unsigned choice = kernel_choose(256);

	return choice < 192 ? 0 : -(long)errors[choice % n];
}
#define PERHAPS(...) perhaps((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

/* ---- memory: what the sanitizers see */

static volatile unsigned char sink;

static void reads(const void *from, size_t n)
{
	const unsigned char *bytes = from;
	for (size_t i = 0; i < n; i++)
		sink ^= bytes[i];
}

static size_t reads_string(const void *from)
{
	const unsigned char *text = from;
	size_t n = 0;
	while (text[n])
		n++;
	return n;
}

static void writes(void *to, size_t n)
{
	if (__asan_region_is_poisoned(to, n))
		broken("lends memory that is not its own");
}

static u32 file_object(const char *path)
{
	u32 hash = 0;
	for (const char *c = path; *c; c++)
		hash = hash * 31 + (unsigned char)*c;
	return strcmp(path, "/dev/null") == 0 ? NULL_OBJECT : FILE_OBJECT | (hash & 0xffff);
}

/* ---- fds */

static struct fd_table *table(void)
{
	return k.running && k.running->fds ? k.running->fds : &k.fds;
}

static bool is_open(long fd)
{
	return fd >= 0 && fd < FDS && table()->fd[fd].object != 0;
}

static void must_be_open(long fd)
{
	if (!is_open(fd))
		broken("uses an fd that is not open");
}

static long open_in(struct fd_table *t, long low, u32 object, bool cloexec)
{
	for (long fd = low; fd < FDS; fd++)
		if (t->fd[fd].object == 0) {
			t->fd[fd].object = object;
			t->fd[fd].cloexec = cloexec;
			return fd;
		}
	return -EMFILE;
}

int kernel_open(int low, u32 object)
{
	long fd = open_in(&k.fds, low, object ? object : OTHER_OBJECT | (++k.next_object & 0xffff), true);
	return fd < 0 ? -1 : (int)fd;
}

u32 kernel_object(int fd)
{
	return fd >= 0 && fd < FDS ? k.fds.fd[fd].object : 0;
}

void kernel_close(int fd)
{
	if (kernel_object(fd) == 0)
		broken("has closed an fd of others");
	k.fds.fd[fd].object = 0;
}

unsigned kernel_open_fds(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < FDS; fd++)
		n += k.fds.fd[fd].object != 0;
	return n;
}

static long close_range(u32 first, u32 last, long flags)
{
	if (first > last)
		broken("closes a range that ends before it begins");
	if (flags & UNSHARE) {
		struct process *p = k.running;
		if (!p || p == &k.deputy)
			broken("unshares the parent's fds");
		p->own = *table();
		p->fds = &p->own;
	}
	for (u32 fd = first; fd <= last && fd < FDS; fd++)
		table()->fd[fd].object = 0;
	return 0;
}

static long duplicate(long from, long to)
{
	must_be_open(from);
	if (from == to || to < 0)
		broken("duplicates an fd onto itself");
	/* Not in the parent, where giving back may not fail. */
	long r = k.running && k.running != &k.deputy ? PERHAPS(EBUSY, EINTR) : 0;
	if (to >= FDS)
		r = -EBADF;
	if (r == 0) {
		table()->fd[to] = table()->fd[from];
		table()->fd[to].cloexec = false;
	}
	return r < 0 ? r : to;
}

static long control(long fd, long command, long arg)
{
	long r = PERHAPS(EMFILE, EINVAL);

	must_be_open(fd);
	if (r < 0)
		return r;
	if (command == F_SETFD) {
		table()->fd[fd].cloexec = arg != 0;
		return 0;
	}
	if (command != F_DUPFD_CLOEXEC)
		broken("uses fcntl for something new");
	return open_in(table(), arg, table()->fd[fd].object, true);
}

static long opens(u32 object, bool cloexec)
{
	long r = PERHAPS(EMFILE, ENOENT, EACCES);
	return r < 0 ? r : open_in(table(), 0, object, cloexec);
}

/* ---- processes */

static void expect(struct process *p, const struct pp_spec *spec)
{
	const struct pp_fd *fds = at((struct pp_spec *)(u64)spec, spec->fds);

	memset(p->expected, 0, sizeof p->expected);
	for (u32 i = 0; i < spec->fdc; i++) {
		long source = fds[i].source;
		if (fds[i].target >= FDS)
			return;
		if (source == PP_DEVNULL)
			p->expected[fds[i].target] = NULL_OBJECT;
		else if (source < 0)
			p->expected[fds[i].target] = file_object(at((struct pp_spec *)(u64)spec, fds[i].path));
		else
			p->expected[fds[i].target] = table()->fd[source].object;
	}
}

/* Runs a process until its end or exec. */
static void run(struct process *p)
{
	struct process *before = k.running;

	k.running = p;
	if (setjmp(p->end) == 0)
		p->main(p->arg);
	k.running = before;
	p->alive = false;
	if (p->cleared)
		*p->cleared = 0;
}

static bool parent_runs(void)
{
	return k.running == NULL || k.running == &k.deputy;
}

/* One that waits for its ids can go on only when they are mapped, or patience is over. */
static void run_some(void)
{
	for (size_t i = 0; i < MOST_CHILDREN; i++)
		if (k.children[i].alive) {
			run(&k.children[i]);
			return;
		}
}

static long new_process(u64 flags, i32 *pidfd, u32 *child_tid, i32 *parent_tid, void (*main)(void *), void *arg)
{
	bool is_deputy = !(flags & CLONE_PIDFD);
	struct process *p = is_deputy ? &k.deputy : k.children;
	long r = PERHAPS(EAGAIN, ENOMEM, EPERM);

	if (r < 0)
		return r;
	while (!is_deputy && p->alive)
		if (++p == k.children + MOST_CHILDREN)
			broken("starts too many children at a time");
	p->alive = true;
	p->pid = ++k.next_pid;
	p->main = main;
	p->arg = arg;
	p->cleared = flags & CLONE_CHILD_CLEARTID ? child_tid : NULL;
	p->fds = NULL;
	p->deputys = (flags & CLONE_PARENT) != 0;
	p->mask_cleared = false;
	if (!is_deputy) {
		long fd = open_in(&k.fds, 0, PIDFD_OBJECT | (u32)(p->pid & 0xffff), true);
		*pidfd = (i32)fd; /* before the last checks */
		r = fd < 0 ? fd : flags & CLONE_INTO_CGROUP ? PERHAPS(EAGAIN, EBUSY, EBADF) : PERHAPS(EINTR, EAGAIN);
		if (r < 0) {
			if (fd >= 0)
				k.fds.fd[fd].object = 0;
			p->alive = false;
			return r;
		}
		expect(p, ((struct start *)arg)->spec);
	}
	if (flags & CLONE_PARENT_SETTID)
		*parent_tid = (i32)p->pid;
	long pid = p->pid;
	/* Some are killed before they have run. */
	if (!is_deputy && kernel_choose(256) == 255) {
		p->alive = false;
		if (p->cleared)
			*p->cleared = 0;
	} else if (is_deputy || flags & CLONE_VFORK)
		run(p);
	return pid;
}

long pp_clone3(struct clone_args *args, unsigned long size, void (*main)(void *), void *arg);
long pp_clone(unsigned long flags, void *stack, i32 *pidfd, void (*main)(void *), void *arg);

long pp_clone3(struct clone_args *args, unsigned long size, void (*main)(void *), void *arg)
{
	reads(args, size);
	writes((void *)args->stack, args->stack_size);
	if (kernel_choose(64) == 63)
		return -ENOSYS;
	if (args->flags & CLONE_INTO_CGROUP) {
		if (size < sizeof *args)
			broken("keeps the cgroup to itself");
		must_be_open((long)args->cgroup);
	}
	return new_process(args->flags, (i32 *)args->pidfd, (u32 *)args->child_tid, (i32 *)args->parent_tid, main, arg);
}

long pp_clone(unsigned long flags, void *stack, i32 *pidfd, void (*main)(void *), void *arg)
{
	writes((char *)stack - PP_STACK_SIZE, PP_STACK_SIZE);
	return new_process(flags, pidfd, NULL, NULL, main, arg);
}

static long futex(u32 *word, long operation, u32 value)
{
	reads(word, sizeof *word);
	if (operation == FUTEX_WAKE)
		return 1;
	if (operation == (FUTEX_WAIT | PRIVATE)) {
		/* Main does something before the launcher sleeps, and so wakes nobody, or while it sleeps. */
		bool before = kernel_choose(2) == 0, asleep = *word == value;
		kernel_idle();
		if (before && *word == value)
			broken("sleeps through its wake-up");
		return before || !asleep ? -EAGAIN : 0;
	}
	if (*word != value)
		return -EAGAIN;
	if (!parent_runs())
		return -ETIMEDOUT; /* nobody else runs who could map its ids */
	run_some();
	return kernel_choose(4) == 3 ? -EINTR : 0;
}

static long execute(const char *path, const char *const *argv, const char *const *envp)
{
	reads_string(path);
	for (; *argv; argv++)
		reads_string(*argv);
	for (; *envp; envp++)
		reads_string(*envp);
	long r = PERHAPS(ENOENT, EACCES, ENOMEM);
	if (r < 0)
		return r;
	struct process *p = k.running;
	if (!p->mask_cleared)
		broken("leaves signals blocked at exec");
	for (int fd = 0; fd < FDS; fd++) {
		u32 object = p->fds->fd[fd].cloexec ? 0 : p->fds->fd[fd].object;
		if (object != p->expected[fd])
			broken("leaves its child with other fds than asked for");
	}
	longjmp(p->end, 1);
}

static long wait_for(long fd)
{
	must_be_open(fd);
	if ((table()->fd[fd].object & ~0xffffU) != PIDFD_OBJECT)
		broken("waits for no child");
	return PERHAPS(EINTR, ECHILD);
}

static long watch(long epoll, long fd, const void *event)
{
	struct {
		u32 events;
		u64 data;
	} __attribute__((packed)) seen;

	must_be_open(epoll);
	must_be_open(fd);
	memcpy(&seen, event, sizeof seen);
	long r = PERHAPS(ENOMEM, ENOSYS);
	if (r == 0)
		kernel_watched(seen.data);
	return r;
}

static long signal_action(const void *act, struct kernel_sigaction *old, long size)
{
	if (size != sizeof old->mask)
		broken("has another set of signals");
	if (act)
		reads(act, sizeof *old);
	if (old)
		*old = (struct kernel_sigaction){ .handler = kernel_choose(8) == 7 ? SIG_IGN : NULL };
	return 0;
}

static long change_mask(const u64 *set, u64 *old)
{
	if (old)
		*old = kernel_mask;
	if (parent_runs())
		kernel_mask = *set;
	else
		k.running->mask_cleared = *set == 0;
	return 0;
}

static long control_process(long option, long arg)
{
	if (option == 3)
		return k.dumpable;
	if (option == 4)
		k.dumpable = (int)arg;
	return option == PR_SET_PDEATHSIG || option == 4 ? 0 : PERHAPS(EPERM, EINVAL);
}

static _Noreturn void leave(void)
{
	if (!k.running)
		broken("ends the process");
	longjmp(k.running->end, 1);
}

long answer(long nr, long a, long b, long c, long d, long e, long f)
{
	(void)f;
	kernel_step();
	if (parent_runs() && kernel_choose(16) == 15)
		run_some();
	switch (nr) {
	case NR_openat:
		return reads_string((void *)b) > 4096 ? -ENOENT : opens(file_object((void *)b), (c & O_CLOEXEC) != 0);
	case NR_close:
		must_be_open(a);
		table()->fd[a].object = 0;
		return 0;
	case NR_close_range:
		return close_range((u32)a, (u32)b, c);
	case NR_dup3: {
		long r = duplicate(a, b);
		if (r >= 0)
			table()->fd[b].cloexec = (c & O_CLOEXEC) != 0;
		return r;
	}
	case NR_fcntl:
		return control(a, b, c);
	case NR_socket:
	case NR_landlock_create_ruleset:
		if (nr == NR_landlock_create_ruleset)
			reads((void *)a, (size_t)b);
		return opens(OTHER_OBJECT, nr == NR_landlock_create_ruleset || (b & O_CLOEXEC));
	case NR_ioctl:
		must_be_open(a);
		reads((void *)c, 40);
		return PERHAPS(EPERM);
	case NR_landlock_add_rule:
		must_be_open(a);
		reads((void *)c, b == 1 ? 12 : 16);
		return PERHAPS(EINVAL, EPERM);
	case NR_landlock_restrict_self:
	case NR_setns:
		must_be_open(a);
		return PERHAPS(EPERM, EINVAL);
	case NR_seccomp: {
		struct {
			unsigned short length;
			const void *filter;
		} program;
		memcpy(&program, (void *)c, sizeof program);
		reads(program.filter, 8UL * program.length);
		return PERHAPS(EINVAL);
	}
	case NR_execve:
		return execute((void *)a, (void *)b, (void *)c);
	case NR_exit_group:
		if (parent_runs())
			broken("ends its parent");
		leave();
	case NR_exit:
		if (k.running != &k.deputy)
			broken("has another end than a deputy's");
		leave();
	case NR_futex:
		return futex((u32 *)a, b, (u32)c);
	case NR_epoll_ctl:
		return watch(a, c, (void *)d);
	case NR_waitid:
		return wait_for(b);
	case NR_wait4:
		return kernel_choose(4) == 3 ? -EINTR : a;
	case NR_rt_sigaction:
		return signal_action((void *)b, (void *)c, d);
	case NR_rt_sigprocmask:
		return change_mask((void *)b, (void *)c);
	case NR_write:
		must_be_open(a);
		reads((void *)b, (size_t)c);
		return PERHAPS(EPERM, EINVAL);
	case NR_prctl:
		return control_process(a, b);
	case NR_clock_gettime:
		((i64 *)b)[0] = 0;
		((i64 *)b)[1] = (i64)(k.now += 1000000 * kernel_choose(32));
		return 0;
	case NR_mount:
		for (const void *const *text = (const void *[]){ (void *)a, (void *)b, (void *)c, (void *)e }, *const *end = text + 4;
		     text < end; text++)
			if (*text)
				reads_string(*text);
		return PERHAPS(EPERM, EINVAL);
	case NR_mount_setattr:
		reads_string((void *)b);
		reads((void *)d, (size_t)e);
		return PERHAPS(EPERM, EINVAL);
	case NR_sethostname:
		reads((void *)a, (size_t)b);
		return PERHAPS(EPERM);
	case NR_chdir:
		reads_string((void *)a);
		return PERHAPS(ENOENT, EACCES);
	case NR_prlimit64:
		reads((void *)c, 16);
		return PERHAPS(EPERM, EINVAL);
	case NR_setgroups:
		reads((void *)b, 4UL * (size_t)a);
		return PERHAPS(EPERM);
	case NR_capget:
		writes((void *)b, 24);
		return PERHAPS(EPERM);
	case NR_capset:
		reads((void *)b, 24);
		return PERHAPS(EPERM);
	case NR_getpid:
		return k.running ? (long[]){ 1, 9, 10, 99999, 4194304 }[kernel_choose(5)] : 1000;
	case NR_getppid:
		return kernel_choose(64) == 63 ? 1 : 1000;
	case NR_getuid:
	case NR_geteuid:
		return kernel_choose(2);
	case NR_sched_yield:
		broken("waits for a lock that nobody holds");
	case NR_umask:
		return 0;
	case NR_setsid:
	case NR_setpgid:
	case NR_setpriority:
	case NR_setresuid:
	case NR_setresgid:
	case NR_unshare:
		return PERHAPS(EPERM, EAGAIN, EINVAL);
	default:
		broken("makes a system call that it did not make before");
	}
}
