#include "system/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

int memory_segment(const char *name, uint64_t bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < bytes)
        return -EFBIG;
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && fd < 3) { /* this program closed a standard stream: hosts would take the segment for it */
        int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        close(fd);
        fd = higher;
    }
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

void *memory_map(int fd, uint64_t offset, uint64_t bytes, bool writable, void *at) {
    int flags = MAP_SHARED | MAP_NORESERVE | (at != NULL ? MAP_FIXED : 0);
    void *got = mmap(at, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, flags, fd, (off_t)offset);
    return got == MAP_FAILED ? NULL : got;
}

void *memory_map_near(int fd, uint64_t bytes, void *wanted) {
    void *got = mmap(wanted, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    return got == MAP_FAILED ? NULL : got;
}

void *memory_space(uint64_t bytes, void *wanted) {
    void *got = mmap(wanted, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return got == MAP_FAILED ? NULL : got;
}

int memory_map_file(int fd, uint64_t offset, uint64_t bytes, bool writable, void *at) {
    int flags = (writable ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | MAP_NORESERVE;
    if (mmap(at, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, flags, fd, (off_t)offset) == MAP_FAILED) {
        int error = errno;
        memory_unmap_file(at, bytes); /* what was there may be gone already */
        return -error;
    }
    memory_not_in_children(at, bytes);
    return 0;
}

void memory_unmap_file(void *at, uint64_t bytes) {
    (void)mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    memory_not_in_children(at, bytes);
}

bool memory_copy_in(int fd, uint64_t offset, const void *from, uint64_t bytes) {
    const uint8_t *next = from;
    while (bytes != 0) {
        ssize_t copied = pwrite(fd, next, bytes, (off_t)offset);
        if (copied < 0 && errno == EINTR)
            continue;
        if (copied <= 0)
            return false;
        next += copied;
        offset += (uint64_t)copied;
        bytes -= (uint64_t)copied;
    }
    return true;
}

int memory_map_read_only(int fd, uint64_t bytes, void *at) {
    char path[40];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY | O_CLOEXEC);
    if (reader < 0)
        return mprotect(at, bytes, PROT_READ) == 0 ? 0 : -errno;
    bool mapped = memory_map(reader, 0, bytes, false, at) != NULL;
    int error = mapped ? 0 : -errno;
    close(reader);
    return error;
}

uint64_t memory_address_space(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
}

uint64_t memory_available(void) {
    char line[128];
    unsigned long long kib = 0, available = UINT64_MAX;
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL)
        return UINT64_MAX;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
            available = kib << 10;
        else if (available != UINT64_MAX && sscanf(line, "SwapFree: %llu", &kib) == 1)
            available += kib << 10;
    }
    (void)fclose(file);
    return available;
}

void memory_want_huge(void *address, uint64_t bytes) { (void)madvise(address, bytes, MADV_HUGEPAGE); }

int memory_reserve(int fd, uint64_t offset, uint64_t bytes) {
    int outcome;
    do {
        outcome = fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes);
    } while (outcome < 0 && errno == EINTR);
    return outcome == 0 ? 0 : -errno;
}

void memory_unmap(void *address, uint64_t bytes) {
    if (address != NULL)
        munmap(address, bytes);
}

int memory_commit(void *address, uint64_t bytes, int fd, uint64_t offset) {
    uintptr_t start = (uintptr_t)address / PAGE_BYTES * PAGE_BYTES;
    uint64_t length = round_up((uintptr_t)address + bytes - start, PAGE_BYTES);
    int outcome;
    do {
        outcome = madvise((void *)start, length, MADV_POPULATE_WRITE);
    } while (outcome < 0 && (errno == EINTR || errno == EAGAIN));
    if (outcome == 0)
        return 0;
    if (errno != EINVAL)
        return -ENOMEM;
    if (fd < 0)
        return 0;
    return memory_reserve(fd, offset, bytes) == 0 ? 0 : -ENOMEM;
}

uint64_t memory_used(int fd) {
    struct stat about;
    int saved = errno;
    uint64_t bytes = fstat(fd, &about) == 0 ? (uint64_t)about.st_blocks * 512 : 0;
    errno = saved;
    return bytes;
}

void memory_punch(int fd, uint64_t offset, uint64_t bytes) {
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes);
}

void memory_not_in_children(void *address, uint64_t bytes) { (void)madvise(address, bytes, MADV_DONTFORK); }

void *memory_wiped_in_children(uint64_t bytes) {
    void *page = memory_private(bytes);
    if (page != NULL && madvise(page, bytes, MADV_WIPEONFORK) < 0) {
        munmap(page, bytes);
        return NULL;
    }
    return page;
}

void *memory_private(uint64_t bytes) {
    void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return got == MAP_FAILED ? NULL : got;
}
