/*
 * Whatever hosts write to the memory that they can write to, at whatever moment: the owner's calls return, read nothing
 * out of bounds, never change a verdict that was taken, and deliver each once; counts add up; what comes afterwards runs
 * as ever; and a kill of all ends all.
 * Broken by: an index, a length or a word that is believed because a host says so, in the owner or in the supervisor.
 *
 * The fuzzer's input is a play: which call comes next, what hosts do between and during the calls. See world.h.
 */
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t bytes)
{
    plays_run(input, bytes, false);
    return 0;
}
