/* A kernel for one process: answers the system calls of the shim as it is told,
 * reads and writes all memory that it is passed, as the kernel would, and aborts
 * where the shim uses an fd that is not open, or leaves a child with others than
 * it is to have. Children run in this process, one at a time. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include "../../src/native/shim/pidpool.h"
#include "../../src/native/shim/launch.h"

enum { FDS = 256, FIRST_FREE_FD = 3, NULL_OBJECT = 1 };

/* Forgets everything. `choices` are bytes that decide what fails; past their end nothing does. */
void kernel_reset(struct pp_launcher *l, const unsigned char *choices, size_t n);

/* 0 to n - 1, from the choices. */
unsigned kernel_choose(unsigned n);

/* Opens the lowest free fd from `low` on, -1 where there is none. Each has an object of its own. */
int kernel_open(int low, u32 object);
u32 kernel_object(int fd); /* 0: closed */
void kernel_close(int fd);
unsigned kernel_open_fds(void);

/* What main and supervisor do: called when the launcher has nothing to do, and must submit or stop; and after a
 * child was added to the epoll set. */
extern void (*kernel_idle)(void);
extern void (*kernel_watched)(u64 token);
/* What main may have done by the time of a system call. */
extern void (*kernel_step)(void);

/* Signals that the calling thread blocks. */
extern u64 kernel_mask;

_Noreturn void broken(const char *what);

#endif
