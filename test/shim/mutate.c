/* Mutations that keep the form of an input (fuzz.c has it): what fails, how the
 * launcher is set up, which launches there are, and fields of one spec. */
#include "../../src/native/shim/pidpool.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16, MOST_CHOICES = 4096 };

struct piece {
	const uint8_t *bytes;
	size_t n;
	uint8_t what;
};

struct input {
	uint8_t how, capacity;
	struct piece choices, launches[MOST];
	unsigned count;
};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t an, const uint8_t *b, size_t bn, uint8_t *out, size_t most,
				 unsigned seed);

static size_t number(const uint8_t *at)
{
	return at[0] | (size_t)at[1] << 8;
}

static int parse(struct input *in, const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	*in = (struct input){ 0 };
	if (size < 4 || size - 4 < number(data + 2))
		return 0;
	in->how = data[0];
	in->capacity = data[1];
	in->choices = (struct piece){ data + 4, number(data + 2), 0 };
	data += 4 + in->choices.n;
	while (in->count < MOST && end - data >= 3 && (size_t)(end - data) - 3 >= number(data + 1)) {
		in->launches[in->count++] = (struct piece){ data + 3, number(data + 1), data[0] };
		data += 3 + number(data + 1);
	}
	return in->count > 0;
}

static size_t put(uint8_t *out, const struct input *in, size_t most)
{
	size_t n = 4 + in->choices.n;

	if (n > most)
		return 0;
	out[0] = in->how;
	out[1] = in->capacity;
	out[2] = (uint8_t)in->choices.n;
	out[3] = (uint8_t)(in->choices.n >> 8);
	memcpy(out + 4, in->choices.bytes, in->choices.n);
	for (unsigned i = 0; i < in->count; i++) {
		const struct piece *launch = &in->launches[i];
		if (n + 3 + launch->n > most)
			break;
		out[n] = launch->what;
		out[n + 1] = (uint8_t)launch->n;
		out[n + 2] = (uint8_t)(launch->n >> 8);
		memcpy(out + n + 3, launch->bytes, launch->n);
		n += 3 + launch->n;
	}
	return n;
}

static unsigned state;

static unsigned below(unsigned n)
{
	state = state * 1103515245 + 12345;
	return (state >> 8) % n;
}

/* A word of the header, or of a table: a small number, a bit, an offset, or anything. */
static void mutate_word(uint8_t *spec, size_t n)
{
	size_t from = below(2) ? 0 : sizeof(struct pp_spec), words = (n - from) / 4;
	uint32_t word;

	if (n <= from || words == 0)
		return;
	if (from == 0 && words > sizeof(struct pp_spec) / 4)
		words = sizeof(struct pp_spec) / 4;
	uint8_t *at = spec + from + 4 * below((unsigned)words);
	memcpy(&word, at, sizeof word);
	switch (below(6)) {
	case 0:
		word = below(8);
		break;
	case 1:
		word ^= 1U << below(32);
		break;
	case 2:
		word = below((unsigned)n);
		break;
	case 3:
		word = -below(3);
		break;
	case 4:
		word += below(17) - 8;
		break;
	default:
		word = below(1 << 24) << 8 | below(256);
	}
	memcpy(at, &word, sizeof word);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct input in;
	uint8_t *piece = NULL, *whole;

	state = seed;
	if (!parse(&in, data, size))
		return LLVMFuzzerMutate(data, size, most);
	struct piece *launch = &in.launches[below(in.count)];
	unsigned action = below(20);
	if (action < 8) {
		piece = malloc(MOST_CHOICES);
		size_t n = in.choices.n < MOST_CHOICES ? in.choices.n : MOST_CHOICES;
		memcpy(piece, in.choices.bytes, n);
		if (action < 3) {
			/* All goes well for a while, then something fails. */
			size_t more = 1 + below(64);
			for (size_t i = 0; i < more && n < MOST_CHOICES; i++)
				piece[n++] = 0;
			piece[n - 1] = (uint8_t)(192 + below(64));
		} else
			n = LLVMFuzzerMutate(piece, n, MOST_CHOICES);
		in.choices = (struct piece){ piece, n, 0 };
	} else if (action < 9) {
		in.how ^= (uint8_t)(1U << below(8));
	} else if (action < 10) {
		in.capacity = (uint8_t)below(256);
	} else if (action < 11) {
		launch->what ^= (uint8_t)(1U << below(3));
	} else if (action < 13 && in.count < MOST) {
		in.launches[in.count++] = *launch;
	} else if (action < 14 && in.count > 1) {
		*launch = in.launches[--in.count];
	} else {
		piece = malloc(launch->n + 64);
		size_t n = launch->n;
		memcpy(piece, launch->bytes, n);
		if (action < 18)
			for (unsigned i = 0; i <= below(3); i++)
				mutate_word(piece, n);
		else
			n = LLVMFuzzerMutate(piece, n, n + 64 < 0xffff ? n + 64 : n);
		launch->bytes = piece;
		launch->n = n;
	}
	whole = malloc(most);
	size_t n = put(whole, &in, most);
	memcpy(data, whole, n);
	free(whole);
	free(piece);
	return n ? n : size;
}

/* The set-up of one, launches of both. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t an, const uint8_t *b, size_t bn, uint8_t *out, size_t most,
				 unsigned seed)
{
	struct input first, second;

	state = seed;
	if (!parse(&first, a, an) || !parse(&second, b, bn))
		return 0;
	for (unsigned i = 0; i < second.count && first.count < MOST; i++)
		if (below(2))
			first.launches[first.count++] = second.launches[i];
	if (below(3) == 0)
		first.choices = second.choices;
	return put(out, &first, most);
}
