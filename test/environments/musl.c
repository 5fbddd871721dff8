/* Built with musl: loads the shim that its argument names and calls it, then starts the guardian, which has no C library
 * at all. Prints 1 for each that worked. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		return 125;
	void *shim = dlopen(argv[1], RTLD_NOW);
	if (shim == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	int64_t (*layout)(uint32_t) = (int64_t(*)(uint32_t))dlsym(shim, "pp_layout");
	int64_t (*call)(int64_t, ...) = (int64_t(*)(int64_t, ...))dlsym(shim, "pp_syscall");
	void *thread = dlsym(shim, "pp_launcher_main");
	if (layout == NULL || call == NULL || thread == NULL)
		return 2;
	printf("%d\n", layout(0) > 0);
	printf("%d\n", call(SYS_getpid, 0, 0, 0, 0, 0, 0) == getpid());
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		close(0);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	int status = 0;
	waitpid(child, &status, 0);
	printf("%d\n", WIFEXITED(status) && WEXITSTATUS(status) != 127);
	return 0;
}
