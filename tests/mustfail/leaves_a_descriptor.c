/* expect: left behind: descriptor */
#include "../harness/harness.h"

#include <unistd.h>

void test(void)
{
    CHECK(dup(0) > 2);
}
