/* Namespaces: those the child enters or makes, and the parent's part in it. */
#include "pidpool.h"
#include "launch.h"

#define O_WRONLY 1
#define AT_RECURSIVE 0x8000
#define AF_INET 2
#define SOCK_DGRAM 2
#define SIOCSIFFLAGS 0x8914
#define IFF_UP 1

enum { ETIMEDOUT = 110 };

/* ---- in the child: raw system calls only, as child.c says */

void pp_arrange_network(struct start *s)
{
	if (!(s->spec->flags & PP_LOOPBACK))
		return;
	/* struct ifreq: a name of 16 bytes, then flags. */
	struct {
		char name[16];
		short flags;
		char rest[22];
	} request = { .name = "lo", .flags = IFF_UP };
	long fd = SYS3(NR_socket, AF_INET, SOCK_DGRAM | O_CLOEXEC, 0);
	long r = fd < 0 ? fd : SYS3(NR_ioctl, fd, SIOCSIFFLAGS, &request);

	if (r < 0)
		pp_fail(s, PP_STAGE_LOOPBACK, r, 0);
	SYS1(NR_close, fd);
}

/* A parent that is killed before it has mapped the ids leaves nobody who could
 * wake this child. In a new pid namespace it cannot be seen whether that has
 * happened before prctl: so not for ever. */
static void await_maps(struct start *s)
{
	i64 patience[2] = { 10, 0 };

	SYS2(NR_prctl, PR_SET_PDEATHSIG, SIGKILL);
	while (!__atomic_load_n(&s->mapped, __ATOMIC_ACQUIRE))
		if (SYS4(NR_futex, &s->mapped, FUTEX_WAIT, 0, patience) == -ETIMEDOUT)
			pp_fail(s, PP_STAGE_UID_MAP, -ETIMEDOUT, 0);
	SYS2(NR_prctl, PR_SET_PDEATHSIG, 0);
	if (s->outside.error < 0)
		pp_fail(s, s->outside.stage, s->outside.error, s->outside.detail);
}

void pp_enter_namespaces(struct start *s)
{
	struct pp_spec *spec = s->spec;
	long r;

	if (spec->cloned & CLONE_NEWUSER)
		await_maps(s);
	/* The user namespace comes first: it gives the right to the others. */
	r = 0;
	if (spec->join_user >= 0 && !s->deputy)
		r = SYS2(NR_setns, spec->join_user, CLONE_NEWUSER);
	if (r >= 0 && spec->join_network >= 0)
		r = SYS2(NR_setns, spec->join_network, CLONE_NEWNET);
	if (r < 0)
		pp_fail(s, PP_STAGE_SETNS, r, 0);
	if (spec->unshared) {
		r = SYS1(NR_unshare, spec->unshared);
		if (r < 0)
			pp_fail(s, PP_STAGE_UNSHARE, r, spec->unshared);
	}
}

void pp_arrange_mounts(struct start *s)
{
	struct pp_spec *spec = s->spec;
	struct pp_mount *mounts = at(spec, spec->mounts);
	long r;

	if (spec->hostname) {
		char *name = at(spec, spec->hostname);
		unsigned long length = 0;
		while (name[length])
			length++;
		r = SYS2(NR_sethostname, name, length);
		if (r < 0)
			pp_fail(s, PP_STAGE_HOSTNAME, r, 0);
	}
	for (u32 i = 0; i < spec->mountc; i++) {
		struct pp_mount *m = &mounts[i];
		struct {
			u64 set, clear, propagation, userns;
		} attributes = { .set = m->attributes & 0xffffffff, .clear = m->attributes >> 32 };
		void *source = m->source ? at(spec, m->source) : 0;
		void *type = m->type ? at(spec, m->type) : 0;
		void *data = m->data ? at(spec, m->data) : 0;
		if (m->attributes)
			r = SYS5(NR_mount_setattr, AT_FDCWD, at(spec, m->target), AT_RECURSIVE, &attributes, sizeof attributes);
		else
			r = SYS5(NR_mount, source, at(spec, m->target), type, m->flags, data);
		if (r < 0)
			pp_fail(s, PP_STAGE_MOUNT, r, i);
	}
}

/* ---- in the parent */

static char *put(char *to, const char *from)
{
	while (*from)
		*to++ = *from++;
	return to;
}

static char *put_number(char *to, u64 n)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = (char)('0' + n % 10);
	while (n /= 10);
	while (count)
		*to++ = digits[--count];
	return to;
}

static long write_proc(long pid, const char *file, const char *text)
{
	char path[64], *end = put(put_number(put(path, "/proc/"), (u64)pid), file);
	unsigned long length = 0;

	*end = 0;
	while (text[length])
		length++;
	long fd = SYS3(NR_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	long r = SYS3(NR_write, fd, text, length);
	SYS1(NR_close, fd);
	return r < 0 ? r : 0;
}

/* Maps the ids of a child's new user namespace: it may not do so itself where
 * they are more than its own. */
long pp_write_id_maps(struct pp_spec *spec, long pid)
{
	long r = write_proc(pid, "/uid_map", at(spec, spec->uid_map));

	if (r >= 0 && spec->flags & PP_DENY_SETGROUPS)
		r = write_proc(pid, "/setgroups", "deny");
	return r < 0 ? r : write_proc(pid, "/gid_map", at(spec, spec->gid_map));
}

/* Makes the calling thread's next children be born in the pid namespace that
 * the spec asks for; most launches find it so. A thread whose children are born
 * elsewhere can create no threads. -EPERM without CAP_SYS_ADMIN over both. */
long pp_enter_pid_namespace(struct pp_launcher *l, struct pp_spec *spec)
{
	u32 wanted = spec->join_pid >= 0 ? spec->join_pid_id : 0;
	i32 fd = wanted ? spec->join_pid : l->own_pid_namespace;

	if (l->deputy || wanted == l->pid_namespace)
		return 0;
	if (l->own_pid_namespace < 0) {
		long own = SYS3(NR_openat, AT_FDCWD, "/proc/thread-self/ns/pid", O_CLOEXEC);
		if (own < 0)
			return own;
		/* Root of a user namespace may enter what is beneath it, and could not
		 * come back: it has no rights over the pid namespace it is in. */
		long back = SYS2(NR_setns, own, CLONE_NEWPID);
		if (back < 0) {
			SYS1(NR_close, own);
			return back;
		}
		l->own_pid_namespace = (i32)own;
	}
	long r = SYS2(NR_setns, fd, CLONE_NEWPID);
	if (r >= 0)
		l->pid_namespace = wanted;
	return r;
}

void pp_leave_pid_namespace(struct pp_launcher *l)
{
	if (l->own_pid_namespace < 0)
		return;
	if (l->pid_namespace)
		SYS2(NR_setns, l->own_pid_namespace, CLONE_NEWPID);
	l->pid_namespace = 0;
	SYS1(NR_close, l->own_pid_namespace);
	l->own_pid_namespace = -1;
}
