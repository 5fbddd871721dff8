/* What process/encode.ts promises of a spec. The shim relies on it and checks
 * nothing: whoever may write that memory is the process itself. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include "../../src/native/shim/pidpool.h"

/* Changes as little of a spec as makes it keep the promise; its last byte must be
 * NUL. False where there is nothing to save. */
bool conform(struct pp_spec *spec, size_t size);

/* Whether it does as it is. */
bool conforms(const void *spec, size_t size);

#endif
