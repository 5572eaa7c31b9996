/* expect: left process */
#include "../harness/harness.h"

#include <unistd.h>

void test(void)
{
    if (fork() == 0)
        for (;;)
            pause();
}
