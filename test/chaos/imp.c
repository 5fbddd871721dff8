/* A child of many faults. Arguments say which one; numbers are bytes,
 * milliseconds, signals or exit codes. None lives longer than ten minutes, so
 * a harness that fails leaves nothing behind. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char block[65536];

static void sleep_ms(long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Exits with the errno of the first write that fails. */
static void write_all(int fd, long bytes)
{
	while (bytes != 0) {
		size_t want = bytes < 0 || bytes > (long)sizeof(block) ? sizeof(block) : (size_t)bytes;
		ssize_t n = write(fd, block, want);
		if (n < 0)
			_exit(errno);
		if (bytes > 0)
			bytes -= n;
	}
}

static void echo_input(void)
{
	ssize_t n;
	while ((n = read(0, block, sizeof(block))) > 0) {
		for (ssize_t done = 0; done < n;) {
			ssize_t written = write(1, block + done, (size_t)(n - done));
			if (written < 0)
				_exit(errno);
			done += written;
		}
	}
	_exit(n < 0 ? errno : 0);
}

static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (path == NULL || fd < 0)
		_exit(121);
	strncpy(to.sun_path, path, sizeof(to.sun_path) - 1);
	if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		_exit(122);
	close(fd);
}

static void be_deaf(void)
{
	for (int s = 1; s < 32; s++)
		if (s != SIGALRM && s != SIGCHLD)
			signal(s, SIG_IGN);
}

static void leave(int signal)
{
	(void)signal;
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0;
	alarm(600);
	memset(block, 'x', sizeof(block));
	if (!strcmp(what, "exit"))
		return (int)n;
	if (!strcmp(what, "signal")) {
		signal((int)n, SIG_DFL);
		raise((int)n);
		return 123;
	}
	if (!strcmp(what, "write")) {
		write_all(1, n);
		return 0;
	}
	if (!strcmp(what, "complain")) {
		write_all(2, n);
		return 1;
	}
	if (!strcmp(what, "flood")) {
		signal(SIGPIPE, SIG_DFL);
		write_all(1, -1);
	}
	if (!strcmp(what, "cat"))
		echo_input();
	if (!strcmp(what, "sleep")) {
		sleep_ms(n);
		return 0;
	}
	if (!strcmp(what, "stubborn")) {
		be_deaf();
		sleep_ms(n);
		return 0;
	}
	if (!strcmp(what, "close")) {
		close_range(0, ~0U, 0);
		sleep_ms(n);
		return 7;
	}
	if (!strcmp(what, "stop")) {
		raise(SIGSTOP);
		return 0;
	}
	/* Leaves a process that has left everything, but keeps nothing open. */
	if (!strcmp(what, "daemon")) {
		if (fork() == 0) {
			setsid();
			close_range(0, ~0U, 0);
			sleep_ms(n);
			_exit(0);
		}
		return 3;
	}
	/* Leaves a process that keeps the pipes. */
	if (!strcmp(what, "hold")) {
		if (fork() == 0) {
			setsid();
			sleep_ms(n);
			_exit(0);
		}
		write_all(1, 4);
		return 4;
	}
	/* Leaves processes so many deep, each in a session of its own, deaf, without fds. */
	if (!strcmp(what, "tree")) {
		for (long depth = 0; depth < n; depth++) {
			if (fork() != 0) {
				sleep_ms(depth == 0 ? 30 : 600000);
				return 6;
			}
			alarm(600);
			setsid();
			be_deaf();
			close_range(0, ~0U, 0);
		}
		sleep_ms(600000);
		return 0;
	}
	if (!strcmp(what, "fork")) {
		for (long i = 0; i < n; i++)
			if (fork() == 0)
				_exit(0);
		while (wait(NULL) > 0)
			;
		return 5;
	}
	/* A service: ready when it has said so, or at once without a socket. */
	if (!strcmp(what, "serve")) {
		signal(SIGTERM, leave);
		signal(SIGHUP, SIG_IGN);
		if (getenv("NOTIFY_SOCKET") != NULL)
			notify("READY=1\nSTATUS=serving");
		if (n > 0) {
			sleep_ms(n);
			return 9;
		}
		for (;;)
			pause();
	}
	fprintf(stderr, "imp: what is \"%s\"?\n", what);
	return 120;
}
