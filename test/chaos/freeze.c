/* Stops one thread of its parent for a while, as a debugger does. */
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

int main(int argc, char **argv)
{
	int thread = argc > 1 ? atoi(argv[1]) : 0;
	long ms = argc > 2 ? atol(argv[2]) : 0;
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	if (ptrace(PTRACE_SEIZE, thread, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, thread, 0, 0) < 0)
		return 1;
	if (waitpid(thread, NULL, __WALL) < 0)
		return 2;
	nanosleep(&time, NULL);
	return ptrace(PTRACE_DETACH, thread, 0, 0) < 0 ? 3 : 0;
}
