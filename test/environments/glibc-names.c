/* What Debian's libstdc++ and libgcc_s, which are built for glibc, expect of a C library and musl does not have: with it
 * they serve the musl build of Bun, which links against both. Only for tests: on Alpine they are musl's own. */
#define _GNU_SOURCE
#include <link.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded = 0;
unsigned int __cpu_model[4];

int __cpu_indicator_init(void)
{
	return 0;
}

/* Destructors of thread-local objects: they are left alone, as at a thread's cancellation. */
int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *dso)
{
	(void)destructor, (void)object, (void)dso;
	return 0;
}

size_t __strftime_l(char *restrict to, size_t size, const char *restrict format, const struct tm *restrict time,
		    locale_t locale)
{
	return strftime_l(to, size, format, time, locale);
}

uint32_t arc4random(void)
{
	uint32_t number = 0;
	getrandom(&number, sizeof number, 0);
	return number;
}

/* glibc 2.35: where the code at an address has its tables for exceptions. */
struct dl_find_object {
	unsigned long long flags;
	void *start, *end, *map, *eh_frame;
	unsigned long long reserved[7];
};

struct search {
	uintptr_t pc;
	struct dl_find_object *found;
};

static int look(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct search *search = argument;
	uintptr_t low = UINTPTR_MAX, high = 0, frame = 0;
	int hit = 0;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = info->dlpi_phdr + i;
		uintptr_t start = info->dlpi_addr + header->p_vaddr;
		uintptr_t end = start + header->p_memsz;
		if (header->p_type == PT_GNU_EH_FRAME)
			frame = start;
		if (header->p_type != PT_LOAD)
			continue;
		low = start < low ? start : low;
		high = end > high ? end : high;
		hit |= search->pc >= start && search->pc < end;
	}
	if (!hit || frame == 0)
		return 0;
	*search->found = (struct dl_find_object){ .start = (void *)low, .end = (void *)high, .eh_frame = (void *)frame };
	return 1;
}

int _dl_find_object(void *pc, struct dl_find_object *found)
{
	struct search search = { (uintptr_t)pc, found };
	return dl_iterate_phdr(look, &search) == 1 ? 0 : -1;
}
