/* expect: left file /dev/shm/mortal-rubbish */
#include "../harness/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Its number in the name, so that it is a new one each time also where /dev/shm is not the test's own. */
void test(void)
{
    char name[64];
    snprintf(name, sizeof name, "/mortal-rubbish-%d", (int)getpid());
    CHECK_EQ(close(shm_open(name, O_RDWR | O_CREAT, 0600)), 0);
}
