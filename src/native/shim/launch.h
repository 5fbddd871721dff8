#ifndef PIDPOOL_LAUNCH_H
#define PIDPOOL_LAUNCH_H

/* The child needs a few hundred bytes until exec. */
#define PP_STACK_SIZE 32768UL
#define PP_COPIED_FDS 64
/* Copying this many fds costs less than lending one. */
#define PP_LOW_FDS 64
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

static inline void *at(struct pp_spec *spec, u32 offset)
{
	return (char *)spec + offset;
}

void pp_child_main(void *start);
u32 pp_launch_slot(struct pp_launcher *l, struct pp_slot *slot, int masked);
void pp_discard_slot(struct pp_launcher *l, struct pp_slot *slot);

#endif
