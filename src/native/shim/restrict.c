/* What a child gives up before its program runs: limits, capabilities, files
 * and ports (Landlock), system calls (seccomp). Raw system calls only, as
 * child.c says. */
#include "pidpool.h"
#include "launch.h"

#define RLIMIT_NOFILE 7
#define PR_SET_KEEPCAPS 8
#define PR_CAPBSET_DROP 24
#define PR_SET_NO_NEW_PRIVS 38
#define PR_SET_SECUREBITS 28
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#define CAPABILITY_VERSION_3 0x20080522
#define SECBIT_NOROOT_AND_LOCKED 3
#define LANDLOCK_RULE_PATH_BENEATH 1
#define LANDLOCK_RULE_NET_PORT 2
/* Execute, write, read, truncate, ioctl: what a ruleset may say of a file that is no directory. */
#define LANDLOCK_OF_FILES (1ULL | 2 | 4 | 1 << 14 | 1 << 15)
#define SECCOMP_SET_MODE_FILTER 1
#define O_PATH 010000000

enum { EINVAL = 22 };

/* Early, while the child still has the parent's rights to raise a limit; that on
 * open files later, when all have been opened. */
long pp_set_limits(struct pp_spec *spec, long pid, int early, u32 *detail)
{
	struct pp_limit *limits = at(spec, spec->limits);

	for (u32 i = 0; i < spec->limitc; i++) {
		if ((limits[i].resource != RLIMIT_NOFILE) != early)
			continue;
		long r = SYS4(NR_prlimit64, pid, limits[i].resource, &limits[i].soft, 0);
		if (r < 0) {
			*detail = i;
			return r;
		}
	}
	return 0;
}

/* Before the credentials change, which takes capabilities along. */
void pp_prepare_capabilities(struct start *s)
{
	struct pp_spec *spec = s->spec;

	if (spec->flags & PP_BOUNDING)
		for (u32 cap = 0; cap < 64; cap++) {
			long r = spec->capabilities >> cap & 1 ? 0 : SYS2(NR_prctl, PR_CAPBSET_DROP, cap);
			if (r == -EINVAL)
				break; /* the kernel's last one was before it */
			if (r < 0)
				pp_fail(s, PP_STAGE_CAPABILITIES, r, cap);
		}
	if (spec->capabilities && spec->flags & PP_SETUID)
		SYS2(NR_prctl, PR_SET_KEEPCAPS, 1);
}

/* They end with the exec, not before it: until then this process has the
 * launching process's memory, which a sibling in the same user namespace could
 * open if it had no less than this one is permitted. What exec leaves are the
 * ambient ones; that the user is root shall add none. */
void pp_set_capabilities(struct start *s)
{
	struct pp_spec *spec = s->spec;
	struct {
		u32 version;
		i32 pid;
	} header = { CAPABILITY_VERSION_3, 0 };
	struct {
		u32 effective, permitted, inheritable;
	} data[2] = { 0 };
	int fresh = spec->join_user >= 0 || (spec->cloned & CLONE_NEWUSER);
	long r;

	if (!(spec->flags & PP_CAPABILITIES))
		return;
	/* Who has just entered a user namespace has nothing that is inheritable or
	 * ambient: exec takes all from an ordinary user, and from root so told. */
	if (fresh && !spec->capabilities &&
	    ((SYS0(NR_getuid) != 0 && SYS0(NR_geteuid) != 0) ||
	     SYS2(NR_prctl, PR_SET_SECUREBITS, SECBIT_NOROOT_AND_LOCKED) >= 0))
		return;
	r = SYS2(NR_capget, &header, data);
	if (r < 0)
		pp_fail(s, PP_STAGE_CAPABILITIES, r, 64);
	/* Without CAP_SETPCAP, which root may lack and others need not have. */
	int plain = SYS2(NR_prctl, PR_SET_SECUREBITS, SECBIT_NOROOT_AND_LOCKED) < 0;
	for (u32 i = 0; i < 2; i++) {
		u32 kept = (u32)(spec->capabilities >> 32 * i);
		data[i].effective = data[i].inheritable = kept & data[i].permitted;
		if (plain)
			data[i].permitted &= kept;
	}
	r = SYS2(NR_capset, &header, data);
	if (r < 0)
		pp_fail(s, PP_STAGE_CAPABILITIES, r, 64);
	for (u64 left = spec->capabilities; left; left &= left - 1) {
		u32 cap = (u32)__builtin_ctzll(left);
		r = SYS5(NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
		if (r < 0)
			pp_fail(s, PP_STAGE_CAPABILITIES, r, cap);
	}
}

static long add_rule(struct pp_spec *spec, long ruleset, struct pp_rule *rule)
{
	struct {
		u64 access, port;
	} port = { rule->access, rule->port };

	if (!rule->path)
		return SYS4(NR_landlock_add_rule, ruleset, LANDLOCK_RULE_NET_PORT, &port, 0);
	long fd = SYS4(NR_openat, AT_FDCWD, at(spec, rule->path), O_PATH | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	struct {
		u64 access;
		i32 parent;
	} __attribute__((packed)) beneath = { rule->access, (i32)fd };
	long r = SYS4(NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	if (r == -EINVAL) {
		beneath.access &= LANDLOCK_OF_FILES;
		r = SYS4(NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	}
	SYS1(NR_close, fd);
	return r;
}

/* The fd of the ruleset that pp_lock() is to enforce, -1 for none. */
long pp_make_ruleset(struct start *s)
{
	struct pp_spec *spec = s->spec;
	struct pp_rule *rules = at(spec, spec->rules);

	if (!(spec->flags & PP_LANDLOCK))
		return -1;
	/* detail 0 is the ruleset, i + 1 is rule i. A kernel that knows fewer fields
	 * takes those that are 0. */
	long ruleset = SYS3(NR_landlock_create_ruleset, &spec->handled_files, 3 * sizeof(u64), 0);
	if (ruleset < 0)
		pp_fail(s, PP_STAGE_LANDLOCK, ruleset, 0);
	for (u32 i = 0; i < spec->rulec; i++) {
		long r = add_rule(spec, ruleset, &rules[i]);
		if (r < 0)
			pp_fail(s, PP_STAGE_LANDLOCK, r, i + 1);
	}
	return ruleset;
}

/* No new privileges, then only the files and ports that the rules name. */
void pp_lock(struct start *s, long ruleset)
{
	struct pp_spec *spec = s->spec;
	long r;

	if (spec->flags & PP_NO_NEW_PRIVS) {
		r = SYS5(NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (r < 0)
			pp_fail(s, PP_STAGE_NO_NEW_PRIVS, r, 0);
	}
	if (ruleset < 0)
		return;
	r = SYS2(NR_landlock_restrict_self, ruleset, 0);
	if (r < 0)
		pp_fail(s, PP_STAGE_LANDLOCK, r, 0);
	SYS1(NR_close, ruleset);
}

/* The very last: the filter may refuse everything that child.c does but execve
 * and exit_group. */
void pp_filter(struct start *s)
{
	struct pp_spec *spec = s->spec;
	struct {
		unsigned short length;
		void *filter;
	} program = { (unsigned short)spec->filterc, at(spec, spec->filter) };

	if (!spec->filterc)
		return;
	long r = SYS3(NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
	if (r < 0)
		pp_fail(s, PP_STAGE_SECCOMP, r, 0);
}
