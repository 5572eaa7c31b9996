/*
 * When a kill returns, everything is gone that its task had started, by subreapers alone: daemons, a bomb that
 * changes sessions, lines of processes that fork, exec and end. A task that crashes leaves nothing either, and is told
 * right.
 * Broken by: a look at the children that is taken once.
 */
#include "rungs.h"

void test(void)
{
    check_rung(MORTAL_CONTAIN_SUBREAPER);
}
