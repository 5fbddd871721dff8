/* libFuzzer's target: launches of specs as another than the encoder might have
 * written them, with system calls that fail as it pleases. An input is
 *
 *   u8 how, u8 size of the queue, u16 n, n bytes for kernel_choose(), then each
 *   launch: u8 what, u16 n, n bytes of spec
 *
 * What must hold: no memory is touched but what is the shim's to touch, freed
 * slots and specs included; no fd is lost or closed twice; each child has the fds
 * it is to have; every launch ends in a state, and every failed one is told of. */
#include "contract.h"
#include "kernel.h"
#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HERE = 1, LEGACY = 2, NEEDS_DEPUTY = 4, AWAKE_WATCHER = 8, REAPS_AT_ONCE = 16, STOPS_EARLY = 32, HIGH_RESERVED = 64 };
enum { CANCELLED = 1, ANNOUNCED = 2, TIMED = 4 };
enum { MOST = 16, ENVIRONMENT = 8 };

struct launch {
	struct pp_spec *spec;
	size_t size;
	unsigned char what;
	unsigned handed;
	bool reaped, told, told_end;
};

static struct {
	unsigned char how;
	struct pp_launcher *l;
	struct pp_slot *slots;
	u32 *queue, *notices;
	struct launch launches[MOST];
	u32 count, submitted, reused;
	int namespaces, cgroup;
} t;

static char stacks[PP_STACKS * PP_STACK_SIZE] __attribute__((aligned(16)));

struct reader {
	const uint8_t *at;
	size_t left;
};

static const uint8_t *take(struct reader *r, size_t n)
{
	const uint8_t *from = r->at;
	if (n > r->left)
		return NULL;
	r->at += n;
	r->left -= n;
	return from;
}

static size_t number(struct reader *r)
{
	const uint8_t *n = take(r, 2);
	return n ? n[0] | (size_t)n[1] << 8 : 0;
}

/* What the main thread fills in: sources, which are open, and those handed over. */
static void supply(struct launch *launch)
{
	struct pp_spec *spec = launch->spec;
	struct pp_fd *fds = at(spec, spec->fds);

	for (u32 i = 0; i < spec->fdc; i++) {
		if (fds[i].source < 0)
			continue;
		bool hand = fds[i].handed >= 0;
		int low = fds[i].source & 1 ? 0 : 70;
		fds[i].source = hand ? kernel_open(low, 0) : fds[i].source % FIRST_FREE_FD;
		fds[i].handed = hand ? fds[i].source : -1;
		launch->handed += hand;
	}
	if (spec->join_user >= 0)
		spec->join_user = t.namespaces;
	if (spec->join_network >= 0)
		spec->join_network = t.namespaces;
	if (spec->join_pid >= 0)
		spec->join_pid = t.namespaces;
	if (spec->cgroup >= 0)
		spec->cgroup = t.cgroup;
}

static bool read_launch(struct reader *r)
{
	struct launch *launch = &t.launches[t.count];
	const uint8_t *what = take(r, 1);
	size_t n = number(r);
	const uint8_t *bytes = take(r, n);

	if (!what || !bytes || n < sizeof(struct pp_spec))
		return false;
	bool as_it_is = conforms(bytes, n);
	*launch = (struct launch){ .size = n + !as_it_is, .what = *what };
	launch->spec = malloc(launch->size);
	((char *)launch->spec)[launch->size - 1] = 0;
	memcpy(launch->spec, bytes, n);
	if (!as_it_is && !conform(launch->spec, launch->size)) {
		free(launch->spec);
		return false;
	}
	supply(launch);
	t.count++;
	return true;
}

static void submit(void)
{
	u32 i = t.submitted++;
	struct pp_slot *slot = &t.slots[i];

	slot->spec = (u64)t.launches[i].spec;
	slot->token = i;
	slot->pidfd = -1;
	slot->notify = (t.launches[i].what & TIMED ? PP_NOTIFY_BEGIN : 0) | (t.launches[i].what & ANNOUNCED ? PP_NOTIFY_END : 0);
	slot->state = t.launches[i].what & CANCELLED ? PP_CANCELLED : PP_QUEUED;
	t.queue[t.l->head & (t.l->capacity - 1)] = i;
	t.l->head++;
}

/* What the supervisor does with notices. */
static void listen(void)
{
	while (t.l->notices_tail != t.l->notices_head) {
		u32 notice = t.notices[t.l->notices_tail++ & (2 * t.l->capacity - 1)];
		u32 slot = notice & ~PP_NOTICE_END;
		if (slot >= t.submitted)
			broken("tells of a slot that it was not given");
		t.launches[slot].told = true;
		t.launches[slot].told_end |= (notice & PP_NOTICE_END) != 0;
	}
}

static void idle(void)
{
	listen();
	if (t.submitted == t.count || (t.how & STOPS_EARLY && kernel_choose(4) == 3))
		t.l->stop = 1;
	else
		submit();
	t.l->sleeping = 0;
}

/* Main writes other specs over those of launches that the launcher says are over. */
static void reuse(void)
{
	for (; t.reused != t.l->tail; t.reused++)
		ASAN_POISON_MEMORY_REGION(t.launches[t.reused].spec, t.launches[t.reused].size);
}

/* A supervisor may reap a child at once, and main give its slot to another: the launcher must not look at it again. */
static void watched(u64 token)
{
	struct pp_slot *slot = &t.slots[token];

	if (slot->state != PP_RUNNING || !slot->ran || slot->pid <= 0)
		broken("watches a child that does not run yet");
	listen();
	if (t.launches[token].told_end)
		broken("announces a program that is not watched yet");
	if (!(t.how & REAPS_AT_ONCE))
		return;
	kernel_close(slot->pidfd);
	t.launches[token].reaped = true;
	slot->state = PP_EXITED;
	ASAN_POISON_MEMORY_REGION(slot, sizeof *slot);
	ASAN_POISON_MEMORY_REGION(t.launches[token].spec, t.launches[token].size);
}

static void check_launch(u32 i, unsigned *pidfds)
{
	struct pp_slot *slot = &t.slots[i];
	struct launch *launch = &t.launches[i];

	if (launch->reaped) {
		ASAN_UNPOISON_MEMORY_REGION(slot, sizeof *slot);
		if ((launch->what & ANNOUNCED) && !(t.how & HERE) && !launch->told_end)
			broken("announces no program");
		return;
	}
	if (slot->state == PP_RUNNING) {
		if (kernel_object(slot->pidfd) == 0)
			broken("loses a pidfd");
		if (slot->stage != PP_STAGE_NONE && slot->stage != PP_STAGE_WATCH)
			broken("lets a failed launch run");
		if (slot->stage == PP_STAGE_WATCH && !(t.how & HERE) && !launch->told_end)
			broken("tells nobody of a child that is not watched");
		++*pidfds;
		return;
	}
	if (slot->state != PP_FAILED && slot->state != PP_CANCELLED)
		broken("leaves a launch undone");
	if (!(t.how & HERE) && !launch->told)
		broken("tells nobody of a launch that failed");
	if (slot->state == PP_CANCELLED)
		return;
	if (slot->stage == PP_STAGE_NONE || slot->error <= 0)
		broken("fails for no reason");
	/* A deputy's child is the supervisor's to reap. */
	if (slot->pidfd >= 0) {
		if (kernel_object(slot->pidfd) == 0)
			broken("leaves the number of no fd");
		++*pidfds;
	}
}

static int set_up(struct reader *r)
{
	const uint8_t *head = take(r, 2);
	size_t n = number(r);
	const uint8_t *choices = take(r, n);

	if (!head || !choices)
		return 0;
	memset(&t, 0, sizeof t);
	t.how = head[0];
	t.l = calloc(1, sizeof *t.l);
	u32 capacity = t.how & HERE ? MOST : 1U << (head[1] % 5);
	t.slots = calloc(MOST, sizeof *t.slots);
	t.queue = calloc(capacity, sizeof *t.queue);
	t.notices = calloc(2UL * capacity, sizeof *t.notices);
	kernel_reset(t.l, choices, n);
	kernel_idle = idle;
	kernel_watched = watched;
	kernel_step = reuse;
	for (u32 fd = 0; fd < FIRST_FREE_FD; fd++)
		kernel_open(0, 0);
	*t.l = (struct pp_launcher){
		.capacity = capacity, .legacy = (t.how & LEGACY) != 0, .needs_deputy = (t.how & NEEDS_DEPUTY) != 0,
		.watcher_sleeping = !(t.how & AWAKE_WATCHER), .queue = (u64)t.queue, .notices = (u64)t.notices,
		.slots = (u64)t.slots, .stack_top = (u64)(stacks + sizeof stacks), .own_pid_namespace = -1,
		.devnull = kernel_open(0, NULL_OBJECT), .epoll = kernel_open(0, 0), .wake = kernel_open(0, 0),
	};
	for (u32 i = 0; i < PP_RESERVED; i++)
		t.l->reserved[i] = kernel_open(t.how & HIGH_RESERVED ? 90 : 0, NULL_OBJECT);
	t.namespaces = kernel_open(70, 0);
	t.cgroup = kernel_open(70, 0);
	return 1;
}

static void tear_down(void)
{
	for (u32 i = 0; i < t.count; i++) {
		ASAN_UNPOISON_MEMORY_REGION(t.launches[i].spec, t.launches[i].size);
		free(t.launches[i].spec);
	}
	free(t.slots);
	free(t.queue);
	free(t.notices);
	free(t.l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = { data, size };
	unsigned pidfds = 0, handed = 0;

	if (!set_up(&r))
		return -1;
	unsigned own = kernel_open_fds();
	while (t.count < MOST && read_launch(&r))
		;
	if (t.how & HERE) {
		for (u32 i = 0; i < t.count; i++) {
			submit();
			t.slots[i].state = PP_QUEUED;
			pp_launch(t.l, i);
			t.l->tail = t.l->head;
			if (kernel_mask != 0)
				broken("leaves signals blocked");
		}
	} else {
		while (t.submitted < t.count && t.submitted + 1 < t.l->capacity)
			submit();
		pp_launcher_main(t.l);
		if (t.l->tail != t.l->head || t.l->busy_slot != 0)
			broken("stops with launches under way");
	}
	listen();
	for (u32 i = 0; i < t.submitted; i++)
		check_launch(i, &pidfds);
	for (u32 i = t.submitted; i < t.count; i++)
		handed += t.launches[i].handed;
	if (kernel_open_fds() != own + handed + pidfds)
		broken("loses fds, or closes those of others");
	for (u32 i = 0; i < PP_RESERVED; i++)
		if (kernel_object(t.l->reserved[i]) != NULL_OBJECT)
			broken("does not give back an fd that it has lent");
	tear_down();
	return 0;
}
