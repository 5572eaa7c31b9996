/* expect: left behind: shared mapping */
#include "../harness/harness.h"

#include <sys/mman.h>

void test(void)
{
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}
