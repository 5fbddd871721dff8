#ifndef PIDPOOL_LAUNCH_H
#define PIDPOOL_LAUNCH_H

/* The child needs a few hundred bytes until exec. */
#define PP_STACK_SIZE 32768UL
/* Copying this many fds costs less than lending one. */
#define PP_LOW_FDS 64

u32 pp_launch_slot(struct pp_launcher *l, struct pp_slot *slot);
void pp_discard_slot(struct pp_launcher *l, struct pp_slot *slot);

#endif
