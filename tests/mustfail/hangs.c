/* expect: timed out */
/* expect: was running: */
#include "../harness/harness.h"

#include <signal.h>
#include <unistd.h>

void test(void)
{
    signal(SIGTERM, SIG_IGN);
    if (fork() == 0)
        setsid();
    for (;;)
        pause();
}
