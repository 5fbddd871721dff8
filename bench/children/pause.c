/* A child that does nothing until it is killed. It does not outlive its parent,
 * nor an hour, whoever started it. */
#include "static.h"

enum { PR_SET_PDEATHSIG = 1, SIGKILL = 9 };

static const struct {
	long seconds, nanoseconds;
} hour = { 3600, 0 };

void _start(void)
{
	call(NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	call(NR_ppoll, 0, 0, (long)&hour, 0, 8);
	for (;;)
		call(NR_exit, 0, 0, 0, 0, 0);
}
