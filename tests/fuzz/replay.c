/*
 * replay.c - plays a fuzz target's corpus again, without a fuzzer
 *
 * tests/fuzz/corpus/NAME.hex holds one input a line, in hexadecimal digits. What the fuzzer once found must hold.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t bytes);

static size_t from_hex(const char *line, uint8_t *bytes)
{
    size_t count = 0;
    unsigned value;
    for (; sscanf(line, "%2x", &value) == 1 && line[1] != '\0' && line[0] != '\n'; line += 2)
        bytes[count++] = (uint8_t)value;
    return count;
}

void test(void)
{
    const char *root = getenv("SRC");
    char path[4096], *line = NULL;
    size_t room = 0, inputs = 0;
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s.hex", root ? root : ".", FUZZ_TARGET);
    FILE *corpus = fopen(path, "re");
    CHECK(corpus != NULL);
    for (ssize_t length; (length = getline(&line, &room, corpus)) > 0; inputs++) {
        uint8_t *input = malloc((size_t)length); /* of its own and exact in size, so that a look behind its end is seen */
        CHECK(input != NULL);
        size_t bytes = from_hex(line, input);
        LLVMFuzzerTestOneInput(input, bytes);
        free(input);
    }
    free(line);
    fclose(corpus);
    CHECK(inputs != 0);
    harness_note("%zu inputs played", inputs);
}
