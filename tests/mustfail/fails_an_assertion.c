/* expect: CHECK_EQ(1 + 1, 3): 2 (0x2) is not 3 (0x3) */
/* expect: exit code 1 */
/* never: it went on */
#include "../harness/harness.h"

#include <stdio.h>

void test(void)
{
    CHECK_EQ(1 + 1, 3);
    puts("it went on");
}
