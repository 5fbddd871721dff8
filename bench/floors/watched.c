#include "floor.h"
#include "watched.h"
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void watched_open(struct watched *w)
{
	w->stack = allocate(STACK);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		die("epoll_create1");
}

void watched_add(struct watched *w, int pidfd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = pidfd };
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, pidfd, &ev) < 0)
		die("epoll_ctl");
}

int watched_reap(struct watched *w)
{
	int n = epoll_wait(w->epoll, w->events, EVENTS, -1);
	for (int i = 0; i < n; i++) {
		int fd = w->events[i].data.fd;
		siginfo_t info;
		struct rusage usage;
		/* __WALL: a child that a helper made has no exit signal. */
		if (syscall(SYS_waitid, IDTYPE_PIDFD, fd, &info, WEXITED | __WALL, &usage) < 0)
			die("waitid");
		if (info.si_code != CLD_EXITED || info.si_status != 0) {
			fprintf(stderr, "a child ended with %d\n", info.si_status);
			exit(1);
		}
		/* Another thread's child between clone and exec may hold a copy of the fd, and with it the registration: of
		   the low ones also where the table is not copied, for close_range() copies 64 before it closes them. */
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
	}
	return n < 0 ? 0 : n;
}

void watched_close(struct watched *w)
{
	close(w->epoll);
	free(w->stack);
}
