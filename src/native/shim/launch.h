#ifndef PIDPOOL_LAUNCH_H
#define PIDPOOL_LAUNCH_H

/* The child needs a few hundred bytes until exec. */
#define PP_STACK_SIZE 32768UL
/* Children of one launcher that may be between clone and exec together. */
#define PP_FLIGHTS 4
#define PP_COPIED_FDS 64
/* Copying this many fds costs less than lending one. */
#define PP_LOW_FDS 64
/* How long one held up in exec keeps others from being seen. */
#define PP_LOOK_NS 1000000LL
#define PP_IGNORED_NS 10000000ULL

/* The kernel drops a SIGCHLD that nobody handles, unless the parent's thread
 * blocks it: then it wakes another thread of the process, Node's main thread,
 * for nothing, at every exit. */
#define PP_ALL_BUT_SIGCHLD (~(1ULL << 16))

struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	u64 mask;
};

/* What the parent prepares for the child. */
struct start {
	struct pp_slot *slot;
	struct pp_spec *spec;
	u32 low;  /* every source fd is below it */
	u32 lent; /* how many of them are the launcher's reserved ones */
	int masked; /* the calling thread blocks all signals that have handlers */
	u64 reset; /* signals whose disposition may not be the default in the child */
	long parent;
};

/* A child between clone and exec. */
struct flight {
	struct start start; /* read by the child */
	u32 under_way; /* the kernel sets it to 0 and wakes waiters when the child leaves our memory */
	u32 position;  /* in the queue */
	u32 index;     /* of its slot */
	u32 wanted;    /* enum pp_notify */
	u32 taken;     /* this structure is in use */
	u64 stack_top;
	long pid; /* or -errno */
};

static inline void *at(struct pp_spec *spec, u32 offset)
{
	return (char *)spec + offset;
}

void pp_child_main(void *start);
int pp_launches_alone(struct pp_launcher *l, struct pp_slot *slot);
void pp_begin_launch(struct pp_launcher *l, struct flight *f, struct pp_slot *slot, int alone, int masked);
u32 pp_finish_launch(struct pp_launcher *l, struct flight *f);
void pp_discard_slot(struct pp_launcher *l, struct pp_slot *slot);

#endif
