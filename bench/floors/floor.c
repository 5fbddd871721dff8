/* The floor: what a C program pays for the same lifecycle, without any
 * language runtime. floor MODE THREADS IN_FLIGHT COUNT PROGRAM, where MODE is
 *   wait4   vfork + execve, reaped by wait4(-1)
 *   pidfd   clone(CLONE_VM|CLONE_VFORK|CLONE_PIDFD), epoll, waitid(P_PIDFD)
 *   files   the same with CLONE_FILES and close_range(CLOSE_RANGE_UNSHARE)
 * Each thread launches and reaps its own share, one thread doing both.
 * Prints microseconds a lifecycle. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static const char *mode, *program;
static int in_flight;
static long per_thread;
static char *const no_args[] = { "nop", NULL }, *const no_env[] = { NULL };

static int child(void *arg)
{
	int share = *(int *)arg;
	if (share)
		syscall(SYS_close_range, 3u, ~0u, 2u);
	sigset_t none;
	sigemptyset(&none);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	syscall(SYS_execve, program, no_args, no_env);
	_exit(127);
}

static int launch(char *stack, size_t size, int share)
{
	int pidfd = -1;
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int pid = clone(child, stack + size, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | (share ? CLONE_FILES : 0) | SIGCHLD, &share, &pidfd);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		perror("clone");
		exit(1);
	}
	return pidfd;
}

static void *by_pidfd(void *unused)
{
	(void)unused;
	int share = !strcmp(mode, "files");
	size_t size = 65536;
	char *stack = malloc(size);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	long started = 0, done = 0;
	struct epoll_event events[256];
	while (done < per_thread) {
		while (started < per_thread && started - done < in_flight) {
			int fd = launch(stack, size, share);
			struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };
			epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
			started++;
		}
		int n = epoll_wait(ep, events, 256, started < per_thread && started - done < in_flight ? 0 : -1);
		for (int i = 0; i < n; i++) {
			siginfo_t info;
			struct rusage usage;
			syscall(SYS_waitid, P_PIDFD, events[i].data.fd, &info, WEXITED | WNOHANG, &usage);
			/* A sibling between clone and exec may hold a copy of the fd, and with it the registration. */
			epoll_ctl(ep, EPOLL_CTL_DEL, events[i].data.fd, NULL);
			close(events[i].data.fd);
			done++;
		}
	}
	free(stack);
	return NULL;
}

static void *by_wait4(void *unused)
{
	(void)unused;
	long started = 0, done = 0;
	while (done < per_thread) {
		while (started < per_thread && started - done < in_flight) {
			pid_t pid = vfork();
			if (pid == 0) {
				execve(program, no_args, no_env);
				_exit(127);
			}
			started++;
		}
		int status;
		struct rusage usage;
		if (wait4(-1, &status, __WNOTHREAD, &usage) > 0)
			done++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	mode = argv[1];
	int threads = atoi(argv[2]);
	in_flight = atoi(argv[3]) / threads;
	if (in_flight < 1)
		in_flight = 1;
	per_thread = atol(argv[4]) / threads;
	program = argv[5];
	void *(*work)(void *) = strcmp(mode, "wait4") ? by_pidfd : by_wait4;
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	pthread_t t[64];
	for (int i = 0; i < threads; i++)
		pthread_create(&t[i], NULL, work, NULL);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	double us = ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / 1e3;
	printf("%.2f\n", us / (per_thread * threads));
	return 0;
}
