/* expect: CHECK_STR("one", NULL): "one" is not "(null)" */
#include "../harness/harness.h"

void test(void)
{
    CHECK_STR("one", NULL);
}
