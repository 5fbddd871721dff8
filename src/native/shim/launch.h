#ifndef PIDPOOL_LAUNCH_H
#define PIDPOOL_LAUNCH_H

/* The child needs a few hundred bytes until exec. */
#define PP_STACK_SIZE 32768UL
/* Children of one launcher that may be between clone and exec together. */
#define PP_FLIGHTS 4
/* Theirs, and a deputy's. */
#define PP_STACKS (PP_FLIGHTS + 1)
#define PP_COPIED_FDS 64
/* Copying this many fds costs less than lending one. */
#define PP_LOW_FDS 64
/* How long one held up in exec keeps others from being seen. */
#define SIGKILL 9
#define SIG_SETMASK 2
#define PR_SET_PDEATHSIG 1
#define O_CLOEXEC 02000000
#define AT_FDCWD -100
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define CLONE_NEWUSER 0x10000000U
#define CLONE_NEWPID 0x20000000U
#define CLONE_NEWNET 0x40000000U
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

/* Where a launch failed. */
struct failure {
	u32 stage, detail;
	long error;
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
	int deputy; /* the child is born in the user namespace that it was to enter */
	/* Where the kernel writes it, and not into the slot: it does so before the last
	 * checks of a clone, and leaves it there, the number of no fd, when they fail. */
	i32 pidfd;
	u32 mapped; /* a futex: 1 once the parent has done its part for a new user namespace, */
	struct failure outside; /* or has failed to */
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

_Noreturn void pp_child_main(void *start);
long pp_set_priorities(struct pp_spec *spec, long pid, struct failure *failure);
_Noreturn void pp_fail(struct start *s, u32 stage, long error, u32 detail);

/* namespaces.c, in the child */
void pp_enter_namespaces(struct start *s);
void pp_arrange_network(struct start *s);
void pp_arrange_mounts(struct start *s);
/* namespaces.c, in the parent */
long pp_write_id_maps(struct pp_spec *spec, long pid);
long pp_enter_pid_namespace(struct pp_launcher *l, struct pp_spec *spec);
void pp_leave_pid_namespace(struct pp_launcher *l);

/* restrict.c, in the child */
long pp_set_limits(struct pp_spec *spec, long pid, int early, u32 *detail);
void pp_prepare_capabilities(struct start *s);
void pp_set_capabilities(struct start *s);
long pp_make_ruleset(struct start *s);
void pp_lock(struct start *s, long ruleset);
void pp_filter(struct start *s);

int pp_launches_alone(struct pp_launcher *l, struct pp_slot *slot);
void pp_begin_launch(struct pp_launcher *l, struct flight *f, struct pp_slot *slot, int alone, int masked);
u32 pp_finish_launch(struct pp_launcher *l, struct flight *f);
long pp_run_deputy(u64 stack_top, void (*main)(void *), void *arg);
void pp_discard_slot(struct pp_launcher *l, struct pp_slot *slot);

#endif
