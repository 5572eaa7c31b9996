/* expect: died by signal 9 */
#include "../harness/harness.h"

#include <signal.h>

void test(void)
{
    raise(SIGKILL);
}
