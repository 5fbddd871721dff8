/* Runs a command whose system calls fail now and then as they do when the
 * system runs out of something: `weather SEED PERMILLE COMMAND...`. A seccomp
 * filter hands them to this process, which answers with an error or lets the
 * kernel go on. Linux 5.5. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLONE_PIDFD 0x1000

struct fault {
	int nr;
	int errors[3];
};

static const struct fault faults[] = {
	{ SYS_clone3, { EAGAIN, ENOMEM, 0 } },
	{ SYS_pipe2, { EMFILE, ENFILE, 0 } },
	{ SYS_socketpair, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_eventfd2, { EMFILE, ENFILE, ENOMEM } },
	{ SYS_mremap, { ENOMEM, 0, 0 } },
	{ SYS_epoll_ctl, { ENOMEM, ENOSPC, 0 } },
	{ SYS_execve, { EAGAIN, ENOMEM, 0 } },
};
#define FAULTS (sizeof(faults) / sizeof(*faults))

static unsigned state;

static unsigned chance(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static int install(void)
{
	struct sock_filter code[2 * FAULTS + 2];
	struct sock_fprog program = { 0, code };
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < FAULTS; i++) {
		code[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)faults[i].nr, 0, 1);
		code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void send_fd(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	sendmsg(socket, &message, 0);
}

static int receive_fd(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int fd = -1;
	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) > 0 && CMSG_FIRSTHDR(&message) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

/* Threads that have made a child with a pidfd: launchers. Others' epoll sets are the
 * event loop's, which does not survive an error. */
static int launchers[4096], count;

static int is_launcher(int thread)
{
	for (int i = 0; i < count; i++)
		if (launchers[i] == thread)
			return 1;
	return 0;
}

static void look_at_clone(const struct seccomp_notif *asked)
{
	char path[64];
	unsigned long long flags = 0;
	snprintf(path, sizeof(path), "/proc/%u/mem", asked->pid);
	int memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory < 0)
		return;
	if (pread(memory, &flags, sizeof(flags), (off_t)asked->data.args[0]) == sizeof(flags) && (flags & CLONE_PIDFD) != 0 &&
	    !is_launcher((int)asked->pid) && count < 4096)
		launchers[count++] = (int)asked->pid;
	close(memory);
}

static int error_for(const struct seccomp_notif *asked, unsigned permille)
{
	if (asked->data.nr == SYS_clone3)
		look_at_clone(asked);
	if (asked->data.nr == SYS_epoll_ctl && !is_launcher((int)asked->pid))
		return 0;
	if (chance(1000) >= permille)
		return 0;
	for (unsigned i = 0; i < FAULTS; i++) {
		unsigned errors = 1;
		while (errors < 3 && faults[i].errors[errors] != 0)
			errors++;
		if (faults[i].nr == asked->data.nr)
			return faults[i].errors[chance(errors)];
	}
	return 0;
}

static void answer(int listener, unsigned permille)
{
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp reply = { 0 };
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return;
	int error = error_for(&asked, permille);
	reply.id = asked.id;
	reply.error = -error;
	reply.flags = error == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

int main(int argc, char **argv)
{
	int pair[2], status = 0;
	if (argc < 4 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return 100;
	state = (unsigned)strtoul(argv[1], NULL, 10) | 1;
	unsigned permille = (unsigned)strtoul(argv[2], NULL, 10);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int listener = install();
		if (listener < 0)
			_exit(101);
		send_fd(pair[1], listener);
		close(listener);
		execvp(argv[3], argv + 3);
		_exit(102);
	}
	close(pair[1]);
	int listener = receive_fd(pair[0]);
	if (listener < 0)
		return 103;
	/* Its own start is not to fail. */
	unsigned calm = 1500;
	for (;;) {
		struct pollfd waiting = { listener, POLLIN, 0 };
		int ready = poll(&waiting, 1, 100);
		if (ready > 0 && (waiting.revents & POLLIN) != 0)
			answer(listener, calm > 0 ? (calm--, 0) : permille);
		if ((ready == 0 || (waiting.revents & POLLHUP) != 0) && waitpid(child, &status, WNOHANG) == child)
			break;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
