/* Runs a program and reads its stdout to the end into one growing buffer. */
#include "floor.h"
#include <fcntl.h>
#include <sys/wait.h>

/* The most that an unprivileged process may ask for by default. */
enum { PIPE_SIZE = 1 << 20, FIRST_BUFFER = 1 << 20, WARM_UPS = 4 };

static size_t read_all(int fd)
{
	size_t capacity = FIRST_BUFFER, length = 0;
	char *buffer = allocate(capacity);
	for (;;) {
		if (length == capacity) {
			capacity *= 2;
			buffer = realloc(buffer, capacity);
			if (!buffer)
				die("realloc");
		}
		ssize_t n = read(fd, buffer + length, capacity - length);
		if (n == 0)
			break;
		if (n > 0)
			length += (size_t)n;
		else if (errno != EINTR)
			die("read");
	}
	free(buffer);
	return length;
}

static size_t run(char **command)
{
	int ends[2], status;
	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe2");
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	pid_t pid = vfork();
	if (pid == 0) {
		dup2(ends[1], 1);
		execve(command[0], command, environ);
		_exit(127);
	}
	if (pid < 0)
		die("vfork");
	close(ends[1]);
	size_t length = read_all(ends[0]);
	close(ends[0]);
	if (waitpid(pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "%s ended with status %#x\n", command[0], (unsigned)status);
		exit(1);
	}
	return length;
}

int capture(long times, char **command)
{
	size_t bytes = 0;

	for (int i = 0; i < WARM_UPS; i++)
		run(command);
	double start = microseconds(CLOCK_MONOTONIC);
	for (long i = 0; i < times; i++)
		bytes += run(command);
	double end = microseconds(CLOCK_MONOTONIC);
	printf("{\"bytes\":%zu,\"milliseconds\":%.3f}\n", bytes, (end - start) / 1e3);
	return 0;
}
