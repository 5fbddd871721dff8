/* The thread that launches, and the shim's exports.
 *
 * PR_SET_PDEATHSIG belongs to the thread that created a child. A JavaScript
 * worker can die of an exception or of its heap limit; this thread runs no
 * JavaScript and ends only when its pool does or with the whole process. So
 * children die with Node, and not with a supervisor. It also takes the wait for
 * exec away from every thread that runs JavaScript. */
#include "pidpool.h"
#include "launch.h"

#define EXPORT __attribute__((visibility("default")))
#define FUTEX_WAIT_PRIVATE 128
#define SIG_SETMASK 2

/* The compiler may call these even in freestanding code. */
__attribute__((visibility("hidden"))) void *memcpy(void *to, const void *from, unsigned long n)
{
	char *t = to;
	const char *f = from;
	while (n--)
		*t++ = *f++;
	return to;
}

__attribute__((visibility("hidden"))) void *memset(void *to, int c, unsigned long n)
{
	char *t = to;
	while (n--)
		*t++ = (char)c;
	return to;
}

static void notify(struct pp_launcher *l, u32 index)
{
	u32 *notices = (u32 *)l->notices;
	u32 head = l->notices_head;
	u64 one = 1;

	notices[head & (2 * l->capacity - 1)] = index;
	/* Sequentially consistent against the supervisor, which first says that it
	 * sleeps and then looks for notices. */
	__atomic_store_n(&l->notices_head, head + 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&l->watcher_sleeping, __ATOMIC_SEQ_CST))
		SYS3(NR_write, l->wake, &one, sizeof one);
}

static void take(struct pp_launcher *l, u32 index)
{
	struct pp_slot *slot = (struct pp_slot *)l->slots + index;
	u32 queued = PP_QUEUED;

	if (!__atomic_compare_exchange_n(&slot->state, &queued, PP_LAUNCHING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		pp_discard_slot(l, slot); /* cancelled by its owner */
		notify(l, index);
		return;
	}
	u32 wanted = slot->notify;
	if (wanted & PP_NOTIFY_BEGIN)
		notify(l, index);
	__atomic_store_n(&l->busy_slot, index + 1, __ATOMIC_RELEASE);
	u32 failed = pp_launch_slot(l, slot, 1);
	__atomic_store_n(&l->busy_slot, 0, __ATOMIC_RELEASE);
	if ((wanted & PP_NOTIFY_END) || failed)
		notify(l, index);
}

/* A pthread's start routine. */
EXPORT void *pp_launcher_main(struct pp_launcher *l)
{
	/* Signals sent to the process go to threads that have handlers for them;
	 * 32 to 34 stay open for libc's own use (setuid on all threads). */
	u64 mask = PP_ALL_BUT_SIGCHLD & ~(7ULL << 31);
	SYS4(NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);

	l->pid = (i32)SYS0(NR_getpid);
	u32 tail = l->tail;
	for (;;) {
		u32 head = __atomic_load_n(&l->head, __ATOMIC_ACQUIRE);
		if (head != tail) {
			take(l, ((u32 *)l->queue)[tail & (l->capacity - 1)]);
			__atomic_store_n(&l->tail, ++tail, __ATOMIC_RELEASE);
			continue;
		}
		if (__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
			return 0;
		__atomic_store_n(&l->sleeping, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&l->head, __ATOMIC_SEQ_CST) == head && !__atomic_load_n(&l->stop, __ATOMIC_SEQ_CST))
			SYS4(NR_futex, &l->head, FUTEX_WAIT_PRIVATE, head, 0);
		__atomic_store_n(&l->sleeping, 0, __ATOMIC_SEQ_CST);
	}
}

/* A launch on the calling thread, which waits until exec. The pidfd is in the
 * launcher's epoll set when it returns 0. The launcher thread must not run. */
EXPORT long pp_launch(struct pp_launcher *l, u32 index)
{
	struct pp_slot *slot = (struct pp_slot *)l->slots + index;
	slot->state = PP_LAUNCHING;
	l->pid = (i32)SYS0(NR_getpid);
	return pp_launch_slot(l, slot, 0) == PP_STAGE_NONE ? 0 : -(long)slot->error;
}

/* Any system call, for TypeScript: -errno comes back as it is. */
EXPORT long pp_syscall(long nr, long a, long b, long c, long d, long e, long f)
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
	PP_STACK_SIZE,
};

/* The numbers that ../layout.ts must agree with, one by one; -1 past the end. */
EXPORT long pp_layout(u32 i)
{
	return i < sizeof layout / sizeof *layout ? (long)layout[i] : -1;
}
