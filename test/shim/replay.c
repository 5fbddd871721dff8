/* Runs the fuzzer's target once on each file, where there is no libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		static uint8_t room[1 << 20];
		FILE *file = fopen(argv[i], "rb");
		if (!file) {
			perror(argv[i]);
			return 1;
		}
		size_t n = fread(room, 1, sizeof room, file);
		fclose(file);
		/* Of exactly its size: what is read past it is seen. */
		uint8_t *data = malloc(n);
		for (size_t at = 0; at < n; at++)
			data[at] = room[at];
		LLVMFuzzerTestOneInput(data, n);
		free(data);
	}
	return 0;
}
