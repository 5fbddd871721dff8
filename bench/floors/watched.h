/* Children watched by epoll through their pidfds, and reaped by waitid(P_PIDFD). */
#ifndef WATCHED_H
#define WATCHED_H

#include <sys/epoll.h>

enum { STACK = 65536, EVENTS = 256 };

/* What a thread that launches such children begins its state with. */
struct watched {
	int epoll;
	char *stack;
	struct epoll_event events[EVENTS];
};

void watched_open(struct watched *w);
void watched_add(struct watched *w, int pidfd);
int watched_reap(struct watched *w);
void watched_close(struct watched *w);

#endif
