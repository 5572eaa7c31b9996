/*
 * When a kill returns, everything is gone that its task had started, with a namespace of processes for each host: daemons, a bomb that
 * changes sessions, lines of processes that fork, exec and end. A task that crashes leaves nothing either, and is told
 * right.
 * Broken by: a host that is not born into it; a first process that outlives it; a host that is the first process.
 */
#include "rungs.h"

void test(void)
{
    check_rung(MORTAL_CONTAIN_NAMESPACE);
}
