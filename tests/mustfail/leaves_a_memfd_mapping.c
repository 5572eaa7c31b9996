/* expect: /memfd:left */
#include "../harness/harness.h"

#include <sys/mman.h>
#include <unistd.h>

void test(void)
{
    int file = memfd_create("left", MFD_CLOEXEC);
    CHECK(file >= 0);
    CHECK_EQ(ftruncate(file, 4096), 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0) != MAP_FAILED);
    CHECK_EQ(close(file), 0);
}
