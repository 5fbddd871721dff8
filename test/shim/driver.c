/* The shim, compiled with sanitizers, against the real kernel: each feature of a
 * launch and a failure at each stage that can be made to fail, on the calling
 * thread, by the launcher thread, by legacy clone and by a deputy; then a crowd,
 * while another thread signals. Also tells whether specs are as the encoder
 * promises: driver --conforms FILE. */
#define _GNU_SOURCE
#include "contract.h"
#include "draft.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACKS 163840

enum { CAPACITY = 64, CROWD = 400 };
enum { ROOT = 1, NOT_LEGACY = 2 };

static struct {
	struct pp_launcher l;
	struct pp_slot slots[CAPACITY];
	u32 queue[CAPACITY], notices[2 * CAPACITY];
} *m;
static char *stacks;
static int failures, done;

static void setup(void)
{
	m = calloc(1, sizeof *m);
	stacks = aligned_alloc(4096, STACKS);
	m->l = (struct pp_launcher){
		.capacity = CAPACITY, .queue = (u64)m->queue, .notices = (u64)m->notices, .slots = (u64)m->slots,
		.stack_top = (u64)(stacks + STACKS), .own_pid_namespace = -1, .epoll = epoll_create1(EPOLL_CLOEXEC),
		.wake = eventfd(0, EFD_CLOEXEC), .devnull = open("/dev/null", O_RDWR | O_CLOEXEC),
	};
	for (int i = 0; i < PP_RESERVED; i++)
		m->l.reserved[i] = fcntl(m->l.devnull, F_DUPFD_CLOEXEC, 3);
}

static void tear_down(void)
{
	close(m->l.epoll);
	close(m->l.wake);
	close(m->l.devnull);
	for (int i = 0; i < PP_RESERVED; i++)
		close(m->l.reserved[i]);
	free(stacks);
	free(m);
}

static void fill(u32 slot, struct pp_spec *spec, u32 state)
{
	struct pp_slot *s = &m->slots[slot];
	s->spec = (u64)spec;
	s->token = (u64)++s->generation << 32 | slot;
	s->notify = PP_NOTIFY_BEGIN | PP_NOTIFY_END;
	s->stage = 0;
	s->pidfd = -1;
	s->ran = 0;
	__atomic_store_n(&s->state, state, __ATOMIC_SEQ_CST);
}

/* As launcher.ts does. */
static void wake(void)
{
	__atomic_store_n(&m->l.sleeping, 0, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &m->l.sleeping, 129, 1, 0, 0, 0);
}

static void submit(u32 slot, struct pp_spec *spec)
{
	fill(slot, spec, PP_QUEUED);
	m->queue[m->l.head & (CAPACITY - 1)] = slot;
	__atomic_store_n(&m->l.head, m->l.head + 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&m->l.sleeping, __ATOMIC_SEQ_CST))
		wake();
}

/* The slot of an event, or -1: a child between clone and exec may have a copy of a pidfd that is closed here. */
static int slot_of(const struct epoll_event *event)
{
	u32 slot = (u32)event->data.u64;
	u32 state = __atomic_load_n(&m->slots[slot].state, __ATOMIC_SEQ_CST);

	if (m->slots[slot].generation != event->data.u64 >> 32 || (state != PP_RUNNING && state != PP_SIGNALING))
		return -1;
	return (int)slot;
}

/* As the supervisor: reaps a slot's child. Returns its status as the shell gives it. */
static int reap(struct pp_slot *s)
{
	siginfo_t info;
	u32 running;

	do
		running = PP_RUNNING;
	while (!__atomic_compare_exchange_n(&s->state, &running, PP_EXITED, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	while (waitid(P_PIDFD, (id_t)s->pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	close(s->pidfd);
	s->pidfd = -1;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* Waits for the end of a slot's launch, and of its child. Returns its status, or minus the stage. */
static int await_slot(u32 slot)
{
	struct pp_slot *s = &m->slots[slot];
	u32 state;

	/* Its notices come before its states are final: of a test, so without the machinery to await them. */
	do {
		sched_yield();
		state = __atomic_load_n(&s->state, __ATOMIC_SEQ_CST);
	} while (state == PP_QUEUED || state == PP_LAUNCHING || state == PP_SIGNALING || state == PP_FAILING);
	while (__atomic_load_n(&m->l.tail, __ATOMIC_ACQUIRE) != m->l.head)
		sched_yield();
	if (state == PP_FAILED) {
		/* Of a deputy's making. */
		if (s->pidfd >= 0) {
			siginfo_t info;
			waitid(P_PIDFD, (id_t)s->pidfd, &info, WEXITED);
			close(s->pidfd);
		}
		return -(int)s->stage;
	}
	if (s->stage == PP_STAGE_WATCH) {
		syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, 0, 0);
		reap(s);
		return -PP_STAGE_WATCH;
	}
	struct epoll_event event;
	do
		while (epoll_wait(m->l.epoll, &event, 1, -1) < 0)
			;
	while (slot_of(&event) != (int)slot);
	return reap(s);
}

struct scenario {
	const char *name;
	struct draft draft;
	int status; /* of the program, or minus the stage that is to fail */
	int error;
	int needs;
};

enum way { HERE, THREAD, LEGACY, WAYS };
static const char *const WAY_NAMES[] = { "here", "by the thread", "by legacy clone" };

static void run(const struct scenario *c, enum way way)
{
	pthread_t thread;
	struct pp_spec *spec = draft_encode(&c->draft);
	int status;

	if (!conforms(spec, spec->size)) {
		printf("not ok: %s is no spec\n", c->name);
		failures++;
	}
	m->l.legacy = way == LEGACY;
	m->l.head = m->l.tail = m->l.stop = m->l.notices_head = 0;
	int epoll = m->l.epoll;
	if (c->status == -PP_STAGE_WATCH)
		m->l.epoll = m->l.devnull;
	if (way == HERE) {
		fill(0, spec, PP_QUEUED);
		pp_launch(&m->l, 0);
		status = await_slot(0);
	} else {
		if (pthread_create(&thread, NULL, (void *(*)(void *))pp_launcher_main, &m->l) != 0)
			abort();
		submit(0, spec);
		status = await_slot(0);
		__atomic_store_n(&m->l.stop, 1, __ATOMIC_SEQ_CST);
		wake();
		pthread_join(thread, NULL);
	}
	m->l.epoll = epoll;
	int error = status < 0 ? m->slots[0].error : 0;
	if (status != c->status || (c->error && error != c->error)) {
		printf("not ok: %s, %s: %d (error %d), not %d (%d)\n", c->name, WAY_NAMES[way], status, error, c->status, c->error);
		failures++;
	}
	done++;
	free(spec);
}

static void *signal_all(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE))
		for (u32 i = 0; i < CAPACITY; i++) {
			u32 seen = __atomic_load_n(&m->slots[i].state, __ATOMIC_SEQ_CST);
			if ((seen != PP_RUNNING && seen != PP_LAUNCHING) ||
			    !__atomic_compare_exchange_n(&m->slots[i].state, &seen, PP_SIGNALING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
				continue;
			int pidfd = __atomic_load_n(&m->slots[i].pidfd, __ATOMIC_ACQUIRE);
			if (pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, 0, 0) < 0 && errno != ESRCH) {
				printf("not ok: a signal to no child: %s\n", strerror(errno));
				__atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST);
			}
			__atomic_store_n(&m->slots[i].state, seen, __ATOMIC_SEQ_CST);
		}
	return NULL;
}

/* Many launches through the queue, some of which fail, some taken back, while another thread signals. */
static void crowd(void)
{
	pthread_t launcher, signaller;
	struct pp_spec *specs[CAPACITY] = { 0 };
	int stop = 0, ended = 0, submitted = 0, counts[3] = { 0 };

	m->l.legacy = 0;
	m->l.head = m->l.tail = m->l.stop = m->l.notices_head = 0;
	pthread_create(&launcher, NULL, (void *(*)(void *))pp_launcher_main, &m->l);
	pthread_create(&signaller, NULL, signal_all, &stop);
	while (ended < CROWD) {
		for (u32 i = 0; i < CAPACITY - 1 && submitted < CROWD; i++) {
			if (specs[i])
				continue;
			struct draft d = draft_of("exit 3");
			if (submitted % 7 == 6)
				d.paths[0] = "/no/such/program";
			if (submitted % 5 == 4)
				d.spec.flags |= PP_SETUID;
			specs[i] = draft_encode(&d);
			submit(i, specs[i]);
			u32 queued = PP_QUEUED;
			if (submitted++ % 11 == 10)
				__atomic_compare_exchange_n(&m->slots[i].state, &queued, PP_CANCELLED, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		}
		struct epoll_event events[16];
		int n = epoll_wait(m->l.epoll, events, 16, 1);
		for (int i = 0; i < n; i++)
			if (slot_of(&events[i]) >= 0 && reap(&m->slots[slot_of(&events[i])]) != 3)
				failures++;
		/* Specs are free once the launcher says so of all. */
		if (__atomic_load_n(&m->l.tail, __ATOMIC_ACQUIRE) != m->l.head)
			continue;
		for (u32 i = 0; i < CAPACITY; i++) {
			u32 state = __atomic_load_n(&m->slots[i].state, __ATOMIC_SEQ_CST);
			if (!specs[i] || (state != PP_EXITED && state != PP_FAILED && state != PP_CANCELLED))
				continue;
			counts[state == PP_EXITED ? 0 : state == PP_FAILED ? 1 : 2]++;
			__atomic_store_n(&m->slots[i].state, PP_FREE, __ATOMIC_SEQ_CST);
			free(specs[i]);
			specs[i] = NULL;
			ended++;
		}
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(signaller, NULL);
	__atomic_store_n(&m->l.stop, 1, __ATOMIC_SEQ_CST);
	wake();
	pthread_join(launcher, NULL);
	done++;
	printf("a crowd of %d: %d ran, %d failed, %d were taken back\n", CROWD, counts[0], counts[1], counts[2]);
	if (counts[0] == 0 || counts[1] == 0)
		failures++;
}

static int open_fds(void)
{
	int n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Children that stay, to enter the namespaces of. */
static pid_t hold(int flags)
{
	int ready[2];
	if (pipe(ready) < 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(flags) < 0)
			_exit(1);
		pid_t init = flags & CLONE_NEWPID ? fork() : 0;
		if (init == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			write(ready[1], "x", 1);
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	char c;
	close(ready[1]);
	ssize_t n = read(ready[0], &c, 1);
	close(ready[0]);
	if (n == 1)
		return pid;
	waitpid(pid, NULL, 0);
	return -1;
}

static int ns_of(pid_t pid, const char *which)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, which);
	return open(path, O_RDONLY | O_CLOEXEC);
}

#define BPF_RET_ALLOW 0x7fff000000000006ULL
static struct scenario scenarios[64];
static int scenarioc;

static struct draft *add(const char *name, const char *script, int status, int error, int needs)
{
	struct scenario *c = &scenarios[scenarioc++];
	*c = (struct scenario){ name, draft_of(script), status, error, needs };
	return &c->draft;
}

static void write_scenarios(void)
{
	struct draft *d;

	add("a program", "exit 7", 7, 0, 0);
	d = add("an environment, a directory, a pid", "test $PWD = /usr && test $OWN = $$ && exit 4", 4, 0, 0);
	d->cwd = "/usr";
	d->spec.envc = 1;
	d->envp[0] = "OWN=0123456789abcdef";
	d->own_pid = 1;
	d = add("several candidates", "exit 5", 5, 0, 0);
	d->paths[0] = "/no/such/sh";
	d->paths[1] = "/bin/sh";
	d->spec.pathc = 2;
	d = add("a session, umask, niceness and limits",
		"test $(umask) = 0027 && test $(nice) -ge 5 && test $(ulimit -n) = 77 && test $(ulimit -t) = 9 && exit 6", 6, 0, 0);
	d->spec.flags = PP_SETSID | PP_UMASK | PP_NICE | PP_PDEATHSIG;
	d->spec.umask = 027;
	d->spec.nice = 5;
	d->spec.pdeathsig = SIGKILL;
	d->spec.limitc = 2;
	d->limits[0] = (struct pp_limit){ 7, 77, 77 };
	d->limits[1] = (struct pp_limit){ 0, 9, 9 };
	d = add("a group, and what it gives up", "exit 8", 8, 0, 0);
	d->spec.flags = PP_SETPGID | PP_NO_NEW_PRIVS | PP_CAPABILITIES;
	d = add("what it cannot get back", "exit 8", 8, 0, ROOT);
	d->spec.flags = PP_CAPABILITIES | PP_BOUNDING;
	d = add("files that overlap", "test -d /dev/fd/0 && test -c /dev/fd/3 && test -c /dev/fd/9 && exit 9", 9, 0, 0);
	d->spec.fdc = 5;
	d->fds[0].source = -1;
	d->fds[3].source = m->l.devnull;
	d->fds[4].target = 9;
	d->fds[4].source = m->l.devnull;
	d = add("fds that lie high", "test -c /dev/fd/5 && exit 9", 9, 0, 0);
	d->spec.fdc = 6;
	for (int i = 3; i < 6; i++)
		d->fds[i].source = fcntl(m->l.devnull, F_DUPFD_CLOEXEC, 200);
	d = add("a filter and a ruleset", "test -r /bin/sh && exit 10", 10, 0, 0);
	d->spec.flags = PP_NO_NEW_PRIVS | PP_LANDLOCK;
	d->spec.filterc = 1;
	d->filter[0] = BPF_RET_ALLOW;
	d->spec.handled_files = 1 << 1; /* writing */
	d->spec.rulec = 1;
	d->rules[0].access = 1 << 1;
	d->ruled[0] = "/dev";
	d = add("other credentials", "test $(id -u) = 65534 && test $(id -g) = 65533 && exit 11", 11, 0, ROOT);
	d->spec.flags = PP_SETUID | PP_SETGID | PP_SETGROUPS | PP_CAPABILITIES;
	d->spec.capabilities = 1 << 10;
	d->spec.uid = 65534;
	d->spec.gid = 65533;
	d->spec.groupc = 2;
	d->groups[0] = 1;
	d = add("namespaces that it makes", "test $(cat /proc/sys/kernel/hostname) = there && test -d /tmp && exit 12", 12, 0, ROOT);
	d->spec.flags = PP_LOOPBACK;
	d->spec.unshared = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWIPC;
	d->hostname = "there";
	d->spec.mountc = 2;
	d->mounted[0][1] = "/";
	d->mounts[0].flags = 1 << 18 | 16384;
	d->mounted[1][0] = d->mounted[1][2] = "tmpfs";
	d->mounted[1][1] = "/tmp";
	d = add("a user namespace of its own", "test $(id -u) = 5 && exit 13", 13, 0, ROOT | NOT_LEGACY);
	d->spec.cloned = CLONE_NEWUSER;
	d->spec.flags = PP_DENY_SETGROUPS | PP_NICE;
	d->spec.nice = 1;
	d->uid_map = "5 0 1";
	d->gid_map = "5 0 1";

	d = add("no such program", "", -PP_STAGE_EXECVE, ENOENT, 0);
	d->paths[0] = "/no/such/program";
	d = add("a directory as program", "", -PP_STAGE_EXECVE, EACCES, 0);
	d->paths[0] = "/usr";
	add("no such directory", "", -PP_STAGE_CHDIR, ENOENT, 0)->cwd = "/no/such";
	d = add("a file that cannot be written", "", -PP_STAGE_OPEN, EISDIR, 0);
	d->fds[0].source = -1;
	d->fds[0].flags = O_WRONLY;
	d = add("an fd beyond the limit", "", -PP_STAGE_DUP, EBADF, 0);
	d->fds[2].target = 1 << 20;
	d = add("no such limit", "", -PP_STAGE_RLIMIT, EINVAL, 0);
	d->spec.limitc = 1;
	d->limits[0].resource = 99;
	d = add("no such signal", "", -PP_STAGE_PDEATHSIG, EINVAL, 0);
	d->spec.flags = PP_PDEATHSIG;
	d->spec.pdeathsig = 999;
	d = add("no such user", "", -PP_STAGE_SETUID, 0, NOT_LEGACY | ROOT);
	d->spec.flags = PP_SETUID;
	d->spec.uid = 65534;
	d->spec.cloned = CLONE_NEWUSER;
	d->uid_map = d->gid_map = "0 0 1";
	d = add("no such group", "", -PP_STAGE_SETGID, EINVAL, NOT_LEGACY | ROOT);
	*d = scenarios[scenarioc - 2].draft;
	d->spec.flags = PP_SETGID;
	d->spec.gid = 65534;
	d = add("a map that is none", "", -PP_STAGE_UID_MAP, EINVAL, NOT_LEGACY | ROOT);
	*d = scenarios[scenarioc - 2].draft;
	d->uid_map = "x";
	d = add("no such namespace", "", -PP_STAGE_UNSHARE, EINVAL, 0);
	d->spec.unshared = 0x80000000;
	d = add("no namespace to enter", "", -PP_STAGE_SETNS, EINVAL, 0);
	d->spec.join_network = m->l.devnull;
	d = add("no place to mount", "", -PP_STAGE_MOUNT, ENOENT, ROOT);
	d->spec.unshared = CLONE_NEWNS;
	d->spec.mountc = 1;
	d->mounted[0][1] = "/no/such";
	d = add("a name too long", "", -PP_STAGE_HOSTNAME, EINVAL, ROOT);
	d->spec.unshared = CLONE_NEWUTS;
	d->hostname = "0123456789012345678901234567890123456789012345678901234567890123456789";
	d = add("no such capability", "", -PP_STAGE_CAPABILITIES, 0, 0);
	d->spec.flags = PP_CAPABILITIES;
	d->spec.capabilities = 1ULL << 60;
	d = add("a rule for nothing", "", -PP_STAGE_LANDLOCK, ENOENT, 0);
	d->spec.flags = PP_LANDLOCK;
	d->spec.handled_files = 2;
	d->spec.rulec = 1;
	d->rules[0].access = 2;
	d->ruled[0] = "/no/such";
	d = add("a filter that is none", "", -PP_STAGE_SECCOMP, EINVAL, 0);
	d->spec.flags = PP_NO_NEW_PRIVS;
	d->spec.filterc = 1;
	d = add("no such cgroup", "", -PP_STAGE_CLONE, EBADF, NOT_LEGACY);
	d->spec.cgroup = m->l.devnull;
	add("no epoll set", "sleep 100", -PP_STAGE_WATCH, EINVAL, 0);
}

static int landlock_is_missing(const struct draft *d)
{
	return d->spec.flags & PP_LANDLOCK && syscall(444, NULL, 0, 1) < 1;
}

static void run_all(void)
{
	for (int i = 0; i < scenarioc; i++)
		for (enum way way = HERE; way < WAYS; way++) {
			if ((scenarios[i].needs & ROOT && geteuid() != 0) || landlock_is_missing(&scenarios[i].draft)) {
				if (way == HERE)
					printf("skipped: %s, which this user or kernel cannot\n", scenarios[i].name);
				continue;
			}
			if (way == LEGACY && scenarios[i].needs & NOT_LEGACY)
				continue;
			run(&scenarios[i], way);
		}
}

/* Into the namespaces of others: by a thread that may enter them, and by a deputy. */
static void enter(void)
{
	pid_t holder = hold(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
	if (holder < 0) {
		printf("skipped: entering namespaces, as none can be made\n");
		return;
	}
	struct scenario c = { "namespaces of others", draft_of("test $OWN = $$ && exit 14"), 14, 0, 0 };
	struct scenario no = { "no program in namespaces of others", draft_of(""), -PP_STAGE_EXECVE, ENOENT, 0 };
	c.draft.spec.envc = 1;
	c.draft.envp[0] = "OWN=0123456789abcdef";
	c.draft.own_pid = 1;
	c.draft.spec.join_user = ns_of(holder, "user");
	c.draft.spec.join_network = ns_of(holder, "net");
	c.draft.spec.join_pid = ns_of(holder, "pid_for_children");
	c.draft.spec.join_pid_id = 9;
	no.draft.spec = c.draft.spec;
	no.draft.spec.envc = 0;
	no.draft.paths[0] = "/no/such/program";
	if (geteuid() == 0)
		for (enum way way = HERE; way <= THREAD; way++) {
			run(&c, way);
			run(&no, way);
		}
	m->l.needs_deputy = 1;
	for (int i = 0; i < 3; i++) {
		run(&c, THREAD);
		run(&no, THREAD);
	}
	struct scenario closed = { "a namespace that is closed", c.draft, -PP_STAGE_SETNS, EBADF, 0 };
	closed.draft.spec.join_user = 900;
	run(&closed, THREAD);
	m->l.needs_deputy = 0;
	close(c.draft.spec.join_user);
	close(c.draft.spec.join_network);
	close(c.draft.spec.join_pid);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

static int check_specs(const char *file)
{
	FILE *f = fopen(file, "rb");
	u32 n;
	int count = 0, bad = 0;

	while (f && fread(&n, sizeof n, 1, f) == 1) {
		void *spec = malloc(n);
		if (fread(spec, 1, n, f) != n)
			abort();
		if (!conforms(spec, n) && ++bad)
			printf("spec %d breaks the encoder's promise\n", count);
		count++;
		free(spec);
	}
	if (f)
		fclose(f);
	printf("%d specs, %d of which break the encoder's promise\n", count, bad);
	return count == 0 || bad > 0;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return check_specs(argv[2]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setup();
	write_scenarios();
	int before = open_fds();
	run_all();
	enter();
	crowd();
	if (open_fds() != before) {
		printf("not ok: %d fds are left open\n", open_fds() - before);
		failures++;
	}
	for (int i = 0; i < 3; i++)
		close(scenarios[6].draft.fds[3 + i].source);
	tear_down();
	printf("%d launches and crowds, %d of which were not as they should be\n", done, failures);
	return failures > 0;
}
