/*
 * The same in a pool that uses more: what hosts leave to be cleaned up after and how they say that they did it, critical
 * sections, hosts that are to be replaced, soft deadlines, caps on processor time, cells that tasks and owner share. Hosts
 * may write anything to the records of all these.
 * Broken by: a number, a length or a slot in one of those that is believed because a host says so.
 */
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t bytes)
{
    plays_run(input, bytes, true);
    return 0;
}
