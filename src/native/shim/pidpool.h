/* The memory that the shim shares with TypeScript. ../layout.ts holds the same
 * offsets; pp_layout() lets it compare them when the library is loaded.
 *
 * Specs are trusted: whoever can write this memory is the process itself. The
 * shim relies on what test/shim/contract.c says of them, and checks nothing.
 *
 * Convention of every exported function: >= 0 or -errno, outputs untouched on
 * failure. */
#ifndef PIDPOOL_H
#define PIDPOOL_H

#include "arch.h"

#define PP_ABI 8

/* Who may change a slot's state: its owner (the thread that uses the pool)
 * FREE -> QUEUED -> CANCELLED, and an end -> FREE; the launcher QUEUED ->
 * LAUNCHING -> RUNNING or FAILING -> FAILED; the supervisor RUNNING -> EXITED.
 * SIGNALING is a lock on the pidfd: whoever sends a signal turns LAUNCHING or
 * RUNNING into it and back, and whoever means to close the pidfd waits. */
enum pp_state {
	PP_FREE, PP_QUEUED, PP_LAUNCHING, PP_RUNNING, PP_SIGNALING,
	PP_EXITED, PP_FAILED, PP_CANCELLED, PP_FAILING,
};

/* Where a launch failed. ../stages.ts has the names, in this order. */
enum pp_stage {
	PP_STAGE_NONE, PP_STAGE_CLONE, PP_STAGE_FILES, PP_STAGE_SESSION,
	PP_STAGE_NICE, PP_STAGE_CHDIR, PP_STAGE_OPEN, PP_STAGE_DUP,
	PP_STAGE_SETGROUPS, PP_STAGE_SETGID, PP_STAGE_SETUID,
	PP_STAGE_PDEATHSIG, PP_STAGE_EXECVE, PP_STAGE_WATCH,
	PP_STAGE_UID_MAP, PP_STAGE_SETNS, PP_STAGE_UNSHARE, PP_STAGE_MOUNT,
	PP_STAGE_HOSTNAME, PP_STAGE_LOOPBACK, PP_STAGE_RLIMIT, PP_STAGE_CAPABILITIES,
	PP_STAGE_NO_NEW_PRIVS, PP_STAGE_LANDLOCK, PP_STAGE_SECCOMP,
};

enum pp_flags {
	PP_SETSID = 1, PP_SETPGID = 2, PP_UMASK = 4, PP_NICE = 8,
	PP_SETGROUPS = 16, PP_SETGID = 32, PP_SETUID = 64, PP_PDEATHSIG = 128,
	PP_NO_NEW_PRIVS = 256, PP_CAPABILITIES = 512, PP_BOUNDING = 1024,
	PP_DENY_SETGROUPS = 2048, PP_LOOPBACK = 4096, PP_LANDLOCK = 8192,
};

enum pp_notify {
	PP_NOTIFY_BEGIN = 1, /* that the launch begins: it may never reach exec */
	PP_NOTIFY_END = 2,   /* that the program runs */
};

/* A notice is the index of a slot, with this bit where its launch is over. A
 * slot is RUNNING a moment before that: its child may turn out not to be watched. */
#define PP_NOTICE_END 0x80000000U

#define PP_DEVNULL -2

/* One fd of the child. source >= 0 is duplicated, PP_DEVNULL stands for the
 * launcher's own /dev/null; otherwise path is opened. */
struct pp_fd {
	i32 target;
	i32 source;
	i32 handed; /* the parent's fd that this launch consumes, or -1 */
	u32 path;   /* offset of a string, 0 for none */
	i32 flags;
	u32 mode;
};

/* One mount(2), or mount_setattr(2) on a whole tree where attributes are given:
 * those to set, and in the upper half those to clear. Strings by offset, 0 for
 * none. */
struct pp_mount {
	u32 source, target, type, data;
	u64 flags;
	u64 attributes;
};

/* One prlimit(2) of the child. */
struct pp_limit {
	u64 resource, soft, hard;
};

/* One rule of the child's Landlock ruleset: what is allowed beneath a path, or
 * at a TCP port where there is no path. */
struct pp_rule {
	u64 access, port;
	u32 path, pad;
};

/* What to start: a header, then tables and strings it points to by offsets
 * from its own start. One copy serves one launch: the shim turns the argv and
 * envp tables into pointers in place. Targets of fds ascend, all different. */
struct pp_spec {
	u32 size, flags;
	u32 argc, argv;   /* table of argc + 1 u64, the last 0 */
	u32 envc, envp;   /* likewise */
	u32 pathc, paths; /* table of u32: what to try with execve, in order */
	u32 fdc, fds;     /* table of struct pp_fd */
	u32 groupc, groups;
	u32 cwd;
	u32 uid, gid, umask;
	i32 nice;
	u32 pdeathsig;

	u32 cloned;   /* CLONE_NEW*: namespaces that the clone makes, */
	u32 unshared; /* and that the child makes once it is in all others */
	u32 uid_map, gid_map; /* for a cloned user namespace: what the parent writes */
	/* Namespaces to enter, and the cgroup to be born in: fds of the parent, -1
	 * for none. A pid namespace is entered by the launcher, and remembered by
	 * its id. */
	i32 join_user, join_network, join_pid;
	u32 join_pid_id;
	i32 cgroup;
	u32 hostname;
	u32 mountc, mounts; /* table of struct pp_mount */
	u32 limitc, limits; /* table of struct pp_limit */
	u32 rulec, rules;   /* table of struct pp_rule */
	u32 filterc, filter; /* seccomp: table of struct sock_filter, 8 bytes each */
	u64 capabilities;   /* what the child keeps */
	u64 handled_files, handled_ports, scoped; /* struct landlock_ruleset_attr */
	u32 pidc, pids; /* table of u32: strings that the child fills with its own pid */
};

/* One child, from the wish to the report. 56 bytes are the shim's, the rest
 * TypeScript's, and it is here rather than in some thread's heap so that a
 * supervisor that dies takes nothing along. */
struct pp_slot {
	u32 state;
	u32 generation;
	i32 pid;
	i32 pidfd;
	u32 stage;
	i32 error;
	u32 notify; /* PP_NOTIFY_*: what the supervisor hears beside the exit */
	u32 typescript_too; /* peak RSS of this process at the exit */
	u64 spec;  /* address */
	u64 token; /* epoll's data for the pidfd */
	u64 started_ns;
	unsigned char typescript[168];
	u32 ran; /* 1 once exec has succeeded */
	u32 detail; /* which mount, limit, rule or namespace the stage failed at */
	unsigned char more_typescript[280];
};

#define PP_RESERVED 4

/* A launcher: a queue of slots, the fds it works with, and its notices. Head
 * and tail count for ever; entries are taken modulo capacity. */
struct pp_launcher {
	u32 head; /* written by the main thread */
	u32 pad0[15];
	u32 tail; /* written by the launcher: all before it are over, and their specs free */
	u32 sleeping; /* a futex: 1 while the launcher has nothing to do; who has something sets 0, then wakes */
	u32 stop;
	u32 busy_slot; /* slot + 1 of the child that has been longest between clone and exec, 0 for none */
	u32 pad1[12];
	u32 notices_head; /* written by the launcher */
	u32 pad2[15];
	u32 notices_tail; /* written by the supervisor */
	u32 watcher_sleeping;
	u32 pad3[14];
	u32 capacity; /* of the queue, a power of two; twice as many notices */
	u32 legacy;   /* clone3 said ENOSYS */
	i32 epoll, wake, devnull;
	i32 reserved[PP_RESERVED];
	i32 pid; /* of this process */
	u64 queue, notices, slots, stack_top; /* addresses */
	u32 pid_namespace; /* the id of the one that children are born into, 0 for the process's own */
	i32 own_pid_namespace; /* an fd of that, -1 until it is needed */
	u32 needs_deputy; /* this process may not enter pid namespaces itself */
	u32 deputy;       /* the id of the pid namespace that a deputy launches into right now */
	u64 ignored, ignored_at; /* the signals that this process ignores, and since when that is known */
};

/* What TypeScript calls; launcher.c says what each does. */
#define EXPORT __attribute__((visibility("default")))
EXPORT void *pp_launcher_main(struct pp_launcher *l);
EXPORT long pp_launch(struct pp_launcher *l, u32 index);
EXPORT long pp_syscall(long nr, long a, long b, long c, long d, long e, long f);
EXPORT long pp_layout(u32 i);

_Static_assert(sizeof(struct pp_slot) == 512, "slots lie side by side");
_Static_assert(__builtin_offsetof(struct pp_slot, typescript) == 56, "the shim's part of a slot");

#endif
