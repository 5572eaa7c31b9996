/*
 * A buffer for which there is no memory is -ENOMEM at the call, and nothing of it is left; a lazy one can be had, and takes
 * none until it is touched. What was taken goes back to the system when the buffer is closed.
 * Broken by: memory that is only promised, a reservation that a failure leaves behind, a lazy buffer that is reserved.
 */
#include "tasks.h"

#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static unsigned long long blocks(const char *of)
{
    unsigned long long sum = 0;
    for (int fd = 0; fd < 64; fd++) {
        char        path[40], name[64];
        struct stat status;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, name, sizeof name - 1);
        name[length > 0 ? length : 0] = 0;
        if (strstr(name, of) != NULL && fstat(fd, &status) == 0)
            sum += (unsigned long long)status.st_blocks * 512;
    }
    return sum;
}

void test(void)
{
    mortal_pool       *pool = pool_with(1);
    struct sysinfo     system;
    mortal_buffer      buffer;
    CHECK_OK(sysinfo(&system));
    unsigned long long all = ((unsigned long long)system.totalram + system.totalswap) * system.mem_unit;
    size_t             too_much = all + all / 2;
    if (stats_of(pool).buffers_bytes < too_much)
        SKIP("there is less address space here for buffers than memory");
    for (int given = 0; given <= MORTAL_BUFFER_GIVEN; given += MORTAL_BUFFER_GIVEN) {
        for (unsigned i = 0; i < 100; i++)
            CHECK_ERR(mortal_buffer_open(&buffer, pool, too_much, given), -ENOMEM);
        CHECK_EQ(stats_of(pool).buffers, 0);
        CHECK_EQ(blocks(given ? "mortal:inputs" : "mortal:buffers"), 0);
        CHECK_OK(mortal_buffer_open(&buffer, pool, too_much, given | MORTAL_BUFFER_LAZY));
        CHECK_EQ(blocks(given ? "mortal:inputs" : "mortal:buffers"), 0);
        CHECK_OK(mortal_buffer_close(buffer));
        CHECK_OK(mortal_buffer_open(&buffer, pool, 1 << 20, given));
        CHECK(blocks(given ? "mortal:inputs" : "mortal:buffers") >= 1 << 20);
        CHECK_OK(mortal_buffer_close(buffer));
        CHECK_EQ(blocks(given ? "mortal:inputs" : "mortal:buffers"), 0);
    }
    check_pool_works(pool);
    end(pool);
}
