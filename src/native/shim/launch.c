/* The parent's side of one launch: from a prepared spec to a running program
 * with its pidfd in the epoll set. child.c is the other side. */
#include "pidpool.h"
#include "launch.h"

#define CLONE_VM 0x100UL
#define CLONE_FILES 0x400UL
#define CLONE_PIDFD 0x1000UL
#define CLONE_VFORK 0x4000UL
#define CLONE_PARENT_SETTID 0x100000UL
#define CLONE_CHILD_CLEARTID 0x200000UL
#define CLONE_PARENT 0x8000UL
#define CLONE_CLEAR_SIGHAND 0x100000000ULL /* Linux 5.5 */
#define CLONE_INTO_CGROUP 0x200000000ULL   /* Linux 5.7 */

#define SIGCHLD 17
#define SIGSTOP 19
#define NSIG 64
#define SIG_IGN ((void *)1)
#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4
#define F_DUPFD_CLOEXEC 1030
#define EPOLL_CTL_ADD 1
#define EPOLLIN 1
#define P_PIDFD 3
#define WEXITED 4
#define WALL 0x40000000
#define CLOCK_MONOTONIC 1

enum { EINTR = 4, ECHILD = 10, ENOSYS = 38 };

struct clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	u64 set_tid, set_tid_size, cgroup;
};
/* Sizes that kernels know: before the cgroup, and with it. */
#define CLONE_ARGS_SMALL __builtin_offsetof(struct clone_args, set_tid)
_Static_assert(CLONE_ARGS_SMALL == 64, "CLONE_ARGS_SIZE_VER0, Linux 5.3");
_Static_assert(sizeof(struct clone_args) == 88, "CLONE_ARGS_SIZE_VER2, Linux 5.7");

struct epoll_event {
	u32 events;
	u64 data;
}
#if defined(__x86_64__)
__attribute__((packed))
#endif
;

long pp_clone3(struct clone_args *args, unsigned long size, void (*child)(void *), void *arg);
long pp_clone(unsigned long flags, void *stack, i32 *pidfd, void (*child)(void *), void *arg);

/* Signals that this process ignores: CLONE_CLEAR_SIGHAND keeps those, and Node
 * ignores SIGPIPE. Asking the kernel takes a system call a signal, more than all
 * others of a launch together, so an answer serves for PP_IGNORED_NS. JavaScript
 * has no way to ignore a signal; native code in this process has. */
static u64 ignored_signals(struct pp_launcher *l, u64 now)
{
	if (l->ignored_at && now - l->ignored_at < PP_IGNORED_NS)
		return l->ignored;
	u64 ignored = 0;
	for (int sig = 1; sig <= NSIG; sig++) {
		struct kernel_sigaction current = { 0 };
		if (SYS4(NR_rt_sigaction, sig, 0, &current, sizeof current.mask) == 0 && current.handler == SIG_IGN)
			ignored |= 1ULL << (sig - 1);
	}
	l->ignored = ignored;
	l->ignored_at = now;
	return ignored;
}

static long clone_child(struct pp_launcher *l, struct flight *f, int vfork)
{
	struct pp_slot *slot = f->start.slot;
	struct pp_spec *spec = f->start.spec;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_PARENT_SETTID |
			 (vfork ? CLONE_VFORK : CLONE_CHILD_CLEARTID) | spec->cloned,
		.pidfd = (u64)&f->start.pidfd,
		.child_tid = (u64)&f->under_way,
		.parent_tid = (u64)&slot->pid,
		.exit_signal = SIGCHLD,
		.stack = f->stack_top - PP_STACK_SIZE,
		.stack_size = PP_STACK_SIZE,
	};

	/* A deputy's children are made this process's. Their exit signal is the
	 * deputy's, none, until exec sets it to SIGCHLD. */
	if (l->deputy) {
		args.flags |= CLONE_PARENT;
		args.exit_signal = 0;
	}
	if (spec->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (u64)spec->cgroup;
	}
	return pp_clone3(&args, spec->cgroup >= 0 ? sizeof args : CLONE_ARGS_SMALL, pp_child_main, &f->start);
}

/* Does for a child in a user namespace of its own what it cannot do itself, and tells it. */
static void map_ids(struct flight *f, long pid)
{
	struct start *s = &f->start;

	if (pp_set_priorities(s->spec, pid, &s->outside) >= 0) {
		s->outside.stage = PP_STAGE_UID_MAP;
		s->outside.error = pp_write_id_maps(s->spec, pid);
	}
	__atomic_store_n(&s->mapped, 1, __ATOMIC_RELEASE);
	SYS3(NR_futex, &s->mapped, FUTEX_WAKE, 1);
}

static void await_child(struct flight *f)
{
	while (__atomic_load_n(&f->under_way, __ATOMIC_ACQUIRE))
		SYS4(NR_futex, &f->under_way, FUTEX_WAIT, 1, 0);
}

static long start_child(struct pp_launcher *l, struct flight *f, int alone)
{
	struct start *s = &f->start;
	struct pp_slot *slot = s->slot;
	struct pp_spec *spec = s->spec;
	/* This thread has to map the ids meanwhile, so it may not sleep until exec. */
	int maps = (spec->cloned & CLONE_NEWUSER) != 0;
	u64 blocked = PP_ALL_BUT_SIGCHLD, old = 0;
	long r;

	r = pp_enter_pid_namespace(l, spec);
	if (r < 0) {
		slot->stage = PP_STAGE_SETNS;
		f->under_way = 0;
		return r;
	}
	if (!l->legacy) {
		s->reset = ignored_signals(l, slot->started_ns);
		/* A launcher thread blocks what it must; others may not. */
		if (!s->masked)
			SYS4(NR_rt_sigprocmask, SIG_SETMASK, &blocked, &old, sizeof blocked);
		r = clone_child(l, f, alone && !maps);
		if (!s->masked)
			SYS4(NR_rt_sigprocmask, SIG_SETMASK, &old, 0, sizeof old);
		if (r > 0 && maps)
			map_ids(f, r);
		if (r != -ENOSYS) {
			if (r > 0 && alone && maps)
				await_child(f);
			else if (r < 0 || alone)
				f->under_way = 0;
			return r;
		}
		l->legacy = 1; /* Docker's default seccomp profile */
	}
	f->under_way = 0;
	/* What only clone3 can do; a child must not get less. */
	if (spec->cloned || spec->cgroup >= 0 || l->deputy)
		return -ENOSYS;
	/* Handlers are kept too, and must not run in the child. SIGKILL and SIGSTOP
	 * have none. */
	blocked = ~0ULL;
	SYS4(NR_rt_sigprocmask, SIG_SETMASK, &blocked, &old, sizeof blocked);
	s->reset = ~(1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1));
	r = pp_clone(CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_VFORK | SIGCHLD, (void *)f->stack_top, &s->pidfd,
		     pp_child_main, s);
	SYS4(NR_rt_sigprocmask, SIG_SETMASK, &old, 0, sizeof old);
	return r;
}

static u32 lending_bound(struct pp_launcher *l)
{
	u32 bound = PP_LOW_FDS;

	for (u32 i = 0; i < PP_RESERVED; i++)
		if (l->reserved[i] >= (i32)bound)
			bound = (u32)l->reserved[i] + 1;
	return bound;
}

/* Lends low fds to sources that lie high, so that few fds are copied. */
static void lend(struct pp_launcher *l, struct start *s)
{
	struct pp_fd *fds = at(s->spec, s->spec->fds);
	u32 bound = lending_bound(l);

	s->low = 0;
	s->lent = 0;
	for (u32 i = 0; i < s->spec->fdc; i++) {
		i32 low = s->lent < PP_RESERVED ? l->reserved[s->lent] : -1;
		if (fds[i].source >= (i32)bound && low >= 0 && SYS3(NR_dup3, fds[i].source, low, O_CLOEXEC) >= 0) {
			fds[i].source = low;
			s->lent++;
		}
		if (fds[i].source >= (i32)s->low)
			s->low = (u32)fds[i].source + 1;
	}
	/* Where fds up to ours are copied anyway, the child need not open its own. */
	for (u32 i = 0; i < s->spec->fdc; i++)
		if (fds[i].source == PP_DEVNULL && l->devnull < (i32)s->low)
			fds[i].source = l->devnull;
}

/* Points the lent fds back at /dev/null, so that they hold nothing open, and
 * closes what was handed over. */
static void settle(struct pp_launcher *l, struct pp_spec *spec, u32 lent)
{
	struct pp_fd *fds = at(spec, spec->fds);

	for (u32 i = 0; i < lent; i++)
		SYS3(NR_dup3, l->devnull, l->reserved[i], O_CLOEXEC);
	for (u32 i = 0; i < spec->fdc; i++)
		if (fds[i].handed >= 0) {
			SYS1(NR_close, fds[i].handed);
			fds[i].handed = -1;
		}
}

static void relocate(struct pp_spec *spec, u32 table, u32 n)
{
	u64 *p = at(spec, table);
	for (u32 i = 0; i < n; i++)
		p[i] += (u64)spec;
}

/* Leaves LAUNCHING, and with it the time in which others may signal the child. */
static void leave_launching(struct pp_slot *slot, u32 state)
{
	u32 launching;
	do
		launching = PP_LAUNCHING;
	while (!__atomic_compare_exchange_n(&slot->state, &launching, state, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

/* Whatever `low` asks for, the kernel copies the first 64 fds for each child
 * (and, until Linux 6.11, no more than asked for). Moved beyond them, pidfds of
 * living children cost others nothing. Nobody may send a signal meanwhile. */
static void raise_pidfd(struct pp_slot *slot)
{
	leave_launching(slot, PP_SIGNALING);
	i32 low = slot->pidfd;
	if (low >= PP_COPIED_FDS)
		return;
	long high = SYS3(NR_fcntl, low, F_DUPFD_CLOEXEC, PP_COPIED_FDS);
	if (high < 0)
		return;
	slot->pidfd = (i32)high;
	SYS1(NR_close, low);
}

/* The child shares our memory map: its change of uid or gid would leave this
 * whole process undumpable. Until exec it has to be: the child is another user
 * then, and has our memory, which processes of that user could open. Launchers
 * do this at the same time, so the first one in remembers what it was, and only
 * the last one out puts it back. */
static struct {
	u32 lock, launches;
	int before;
} dumpable;

static void keep_dumpable(int entering)
{
	while (__atomic_exchange_n(&dumpable.lock, 1, __ATOMIC_ACQUIRE))
		SYS0(NR_sched_yield);
	if (entering) {
		if (dumpable.launches++ == 0)
			dumpable.before = (int)SYS1(NR_prctl, PR_GET_DUMPABLE);
	} else {
		if (--dumpable.launches == 0 && (dumpable.before == 0 || dumpable.before == 1))
			SYS2(NR_prctl, PR_SET_DUMPABLE, dumpable.before);
	}
	__atomic_store_n(&dumpable.lock, 0, __ATOMIC_RELEASE);
}

/* Whether no other child may be between clone and exec meanwhile: what this one
 * needs, there is only once. Or it needs CLONE_VFORK: a group with a limit on
 * memory may have none left before exec, for the arguments say, and the kernel
 * then kills all who share the memory of its victim, us. It spares a vfork. */
int pp_launches_alone(struct pp_launcher *l, struct pp_slot *slot)
{
	struct pp_spec *spec = (struct pp_spec *)slot->spec;
	struct pp_fd *fds = at(spec, spec->fds);
	i32 bound = (i32)lending_bound(l);

	if (l->legacy || spec->cgroup >= 0 || spec->flags & (PP_SETUID | PP_SETGID))
		return 1;
	for (u32 i = 0; i < spec->fdc; i++)
		if (fds[i].source >= bound)
			return 1;
	return 0;
}

/* A process that shares our memory and fds, and runs `main` while the calling
 * thread sleeps: not by CLONE_VFORK, which would count as load for as long. No
 * SIGCHLD tells of its end. */
long pp_run_deputy(u64 stack_top, void (*main)(void *), void *arg)
{
	u32 there = 1;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | CLONE_CLEAR_SIGHAND,
		.child_tid = (u64)&there,
		.stack = stack_top - PP_STACK_SIZE,
		.stack_size = PP_STACK_SIZE,
	};
	long pid = pp_clone3(&args, CLONE_ARGS_SMALL, main, arg);

	if (pid < 0)
		return pid;
	while (__atomic_load_n(&there, __ATOMIC_ACQUIRE))
		SYS4(NR_futex, &there, FUTEX_WAIT, 1, 0);
	while (SYS4(NR_wait4, pid, 0, WALL, 0) == -EINTR)
		;
	return pid;
}

/* Starts the child of a slot. The memory of the flight and of the spec is the
 * child's too until f->under_way is 0, which it is at once where it is alone. */
void pp_begin_launch(struct pp_launcher *l, struct flight *f, struct pp_slot *slot, int alone, int masked)
{
	struct pp_spec *spec = (struct pp_spec *)slot->spec;
	i64 now[2] = { 0, 0 };
	int changes_ids = (spec->flags & (PP_SETUID | PP_SETGID)) != 0;

	f->start = (struct start){ .slot = slot, .spec = spec, .parent = l->pid, .masked = masked,
				   .deputy = l->deputy != 0 };
	f->under_way = 1;
	relocate(spec, spec->argv, spec->argc);
	relocate(spec, spec->envp, spec->envc);
	lend(l, &f->start);
	slot->stage = PP_STAGE_NONE;
	slot->pid = 0;
	slot->ran = 0;
	slot->detail = 0;
	__atomic_store_n(&slot->pidfd, -1, __ATOMIC_RELEASE);
	if (changes_ids)
		keep_dumpable(1);
	SYS2(NR_clock_gettime, CLOCK_MONOTONIC, now);
	slot->started_ns = (u64)now[0] * 1000000000ULL + (u64)now[1];

	f->pid = start_child(l, f, alone);
	/* The child has done this too, unless it was killed before. */
	if (f->pid > 0)
		__atomic_store_n(&slot->pidfd, f->start.pidfd, __ATOMIC_RELEASE);

	if (changes_ids)
		keep_dumpable(0);
}

/* After f->under_way has become 0. Sets state, pid, pidfd, stage and error of the
 * slot; consumes the fds that were handed over, whatever has happened. Returns
 * the stage that failed. A child that runs may be reaped and its slot be
 * another's by the time this returns: nothing after epoll_ctl looks at the slot,
 * unless that failed. */
u32 pp_finish_launch(struct pp_launcher *l, struct flight *f)
{
	struct pp_slot *slot = f->start.slot;
	long pid = f->pid;

	settle(l, f->start.spec, f->start.lent);

	volatile struct pp_slot *seen = slot;
	if (pid > 0 && seen->stage == PP_STAGE_NONE) {
		slot->pid = (i32)pid;
		raise_pidfd(slot);
		slot->ran = 1;
		struct epoll_event ev = { .events = EPOLLIN, .data = slot->token };
		i32 pidfd = slot->pidfd;
		__atomic_store_n(&slot->state, PP_RUNNING, __ATOMIC_SEQ_CST);
		long r = SYS4(NR_epoll_ctl, l->epoll, EPOLL_CTL_ADD, pidfd, &ev);
		if (r < 0) {
			slot->error = (i32)-r;
			slot->stage = PP_STAGE_WATCH;
			return PP_STAGE_WATCH;
		}
		return PP_STAGE_NONE;
	}
	leave_launching(slot, PP_FAILING);
	if (pid > 0) {
		i32 fd = slot->pidfd;
		long r;
		do
			r = SYS5(NR_waitid, P_PIDFD, fd, 0, WEXITED | WALL, 0);
		while (r == -EINTR);
		/* It is no child of a deputy: then the supervisor reaps it. */
		if (r != -ECHILD) {
			slot->pidfd = -1;
			SYS1(NR_close, fd);
		}
		slot->pid = 0;
	} else {
		if (slot->stage == PP_STAGE_NONE)
			slot->stage = PP_STAGE_CLONE;
		slot->error = (i32)-pid;
	}
	u32 stage = slot->stage;
	__atomic_store_n(&slot->state, PP_FAILED, __ATOMIC_RELEASE);
	return stage;
}

void pp_discard_slot(struct pp_launcher *l, struct pp_slot *slot)
{
	settle(l, (struct pp_spec *)slot->spec, 0);
}
