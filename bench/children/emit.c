/* A child that writes as many bytes to stdout as its argument says. */
#include "static.h"

static char buffer[65536];

/* The kernel leaves argc and argv on the stack, where only this can find them. */
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tcall emit\n");
#else
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl emit\n");
#endif

__attribute__((noreturn, used)) void emit(const long *stack)
{
	unsigned long left = 0;
	int failed = stack[0] < 2;
	if (!failed)
		for (const char *digit = (const char *)stack[2]; *digit; digit++)
			left = left * 10 + (unsigned long)(*digit - '0');
	while (left > 0 && !failed) {
		long written = call(NR_write, 1, (long)buffer, left < sizeof buffer ? (long)left : (long)sizeof buffer, 0, 0);
		failed = written <= 0;
		left -= failed ? 0 : (unsigned long)written;
	}
	for (;;)
		call(NR_exit, failed, 0, 0, 0, 0);
}
