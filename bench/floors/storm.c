/* Many children that all exit at once: they wait for their stdin to end, which
 * is one pipe for all of them. How one thread then reaps them:
 *   pidfd    epoll, waitid(P_PIDFD)
 *   sigchld  a SIGCHLD handler, a pipe to itself, and at every wake-up waitpid() on each child of the list; all
 *            that the pipe holds is one wake-up
 *   wait4    wait4(-1)
 * Counts the wake-ups and how many exits the largest of them brought. */
#include "floor.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { STACK = 65536 };

struct tally {
	long left, batches, largest;
};

static void count_batch(struct tally *t, long reaped)
{
	t->left -= reaped;
	t->batches++;
	if (reaped > t->largest)
		t->largest = reaped;
}

static void reap_pidfds(int epoll, struct tally *t)
{
	long most = t->left;
	struct epoll_event *events = allocate((size_t)most * sizeof *events);
	while (t->left > 0) {
		int n = epoll_wait(epoll, events, (int)most, -1);
		for (int i = 0; i < n; i++) {
			siginfo_t info;
			struct rusage usage;
			if (syscall(SYS_waitid, IDTYPE_PIDFD, events[i].data.fd, &info, WEXITED, &usage) < 0)
				die("waitid");
			close(events[i].data.fd);
		}
		if (n > 0)
			count_batch(t, n);
	}
	free(events);
}

static int self_pipe[2];

static void on_sigchld(int signal)
{
	(void)signal;
	int saved = errno;
	/* A full pipe wakes all the same. */
	if (write(self_pipe[1], "", 1) < 0)
		errno = saved;
}

static void reap_list(pid_t *pids, struct tally *t)
{
	while (t->left > 0) {
		char bytes[4096];
		if (read(self_pipe[0], bytes, sizeof bytes) < 0) {
			if (errno == EINTR)
				continue;
			die("read");
		}
		long kept = 0, count = t->left;
		for (long i = 0; i < count; i++) {
			int status;
			if (waitpid(pids[i], &status, WNOHANG) == 0)
				pids[kept++] = pids[i];
		}
		count_batch(t, count - kept);
	}
}

static void reap_any(struct tally *t)
{
	while (t->left > 0) {
		int status;
		struct rusage usage;
		if (wait4(-1, &status, 0, &usage) > 0)
			count_batch(t, 1);
	}
}

/* The children get this process's stdin, the pipe's end. */
static pid_t launch(const char *program)
{
	pid_t pid = vfork();
	if (pid == 0) {
		execve(program, child_argv, environ);
		_exit(127);
	}
	return pid > 0 ? pid : (die("vfork"), -1);
}

static void launch_watched(int epoll, char *stack, const char *program)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = launch_files(stack + STACK, program) };
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) < 0)
		die("epoll_ctl");
}

int storm(const char *way, long count, const char *program)
{
	int by_pidfd = !strcmp(way, "pidfd"), by_list = !strcmp(way, "sigchld");
	if (count < 1 || (!by_pidfd && !by_list && strcmp(way, "wait4")))
		return 2;
	int gate[2], epoll = epoll_create1(EPOLL_CLOEXEC);
	char *stack = allocate(STACK);
	pid_t *pids = allocate((size_t)count * sizeof *pids);
	if (epoll < 0 || pipe2(gate, O_CLOEXEC) < 0 || pipe2(self_pipe, O_CLOEXEC) < 0 || dup2(gate[0], 0) < 0)
		die("pipe2");
	fcntl(self_pipe[1], F_SETFL, O_NONBLOCK);
	for (long i = 0; i < count; i++) {
		if (by_pidfd)
			launch_watched(epoll, stack, program);
		else
			pids[i] = launch(program);
	}
	struct sigaction action = { .sa_handler = on_sigchld, .sa_flags = SA_RESTART };
	if (by_list)
		sigaction(SIGCHLD, &action, NULL);
	/* Until the last of them has come to its read. */
	usleep(100000 + (useconds_t)count * 50);

	struct tally t = { .left = count };
	double start = microseconds(CLOCK_MONOTONIC);
	close(gate[1]);
	/* The close has woken all children, which is not the reaper's work. */
	double cpu = microseconds(CLOCK_THREAD_CPUTIME_ID);
	if (by_pidfd)
		reap_pidfds(epoll, &t);
	else if (by_list)
		reap_list(pids, &t);
	else
		reap_any(&t);
	double end = microseconds(CLOCK_MONOTONIC);
	cpu = microseconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	printf("{\"milliseconds\":%.3f,\"cpuPerExit\":%.3f,\"batches\":%ld,\"largestBatch\":%ld}\n", (end - start) / 1e3,
	       cpu / (double)count, t.batches, t.largest);
	return 0;
}
