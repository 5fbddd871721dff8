/* The thread that launches, and the shim's exports.
 *
 * PR_SET_PDEATHSIG belongs to the thread that created a child. A JavaScript
 * worker can die of an exception or of its heap limit; this thread runs no
 * JavaScript and ends only when its pool does or with the whole process. So
 * children die with Node, and not with a supervisor. It also takes the wait for
 * exec away from every thread that runs JavaScript. */
#include "pidpool.h"
#include "launch.h"

#define FUTEX_WAIT_PRIVATE 128

enum { EPERM = 1 };

/* The compiler may call these even in freestanding code. */
__attribute__((visibility("hidden"))) void *memcpy(void *to, const void *from, unsigned long n);
__attribute__((visibility("hidden"))) void *memset(void *to, int c, unsigned long n);

void *memcpy(void *to, const void *from, unsigned long n)
{
	char *t = to;
	const char *f = from;
	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, unsigned long n)
{
	char *t = to;
	while (n--)
		*t++ = (char)c;
	return to;
}

static void notify(struct pp_launcher *l, u32 notice)
{
	u32 *notices = (u32 *)l->notices;
	u32 head = l->notices_head;
	u64 one = 1;

	notices[head & (2 * l->capacity - 1)] = notice;
	/* Sequentially consistent against the supervisor, which first says that it
	 * sleeps and then looks for notices. */
	__atomic_store_n(&l->notices_head, head + 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&l->watcher_sleeping, __ATOMIC_SEQ_CST))
		SYS3(NR_write, l->wake, &one, sizeof one);
}

/* Takes a slot from the queue. Returns 0 where its owner has taken it back. */
static int take(struct pp_launcher *l, struct pp_slot *slot, u32 index)
{
	u32 queued = PP_QUEUED;

	if (__atomic_compare_exchange_n(&slot->state, &queued, PP_LAUNCHING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return 1;
	pp_discard_slot(l, slot);
	notify(l, index);
	return 0;
}

/* The launches of one launcher that are under way. */
struct flights {
	struct flight each[PP_FLIGHTS];
	u32 count;
	u32 next; /* position of the first launch that was not taken */
};

/* Says how far all launches are over, and which has been under way longest. */
static struct flight *publish(struct pp_launcher *l, struct flights *fs)
{
	struct flight *oldest = 0;

	for (u32 i = 0; i < PP_FLIGHTS; i++)
		if (fs->each[i].taken && (!oldest || (i32)(fs->each[i].position - oldest->position) < 0))
			oldest = &fs->each[i];
	__atomic_store_n(&l->busy_slot, oldest ? oldest->index + 1 : 0, __ATOMIC_RELEASE);
	__atomic_store_n(&l->tail, oldest ? oldest->position : fs->next, __ATOMIC_RELEASE);
	return oldest;
}

static void begin(struct pp_launcher *l, struct flights *fs, u32 index, int alone)
{
	struct pp_slot *slot = (struct pp_slot *)l->slots + index;
	struct flight *f = fs->each;

	while (f->taken)
		f++;
	f->index = index;
	f->position = fs->next++;
	f->stack_top = l->stack_top - (u64)(f - fs->each) * PP_STACK_SIZE;
	if (!take(l, slot, index)) {
		publish(l, fs);
		return;
	}
	f->taken = 1;
	fs->count++;
	f->wanted = slot->notify;
	publish(l, fs);
	if (f->wanted & PP_NOTIFY_BEGIN)
		notify(l, index);
	pp_begin_launch(l, f, slot, alone, 1);
}

/* Ends those launches whose children have left our memory. */
static void finish(struct pp_launcher *l, struct flights *fs)
{
	for (u32 i = 0; i < PP_FLIGHTS; i++) {
		struct flight *f = &fs->each[i];
		if (!f->taken || __atomic_load_n(&f->under_way, __ATOMIC_ACQUIRE))
			continue;
		u32 failed = pp_finish_launch(l, f);
		f->taken = 0;
		fs->count--;
		if ((f->wanted & PP_NOTIFY_END) || failed)
			notify(l, f->index | PP_NOTICE_END);
		publish(l, fs);
	}
}

/* Until a child has left our memory: the oldest one, most likely. Others are
 * looked at now and then, as that one may be held up. The kernel's wake-up is
 * one for shared futexes. */
static void wait_for_one(struct pp_launcher *l, struct flights *fs)
{
	struct flight *oldest = publish(l, fs);
	i64 a_while[2] = { 0, PP_LOOK_NS };

	SYS4(NR_futex, &oldest->under_way, FUTEX_WAIT, 1, a_while);
}

/* Whether the next launch has to be made by another process than this one. */
static int elsewhere(struct pp_launcher *l, struct pp_spec *spec)
{
	u32 id = spec->join_pid >= 0 ? spec->join_pid_id : 0;

	if (l->deputy)
		return id != l->deputy;
	if (id && !l->needs_deputy && pp_enter_pid_namespace(l, spec) == -EPERM)
		l->needs_deputy = 1;
	return id && l->needs_deputy;
}

/* Launches what the queue holds, until it is to stop or meets a launch that is
 * not its own to make; then nothing is under way. Several children are between
 * clone and exec together: while the kernel works on one, this process starts the
 * next, and does not sleep after each. */
static void work(struct pp_launcher *l, struct flights *fs)
{
	for (;;) {
		finish(l, fs);
		u32 head = __atomic_load_n(&l->head, __ATOMIC_ACQUIRE);
		if (head != fs->next && fs->count < PP_FLIGHTS) {
			u32 index = ((u32 *)l->queue)[fs->next & (l->capacity - 1)];
			struct pp_slot *slot = (struct pp_slot *)l->slots + index;
			int away = elsewhere(l, (struct pp_spec *)slot->spec);
			/* With nothing else to start, sleeping until exec is the shortest way. */
			int alone = (fs->count == 0 && head == fs->next + 1) || pp_launches_alone(l, slot);
			if (away && fs->count == 0)
				return;
			if (!away && (!alone || fs->count == 0)) {
				begin(l, fs, index, alone);
				continue;
			}
		}
		if (fs->count > 0) {
			wait_for_one(l, fs);
			continue;
		}
		if (__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
			return;
		__atomic_store_n(&l->sleeping, 1, __ATOMIC_SEQ_CST);
		/* Who adds a launch or says stop sets it to 0 before waking: one that comes
		 * between this look and the wait is not slept through. */
		if (__atomic_load_n(&l->head, __ATOMIC_SEQ_CST) == head && !__atomic_load_n(&l->stop, __ATOMIC_SEQ_CST))
			SYS4(NR_futex, &l->sleeping, FUTEX_WAIT_PRIVATE, 1, 0);
		__atomic_store_n(&l->sleeping, 0, __ATOMIC_SEQ_CST);
	}
}

struct deputy {
	struct pp_launcher *launcher;
	struct flights *flights;
	struct pp_spec *spec; /* of the launch that asks for it */
	long error;
};

/* Children are born in the pid namespace of whoever makes them, and an ordinary
 * user may enter one only after its user namespace, which no thread can. So
 * another process does the launcher's work meanwhile, in the same memory and with
 * the same fds. Its working directory, umask and limits are those of the moment
 * at which it began. */
static _Noreturn void deputy_main(void *arg)
{
	struct deputy *d = arg;
	struct pp_launcher *l = d->launcher;
	long r = SYS2(NR_setns, d->spec->join_user, CLONE_NEWUSER);

	if (r >= 0)
		r = SYS2(NR_setns, d->spec->join_pid, CLONE_NEWPID);
	/* After the credentials have changed, which clears it. */
	if (r >= 0)
		r = SYS2(NR_prctl, PR_SET_PDEATHSIG, SIGKILL);
	d->error = r < 0 ? r : 0;
	if (r >= 0 && SYS0(NR_getppid) == l->pid) {
		l->deputy = d->spec->join_pid_id;
		work(l, d->flights);
	}
	for (;;)
		SYS1(NR_exit, 0);
}

/* For a launch that cannot even begin. */
static void refuse(struct pp_launcher *l, struct flights *fs, u32 index, long error)
{
	struct pp_slot *slot = (struct pp_slot *)l->slots + index;
	struct flight *f = fs->each;

	f->index = index;
	f->position = fs->next++;
	if (take(l, slot, index)) {
		f->start = (struct start){ .slot = slot, .spec = (struct pp_spec *)slot->spec };
		f->pid = error;
		slot->pidfd = -1;
		slot->stage = PP_STAGE_SETNS;
		slot->detail = 0;
		pp_finish_launch(l, f);
		notify(l, index | PP_NOTICE_END);
	}
	publish(l, fs);
}

static void deputize(struct pp_launcher *l, struct flights *fs)
{
	u32 index = ((u32 *)l->queue)[fs->next & (l->capacity - 1)];
	struct pp_slot *slot = (struct pp_slot *)l->slots + index;
	struct deputy d = { l, fs, (struct pp_spec *)slot->spec, 0 };
	u64 stack_top = l->stack_top - PP_FLIGHTS * PP_STACK_SIZE;
	long pid;

	pp_leave_pid_namespace(l);
	pid = pp_run_deputy(stack_top, deputy_main, &d);
	l->deputy = 0;
	if (pid < 0 || d.error < 0)
		refuse(l, fs, index, pid < 0 ? pid : d.error);
}

/* A pthread's start routine. */
void *pp_launcher_main(struct pp_launcher *l)
{
	/* Signals sent to the process go to threads that have handlers for them;
	 * 32 to 34 stay open for libc's own use (setuid on all threads). */
	u64 mask = PP_ALL_BUT_SIGCHLD & ~(7ULL << 31);
	SYS4(NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
	l->pid = (i32)SYS0(NR_getpid);

	struct flights fs = { .next = l->tail };
	for (;;) {
		work(l, &fs);
		if (fs.next == __atomic_load_n(&l->head, __ATOMIC_ACQUIRE) && __atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
			break;
		deputize(l, &fs);
	}
	pp_leave_pid_namespace(l);
	return 0;
}

/* A launch on the calling thread, which waits until exec. The pidfd is in the
 * launcher's epoll set when it returns 0. The launcher thread must not run. Not
 * for what only a deputy can launch: -EPERM. */
long pp_launch(struct pp_launcher *l, u32 index)
{
	struct pp_slot *slot = (struct pp_slot *)l->slots + index;
	struct flight f = { .index = index, .stack_top = l->stack_top };

	l->pid = (i32)SYS0(NR_getpid);
	slot->state = PP_LAUNCHING;
	pp_begin_launch(l, &f, slot, 1, 0);
	/* The calling thread could create no threads otherwise. */
	pp_leave_pid_namespace(l);
	return pp_finish_launch(l, &f) == PP_STAGE_NONE ? 0 : -(long)slot->error;
}

/* Any system call, for TypeScript: -errno comes back as it is. */
long pp_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	return sys6(nr, a, b, c, d, e, f);
}

#define OFFSET(type, field) ((u32)__builtin_offsetof(struct type, field))

static const u32 layout[] = {
	PP_ABI,
	sizeof(struct pp_spec), sizeof(struct pp_fd), sizeof(struct pp_slot), sizeof(struct pp_launcher),
	OFFSET(pp_slot, spec), OFFSET(pp_slot, started_ns), OFFSET(pp_slot, typescript),
	OFFSET(pp_launcher, tail), OFFSET(pp_launcher, notices_head), OFFSET(pp_launcher, notices_tail),
	OFFSET(pp_launcher, capacity), OFFSET(pp_launcher, reserved), OFFSET(pp_launcher, queue),
	OFFSET(pp_spec, cwd), OFFSET(pp_spec, pdeathsig),
	PP_STACK_SIZE * PP_STACKS,
	OFFSET(pp_slot, ran), OFFSET(pp_slot, detail), OFFSET(pp_launcher, own_pid_namespace),
	OFFSET(pp_spec, cloned), OFFSET(pp_spec, join_user), OFFSET(pp_spec, cgroup),
	OFFSET(pp_spec, mountc), OFFSET(pp_spec, filter), OFFSET(pp_spec, capabilities), OFFSET(pp_spec, scoped),
	sizeof(struct pp_mount), sizeof(struct pp_limit), sizeof(struct pp_rule),
	OFFSET(pp_launcher, needs_deputy), OFFSET(pp_spec, pidc),
};

/* The numbers that ../layout.ts must agree with, one by one; -1 past the end. */
long pp_layout(u32 i)
{
	return i < sizeof layout / sizeof *layout ? (long)layout[i] : -1;
}
