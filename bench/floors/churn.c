/* As many lifecycles a second as possible; each thread launches and reaps its
 * own share. */
#include "floor.h"
#include <pthread.h>

enum { MAX_THREADS = 64 };

struct share {
	const struct way *way;
	const char *program;
	int in_flight;
	long count;
};

static void *work(void *arg)
{
	const struct share *share = arg;
	void *state = share->way->open(share->way, share->in_flight);
	long started = 0, done = 0;
	while (done < share->count) {
		for (; started < share->count && started - done < share->in_flight; started++)
			share->way->launch(state, share->program);
		done += share->way->reap(state);
	}
	share->way->close(state);
	return NULL;
}

int churn(const struct way *way, int threads, int in_flight, long count, const char *program)
{
	if (threads < 1 || threads > MAX_THREADS || in_flight < threads || count < threads)
		return 2;
	struct share share = { way, program, in_flight / threads, count / threads };
	pthread_t ids[MAX_THREADS];
	double start = microseconds(CLOCK_MONOTONIC);
	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, work, &share);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	double end = microseconds(CLOCK_MONOTONIC);
	printf("%.3f\n", (end - start) / (double)(share.count * threads));
	return 0;
}
