#ifndef PIDPOOL_LAUNCH_H
#define PIDPOOL_LAUNCH_H

/* The child needs a few hundred bytes until exec. */
#define PP_STACK_SIZE 32768UL
/* Copying this many fds costs less than lending one. */
#define PP_LOW_FDS 64

/* What the parent prepares for the child. */
struct start {
	struct pp_slot *slot;
	struct pp_spec *spec;
	u32 low;  /* every source fd is below it */
	u32 lent; /* how many of them are the launcher's reserved ones */
	long parent;
};

static inline void *at(struct pp_spec *spec, u32 offset)
{
	return (char *)spec + offset;
}

void pp_child_main(void *start);
u32 pp_launch_slot(struct pp_launcher *l, struct pp_slot *slot);
void pp_discard_slot(struct pp_launcher *l, struct pp_slot *slot);

#endif
