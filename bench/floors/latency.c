/* Single lifecycles, one at a time, each timed from before the launch until its
 * exit was seen. */
#include "floor.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int latency(const struct way *way, long count, const char *program)
{
	if (count < 1)
		return 2;
	double *samples = allocate((size_t)count * sizeof *samples);
	void *state = way->open(way, 1);
	for (long i = 0; i < count; i++) {
		double start = microseconds(CLOCK_MONOTONIC);
		way->launch(state, program);
		while (way->reap(state) == 0)
			;
		samples[i] = microseconds(CLOCK_MONOTONIC) - start;
	}
	way->close(state);
	qsort(samples, (size_t)count, sizeof *samples, ascending);
	printf("{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}\n", samples[count / 2], samples[(long)((double)count * 0.99)],
	       samples[count - 1]);
	free(samples);
	return 0;
}
