#include "system/huge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "system/memory.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

/* What stands in brackets, as in "always [never]". */
static bool chosen(const char *path, char *word, size_t room) {
    char line[128];
    FILE *file = fopen(path, "re");
    bool has = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL)
        (void)fclose(file);
    const char *from = has ? strchr(line, '[') : NULL;
    const char *to = from != NULL ? strchr(from, ']') : NULL;
    if (to == NULL || (size_t)(to - from) > room)
        return false;
    memcpy(word, from + 1, (size_t)(to - from - 1));
    word[to - from - 1] = '\0';
    return true;
}

enum huge_rule huge_rule(void) {
#define FOLDER "/sys/kernel/mm/transparent_hugepage/"
    char word[32];
    if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) > 0)
        return HUGE_REFUSED;
    /* Since Linux 6.10 each size has a rule of its own, which is "inherit" unless somebody changed it. */
    if (!chosen(FOLDER "hugepages-2048kB/shmem_enabled", word, sizeof word) || strcmp(word, "inherit") == 0)
        if (!chosen(FOLDER "shmem_enabled", word, sizeof word))
            return HUGE_UNKNOWN;
    if (strcmp(word, "never") == 0 || strcmp(word, "deny") == 0)
        return HUGE_REFUSED;
    return strcmp(word, "advise") == 0 ? HUGE_ON_TOUCH : HUGE_GIVEN;
#undef FOLDER
}

/* Where the next bytes are from there on, or to if there are none before that. */
static uint64_t next_bytes(int fd, uint64_t from, uint64_t to) {
    off_t at = lseek(fd, (off_t)from, SEEK_DATA);
    return at < 0 || (uint64_t)at > to ? to : (uint64_t)at;
}

static uint64_t count_there(int fd, uint64_t from, uint64_t to) {
    uint64_t there = 0;
    while ((from = next_bytes(fd, from, to)) < to) {
        off_t hole = lseek(fd, (off_t)from, SEEK_HOLE);
        uint64_t end = hole < 0 || (uint64_t)hole > to ? to : (uint64_t)hole;
        there += end - from;
        if (end <= from)
            break;
        from = end;
    }
    return there;
}

/* Of the mapping that begins there: what of it the kernel has put up in one piece. */
static bool read_smaps(const void *start, uint64_t *huge) {
    char line[512];
    bool is_here = false, found = false;
    FILE *file = fopen("/proc/self/smaps", "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        unsigned long from, to;
        unsigned long long kib;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            is_here = from == (uintptr_t)start;
        else if (is_here && sscanf(line, "ShmemPmdMapped: %llu kB", &kib) == 1) {
            *huge = (uint64_t)kib << 10;
            found = true;
        }
    }
    if (file != NULL)
        (void)fclose(file);
    return found;
}

/* Look at one page of each 2 MiB. By the kernel: a page that a task has taken away meanwhile must be no signal here. */
static int put_up(int fd, uint8_t *at, uint64_t offset, uint64_t from, uint64_t to, bool is_whole) {
    while (from < to) {
        uint64_t page = is_whole ? from : next_bytes(fd, from, to) / PAGE_BYTES * PAGE_BYTES;
        if (page >= to)
            break;
        if (madvise(at + (page - offset), PAGE_BYTES, MADV_POPULATE_READ) < 0 && errno == EINVAL)
            return -ENOSYS;
        from = page / HUGE_BYTES * HUGE_BYTES + HUGE_BYTES;
    }
    return 0;
}

/* In a mapping of its own, which ends with the call: in those that are there already parts are put up, or not, as it
 * happened that somebody touched them. */
int huge_count(int fd, uint64_t offset, uint64_t bytes, bool is_whole, uint64_t *there, uint64_t *huge) {
    uint64_t start = offset / HUGE_BYTES * HUGE_BYTES, room = round_up(offset + bytes - start, HUGE_BYTES), found = 0;
    uint64_t span = room + HUGE_BYTES;
    uint8_t *space = memory_space(span, NULL);
    if (space == NULL)
        return -ENOMEM;
    uint8_t *at = space + (HUGE_BYTES - (uintptr_t)space % HUGE_BYTES) % HUGE_BYTES;
    int error = memory_map(fd, start, room, false, at) != NULL ? 0 : -ENOMEM;
    if (error == 0) {
        memory_not_in_children(at, room);
        error = put_up(fd, at, start, offset, offset + bytes, is_whole);
    }
    if (error == 0 && !read_smaps(at, &found))
        error = -ENOSYS;
    memory_unmap(space, span);
    if (error != 0)
        return error;
    *there = is_whole ? bytes : count_there(fd, offset, offset + bytes);
    *huge = found < *there ? found : *there;
    return 0;
}
