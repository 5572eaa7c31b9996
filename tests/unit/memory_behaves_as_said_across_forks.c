/*
 * A segment can be neither cut nor grown, is never one of the standard streams, and does not survive exec. What is said to
 * be wiped, or not to be there, in children is so; what is punched reads as zero; and a file size limit is an error, not
 * a signal.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 16 * PAGE_BYTES };

static int status_of_child(void (*body)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

static void closes_its_streams(void)
{
    close(0);
    close(2);
    int fd = memory_segment("low", BYTES);
    CHECK(fd > 2);
    CHECK(fcntl(0, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0);
}

static void meets_a_file_size_limit(void)
{
    struct rlimit limit = {.rlim_cur = BYTES - 1, .rlim_max = BYTES};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_EQ(memory_segment("large", BYTES), -EFBIG);
    limit.rlim_cur = BYTES;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK(memory_segment("large enough", BYTES) > 2);
}

static void check_segment(void)
{
    int fd = memory_segment("sealed", BYTES);
    CHECK(fd > 2);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(ftruncate(fd, BYTES - 1) < 0 && errno == EPERM);
    CHECK(ftruncate(fd, BYTES + 1) < 0 && errno == EPERM);
    uint8_t *map = memory_map(fd, 0, BYTES, true, NULL), *second = memory_map(fd, PAGE_BYTES, PAGE_BYTES, false, NULL);
    CHECK(map != NULL && second != NULL);
    CHECK_EQ(memory_commit(map + 100, BYTES - 200, fd, 100), 0); /* from the middle of a page to the middle of another */
    memset(map, 7, BYTES);
    CHECK_EQ(second[0], 7);
    memory_punch(fd, PAGE_BYTES, PAGE_BYTES);
    CHECK(second[0] == 0 && second[PAGE_BYTES - 1] == 0 && map[PAGE_BYTES - 1] == 7 && map[2 * PAGE_BYTES] == 7);
    CHECK(memory_map(fd, 0, PAGE_BYTES, true, second) == second); /* in the place of what was there */
    second[3] = 9;
    CHECK_EQ(map[3], 9);
    memory_unmap(map, BYTES);
    memory_unmap(second, PAGE_BYTES);
    memory_unmap(NULL, BYTES);
    CHECK(memory_map(fd, 0, 1ull << 60, true, NULL) == NULL);
    close(fd);
    CHECK(memory_private(1ull << 60) == NULL);
}

static uint8_t *wiped, *absent;

static void looks_at_what_it_inherited(void)
{
    CHECK_EQ(*wiped, 0);
    unsigned char resident;
    CHECK(mincore(absent, PAGE_BYTES, &resident) < 0 && errno == ENOMEM); /* not mapped */
}

void test(void)
{
    CHECK_EQ(round_up(0, 8), 0);
    CHECK_EQ(round_up(1, 8), 8);
    CHECK_EQ(round_up(8, 8), 8);
    CHECK_EQ(round_up((1ull << 40) + 1, PAGE_BYTES), (1ull << 40) + PAGE_BYTES);
    check_segment();
    CHECK_EQ(status_of_child(closes_its_streams), 0);
    CHECK_EQ(status_of_child(meets_a_file_size_limit), 0);
    wiped = memory_wiped_in_children(PAGE_BYTES);
    absent = memory_private(PAGE_BYTES);
    CHECK(wiped != NULL && absent != NULL);
    *wiped = 1;
    *absent = 1;
    memory_not_in_children(absent, PAGE_BYTES);
    CHECK_EQ(status_of_child(looks_at_what_it_inherited), 0);
    CHECK(*wiped == 1 && *absent == 1);
    memory_unmap(wiped, PAGE_BYTES);
    memory_unmap(absent, PAGE_BYTES);
}
