/* expect: left file rubbish */
#include "../harness/harness.h"

#include <fcntl.h>
#include <unistd.h>

void test(void)
{
    CHECK_EQ(close(open("rubbish", O_WRONLY | O_CREAT, 0600)), 0);
}
