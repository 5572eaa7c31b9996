/*
 * Of a segment it is told how much exists and how much of that is in huge pages, whoever touched them; to ask makes no
 * page. Where they come only to mappings that asked, making the pages of such a mapping exist makes huge ones. Tried on a
 * file system of our own, since what the machine says of its shared memory is not ours to change.
 * Broken by: a count of what this process happened to put up; a look that fills holes; a reservation by the descriptor.
 */
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/huge.h"
#include "system/memory.h"
#include "system/namespace.h"

enum { SPAN = 8 * HUGE_BYTES, CANNOT = 77 };

static uint64_t blocks_of(int fd)
{
    struct stat about;
    CHECK_EQ(fstat(fd, &about), 0);
    return (uint64_t)about.st_blocks * 512;
}

static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, SPAN), 0);
    return fd;
}

static uint8_t *map_wanting(int fd)
{
    uint8_t *space = memory_space(SPAN + HUGE_BYTES, NULL);
    space += (HUGE_BYTES - (uintptr_t)space % HUGE_BYTES) % HUGE_BYTES;
    CHECK(memory_map(fd, 0, SPAN, true, space) != NULL);
    memory_want_huge(space, SPAN);
    return space;
}

static void expect(int fd, uint64_t offset, uint64_t bytes, bool is_whole, uint64_t there, uint64_t huge)
{
    uint64_t blocks = blocks_of(fd), found_there = 1, found_huge = 1;
    CHECK_EQ(huge_count(fd, offset, bytes, is_whole, &found_there, &found_huge), 0);
    CHECK_EQ(found_there, there);
    CHECK_EQ(found_huge, huge);
    CHECK_EQ(blocks_of(fd), blocks);
}

/* A process with a file system in memory that gives huge pages to mappings that ask for them. */
static void in_its_own_world(void)
{
    bool in_map;
    if (unshare(CLONE_NEWNS) != 0 && (namespace_own_user(&in_map) != 0 || unshare(CLONE_NEWNS) != 0))
        _exit(CANNOT);
    (void)mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
    if (mount("tmpfs", ".", "tmpfs", 0, "huge=advise") != 0)
        _exit(CANNOT);
}

static void try_here(const char *where)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/asked", where);
    int      asked = make_file(path);
    uint8_t *at = map_wanting(asked);
    expect(asked, 0, SPAN, false, 0, 0);
    CHECK_EQ(memory_commit(at, SPAN / 2, asked, 0), 0);
    uint64_t there, huge;
    CHECK_EQ(huge_count(asked, 0, SPAN / 2, true, &there, &huge), 0);
    if (huge == 0)
        _exit(CANNOT); /* no such page is free, or the kernel has none */
    expect(asked, 0, SPAN / 2, true, SPAN / 2, SPAN / 2);
    expect(asked, 0, SPAN, false, SPAN / 2, SPAN / 2);
    expect(asked, HUGE_BYTES, HUGE_BYTES, true, HUGE_BYTES, HUGE_BYTES);
    expect(asked, SPAN / 2, SPAN / 2, false, 0, 0);
    CHECK_EQ(munmap(at, SPAN), 0);
    expect(asked, 0, SPAN, false, SPAN / 2, SPAN / 2); /* nobody has it mapped */
    (void)snprintf(path, sizeof path, "%s/reserved", where);
    int reserved = make_file(path);
    CHECK_EQ(memory_reserve(reserved, 0, SPAN), 0);
    expect(reserved, 0, SPAN, true, SPAN, 0);
}

void test(void)
{
    char where[200];
    CHECK(getcwd(where, sizeof where) != NULL);
    pid_t child = fork();
    int   status = -1;
    if (child == 0) {
        in_its_own_world();
        try_here(where);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == CANNOT)
        harness_skip("no file system of its own with huge pages can be had here");
    CHECK_EQ(WEXITSTATUS(status), 0);
}
