/* Everything between clone and exec, in its order. What confines the child is in
 * namespaces.c and restrict.c. Nothing else in this project runs in a child. */
#include "pidpool.h"
#include "launch.h"

#define CLOSE_RANGE_UNSHARE 2 /* Linux 5.9 */
#define F_SETFD 2
#define F_DUPFD_CLOEXEC 1030
#define O_RDWR 2
#define SA_RESTORER 0x04000000UL

enum { ENOENT = 2, ESRCH = 3, EACCES = 13, ENODEV = 19, ENOTDIR = 20, ETIMEDOUT = 110, ESTALE = 116 };

_Noreturn void pp_fail(struct start *s, u32 stage, long error, u32 detail)
{
	volatile struct pp_slot *slot = s->slot;
	slot->error = (i32)-error;
	slot->detail = detail;
	slot->stage = stage;
	for (;;)
		SYS1(NR_exit_group, 127);
}

static _Noreturn void fail(struct start *s, u32 stage, long error)
{
	pp_fail(s, stage, error, 0);
}

/* What is opened here need not be close-on-exec: place_fds() closes all that is
 * no target. Afterwards `path` tells which fds came from here. */
static void open_fds(struct start *s, struct pp_fd *fds, u32 n)
{
	i32 null = -1;

	for (u32 i = 0; i < n; i++) {
		long r = null;
		if (fds[i].source >= 0)
			continue;
		if (fds[i].source != PP_DEVNULL)
			r = SYS4(NR_openat, AT_FDCWD, at(s->spec, fds[i].path), fds[i].flags, fds[i].mode);
		else if (null < 0)
			r = null = (i32)SYS4(NR_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
		if (r < 0)
			fail(s, PP_STAGE_OPEN, r);
		fds[i].source = (i32)r;
		fds[i].path = 1;
	}
}

/* Whether the source of fds[i] is another fd's target by the time it is needed. */
static int overwritten(struct pp_fd *fds, u32 i)
{
	for (u32 j = 0; j < i; j++)
		if (fds[j].target == fds[i].source && fds[j].source != fds[j].target)
			return 1;
	return 0;
}

static void place_fds(struct start *s)
{
	struct pp_spec *spec = s->spec;
	struct pp_fd *fds = at(spec, spec->fds);
	u32 n = spec->fdc;
	i32 top = n ? fds[n - 1].target : -1, highest = (i32)s->low - 1;
	long r = 0;

	open_fds(s, fds, n);
	for (u32 i = 0; i < n; i++) {
		if (!overwritten(fds, i))
			continue;
		r = SYS3(NR_fcntl, fds[i].source, F_DUPFD_CLOEXEC, top + 1);
		if (r < 0)
			fail(s, PP_STAGE_DUP, r);
		fds[i].source = (i32)r;
	}
	for (u32 i = 0; i < n; i++) {
		if (fds[i].source > highest)
			highest = fds[i].source;
		if (fds[i].source == fds[i].target)
			r = fds[i].path ? 0 : SYS3(NR_fcntl, fds[i].target, F_SETFD, 0);
		else
			r = SYS3(NR_dup3, fds[i].source, fds[i].target, 0);
		if (r < 0)
			fail(s, PP_STAGE_DUP, r);
	}
	u32 next = 0;
	for (u32 i = 0; i < n; i++) {
		if ((u32)fds[i].target > next)
			SYS3(NR_close_range, next, fds[i].target - 1, 0);
		next = (u32)fds[i].target + 1;
	}
	if (highest >= (i32)next)
		SYS3(NR_close_range, next, ~0U, 0);
}

static void set_credentials(struct start *s)
{
	struct pp_spec *spec = s->spec;
	long r;

	if (spec->flags & PP_SETGROUPS) {
		r = SYS2(NR_setgroups, spec->groupc, at(spec, spec->groups));
		if (r < 0)
			fail(s, PP_STAGE_SETGROUPS, r);
	}
	if (spec->flags & PP_SETGID) {
		r = SYS3(NR_setresgid, spec->gid, spec->gid, spec->gid);
		if (r < 0)
			fail(s, PP_STAGE_SETGID, r);
	}
	if (spec->flags & PP_SETUID) {
		r = SYS3(NR_setresuid, spec->uid, spec->uid, spec->uid);
		if (r < 0)
			fail(s, PP_STAGE_SETUID, r);
	}
}

/* Sixteen bytes are reserved for each. Which pid it is depends on the pid namespace,
 * so only the child can tell. */
static void write_pids(struct pp_spec *spec)
{
	u32 *places = at(spec, spec->pids);

	for (u32 i = 0; i < spec->pidc; i++) {
		char *to = at(spec, places[i]);
		u32 digits = 1;
		long pid = SYS0(NR_getpid);
		for (long rest = pid; rest >= 10; rest /= 10)
			digits++;
		to[digits] = 0;
		for (; digits > 0; pid /= 10)
			to[--digits] = (char)('0' + pid % 10);
	}
}

/* Tries the candidates as execvp(3) does, but leaves ENOEXEC an error. */
static long try_exec(struct pp_spec *spec)
{
	u32 *paths = at(spec, spec->paths);
	long r = -ENOENT;
	int denied = 0;

	for (u32 i = 0; i < spec->pathc; i++) {
		r = SYS3(NR_execve, at(spec, paths[i]), at(spec, spec->argv), at(spec, spec->envp));
		if (r == -EACCES)
			denied = 1;
		else if (r != -ENOENT && r != -ENOTDIR && r != -ESTALE && r != -ENODEV && r != -ETIMEDOUT)
			return r;
	}
	return denied ? -EACCES : r;
}

/* Of x64 and arm64: SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV,
 * SIGXCPU, SIGXFSZ and SIGSYS, whose default is to dump core. */
static const unsigned char dumping[] = { 3, 4, 5, 6, 7, 8, 11, 24, 25, 31 };

static _Noreturn void leave(int signal)
{
	(void)signal;
	for (;;)
		SYS1(NR_exit_group, 127);
}

static _Noreturn void die(int signal)
{
	SYS2(NR_kill, SYS0(NR_getpid), SIGKILL);
	leave(signal);
}

/* The memory that a child would dump before its exec is the parent's, for the
 * child's user to read; and before Linux 5.16 a dump ends all processes that share
 * the memory, the parent too. A sibling that may signal it is enough. So such a
 * signal is handled, which lasts until exec and no longer: it ends the child by
 * SIGKILL, or where a filter may refuse even that, by exit. The init of a pid
 * namespace is spared them anyway. */
static void dump_nothing(struct pp_spec *spec)
{
	/* None returns: the restorer, which x64 asks for, is never used. */
	void (*handler)(int) = spec->filterc ? leave : die;
	struct kernel_sigaction action = { (void *)(u64)handler, SA_RESTORER, (void *)(u64)handler, ~0ULL };

	if (spec->cloned & CLONE_NEWPID)
		return;
	for (u32 i = 0; i < sizeof dumping; i++)
		SYS4(NR_rt_sigaction, dumping[i], &action, 0, sizeof action.mask);
}

/* What may take rights over the host; 0 is the calling process. Also called in the parent. */
long pp_set_priorities(struct pp_spec *spec, long pid, struct failure *failure)
{
	failure->stage = PP_STAGE_NICE;
	failure->error = spec->flags & PP_NICE ? SYS3(NR_setpriority, 0, pid, spec->nice) : 0;
	if (failure->error < 0)
		return failure->error;
	failure->stage = PP_STAGE_RLIMIT;
	return failure->error = pp_set_limits(spec, pid, 1, &failure->detail);
}

/* Each change of credentials makes the kernel forget it. The parent may have
 * died before the call took effect. */
static void die_with_parent(struct start *s)
{
	struct pp_spec *spec = s->spec;
	long r;

	if (!(spec->flags & PP_PDEATHSIG))
		return;
	r = SYS2(NR_prctl, PR_SET_PDEATHSIG, spec->pdeathsig);
	if (r < 0)
		fail(s, PP_STAGE_PDEATHSIG, r);
	/* From a pid namespace the parent cannot be seen, dead or alive: its init
	 * has the end of a pipe to tell. */
	int hidden = spec->join_pid >= 0 || spec->cloned & CLONE_NEWPID;
	if (!hidden && SYS0(NR_getppid) != s->parent)
		fail(s, PP_STAGE_PDEATHSIG, -ESRCH);
}

/* The law of this function and all it calls: the memory is the parent's, whose
 * other threads go on running. Raw system calls only: no libc, no lock, no
 * errno, no allocation, no write outside the spec and the slot. It never
 * returns. */
_Noreturn void pp_child_main(void *arg)
{
	struct start *s = arg;
	struct pp_spec *spec = s->spec;
	struct failure failure = { 0 };
	long r = 0;

	/* From here on others may signal it: a parent in vfork's way sleeps until exec. */
	__atomic_store_n(&s->slot->pidfd, s->pidfd, __ATOMIC_RELEASE);

	/* Much of what follows may wait: for ids to be mapped, for files that are
	 * never opened. */
	die_with_parent(s);

	/* First what the rights of this process may be needed for, which end at the
	 * border of a user namespace. No handler can run: they are cleared (clone3) or blocked (clone). */
	struct kernel_sigaction dfl = { 0 };
	for (u64 left = s->reset; left; left &= left - 1)
		SYS4(NR_rt_sigaction, __builtin_ctzll(left) + 1, &dfl, 0, sizeof dfl.mask);

	if (spec->flags & PP_SETSID)
		r = SYS0(NR_setsid);
	else if (spec->flags & PP_SETPGID)
		r = SYS2(NR_setpgid, 0, 0);
	if (r < 0)
		fail(s, PP_STAGE_SESSION, r);
	if (spec->flags & PP_UMASK)
		SYS1(NR_umask, spec->umask);
	/* A child that is born in a new user namespace has no such right left: its parent does it. */
	if (!(spec->cloned & CLONE_NEWUSER) && pp_set_priorities(spec, 0, &failure) < 0)
		pp_fail(s, failure.stage, failure.error, failure.detail);

	/* The file table is still the parent's own: all its fds are at hand. */
	pp_enter_namespaces(s);
	if (spec->join_user >= 0 || spec->cloned || spec->unshared)
		die_with_parent(s);

	/* Copying only what lies below `low` costs the same however many fds the parent holds. */
	r = SYS3(NR_close_range, s->low, ~0U, CLOSE_RANGE_UNSHARE);
	if (r < 0)
		fail(s, PP_STAGE_FILES, r);

	/* What opens fds comes only now: killed meanwhile, the child would leave them to the parent. */
	pp_arrange_network(s);
	pp_arrange_mounts(s);
	if (spec->cwd) {
		r = SYS1(NR_chdir, at(spec, spec->cwd));
		if (r < 0)
			fail(s, PP_STAGE_CHDIR, r);
	}
	place_fds(s);
	/* Opens files: before the limit on that, and with the parent's rights. */
	long ruleset = pp_make_ruleset(s);
	r = pp_set_limits(spec, 0, 0, &failure.detail);
	if (r < 0)
		pp_fail(s, PP_STAGE_RLIMIT, r, failure.detail);
	pp_prepare_capabilities(s);
	set_credentials(s);
	pp_set_capabilities(s);

	die_with_parent(s);
	pp_lock(s, ruleset);
	u64 none = 0;
	dump_nothing(spec);
	SYS4(NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
	write_pids(spec);
	pp_filter(s);
	fail(s, PP_STAGE_EXECVE, try_exec(spec));
}
