/*
 * When a kill returns, everything is gone that its task had started, with a control group for each host: daemons, a bomb that
 * changes sessions, lines of processes that fork, exec and end. A task that crashes leaves nothing either, and is told
 * right.
 * Broken by: a host that is not born into its group; a group that is not killed; a sitter that is in it.
 */
#include "rungs.h"

void test(void)
{
    check_rung(MORTAL_CONTAIN_CGROUP);
}
