/* Included before each source of the shim where another than the kernel is to
 * answer its system calls. The sources themselves know nothing of it. */
#include "../../src/native/shim/arch.h"

long answer(long nr, long a, long b, long c, long d, long e, long f);
#define sys6 answer
/* The sanitizers have their own. */
#define memcpy pp_memcpy
#define memset pp_memset
