/* Children launched by vfork + execve and reaped by io_uring: one
 * IORING_OP_WAITID each (Linux 6.7), no pidfd. System calls by hand, so that
 * nothing has to be installed. */
#include "floor.h"
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Older headers lack them. */
enum { OP_WAITID = 50 };
#define SETUP_SINGLE_ISSUER (1U << 12) /* Linux 6.0 */
#define SETUP_DEFER_TASKRUN (1U << 13) /* Linux 6.1 */

struct ring {
	int fd;
	unsigned entries, queued;
	unsigned *sq_tail, *sq_mask, *sq_array;
	unsigned *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	void *memory;
	size_t size;
	/* Status by place, and a stack of free places. */
	siginfo_t *infos;
	unsigned *free, free_count;
};

static int setup(unsigned entries, struct io_uring_params *params)
{
	memset(params, 0, sizeof *params);
	params->flags = SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN;
	return (int)syscall(SYS_io_uring_setup, entries, params);
}

static const char *missing(const struct way *way)
{
	static char reason[128];
	struct io_uring_params params;
	struct {
		struct io_uring_probe head;
		struct io_uring_probe_op ops[256];
	} probe = { 0 };

	(void)way;
	int fd = setup(8, &params);
	if (fd < 0) {
		snprintf(reason, sizeof reason, "io_uring_setup: %s", strerror(errno));
		return reason;
	}
	long result = syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, &probe, 256);
	close(fd);
	if (result < 0 || probe.head.last_op < OP_WAITID || !(probe.ops[OP_WAITID].flags & IO_URING_OP_SUPPORTED))
		return "io_uring has no IORING_OP_WAITID here (Linux 6.7)";
	return NULL;
}

static void *map(struct ring *r, size_t size, off_t offset)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, offset);
	return memory == MAP_FAILED ? die("mmap") : memory;
}

static void *open_ring(const struct way *way, int in_flight)
{
	(void)way;
	struct ring *r = allocate(sizeof *r);
	struct io_uring_params p;

	r->fd = setup((unsigned)in_flight, &p);
	if (r->fd < 0)
		die("io_uring_setup");
	r->entries = p.sq_entries;
	r->queued = 0;
	size_t sq = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	size_t cq = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	r->size = sq > cq ? sq : cq;
	/* One mapping for both queues since Linux 5.4. */
	char *base = r->memory = map(r, r->size, IORING_OFF_SQ_RING);
	r->sqes = map(r, p.sq_entries * sizeof *r->sqes, IORING_OFF_SQES);
	r->sq_tail = (unsigned *)(base + p.sq_off.tail);
	r->sq_mask = (unsigned *)(base + p.sq_off.ring_mask);
	r->sq_array = (unsigned *)(base + p.sq_off.array);
	r->cq_head = (unsigned *)(base + p.cq_off.head);
	r->cq_tail = (unsigned *)(base + p.cq_off.tail);
	r->cq_mask = (unsigned *)(base + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(base + p.cq_off.cqes);
	r->infos = allocate((size_t)in_flight * sizeof *r->infos);
	r->free = allocate((size_t)in_flight * sizeof *r->free);
	r->free_count = (unsigned)in_flight;
	for (unsigned i = 0; i < r->free_count; i++)
		r->free[i] = i;
	return r;
}

static void launch(void *state, const char *program)
{
	struct ring *r = state;
	pid_t pid = start_vfork(program);
	unsigned place = r->free[--r->free_count];
	unsigned tail = *r->sq_tail;
	unsigned index = tail & *r->sq_mask;
	struct io_uring_sqe *sqe = &r->sqes[index];
	memset(sqe, 0, sizeof *sqe);
	sqe->opcode = OP_WAITID;
	sqe->fd = pid;
	sqe->len = P_PID;
	sqe->splice_fd_in = WEXITED; /* the field's name in this union differs between headers: file_index */
	sqe->addr2 = (uint64_t)(uintptr_t)&r->infos[place];
	sqe->user_data = place;
	r->sq_array[index] = index;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	r->queued++;
}

/* Submits what was launched since, in the same system call that waits. */
static int reap(void *state)
{
	struct ring *r = state;
	long submitted = syscall(SYS_io_uring_enter, r->fd, r->queued, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	if (submitted < 0) {
		if (errno == EINTR)
			return 0;
		die("io_uring_enter");
	}
	r->queued -= (unsigned)submitted;
	unsigned head = *r->cq_head, tail = __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE);
	int count = (int)(tail - head);
	for (; head != tail; head++) {
		struct io_uring_cqe *cqe = &r->cqes[head & *r->cq_mask];
		unsigned place = (unsigned)cqe->user_data;
		if (cqe->res < 0 || r->infos[place].si_status != 0) {
			fprintf(stderr, "waitid: %d, status %d\n", cqe->res, r->infos[place].si_status);
			exit(1);
		}
		r->free[r->free_count++] = place;
	}
	__atomic_store_n(r->cq_head, head, __ATOMIC_RELEASE);
	return count;
}

static void close_ring(void *state)
{
	struct ring *r = state;
	munmap(r->sqes, r->entries * sizeof *r->sqes);
	munmap(r->memory, r->size);
	close(r->fd);
	free(r->infos);
	free(r->free);
	free(r);
}

const struct way way_uring = { "uring", missing, open_ring, launch, reap, close_ring, NULL };
