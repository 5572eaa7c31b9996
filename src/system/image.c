#include "system/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "system/process.h"

#define STACK_BYTES (64u << 10)
#define PROGRAM_FILE "/proc/self/exe"

/* FNV-1a */
static uint64_t mix(uint64_t sum, const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return sum;
}

static uint64_t mix_number(uint64_t sum, uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8)
        sum = (sum ^ (number >> shift & 0xff)) * 0x100000001b3u;
    return sum;
}

static uint64_t mix_build_id(uint64_t sum, const uint8_t *notes, size_t bytes) {
    size_t at = 0;
    while (bytes - at >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, notes + at, sizeof note);
        size_t name = (note.n_namesz + 3u) & ~(size_t)3, text = (note.n_descsz + 3u) & ~(size_t)3;
        at += sizeof note;
        if (name > bytes - at || text > bytes - at - name)
            break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + at, "GNU", 4) == 0)
            sum = mix(sum, notes + at + name, note.n_descsz);
        at += name + text;
    }
    return sum;
}

static uint64_t print_of(const struct dl_phdr_info *info) {
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        sum = mix_number(mix_number(sum, header->p_type), header->p_flags);
        sum = mix_number(mix_number(mix_number(sum, header->p_vaddr), header->p_filesz), header->p_memsz);
        if (header->p_type == PT_NOTE)
            sum = mix_build_id(sum, (const uint8_t *)info->dlpi_addr + header->p_vaddr, header->p_memsz);
    }
    return sum;
}

enum by { BY_ADDRESS, BY_BASE, BY_ORDER };
struct search {
    enum by by;
    uintptr_t value;
    uint32_t passed; /* the first that is told is the program */
    struct image_part *part;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *argument) {
    (void)size;
    struct search *search = argument;
    bool is_program = search->passed++ == 0;
    const char *name = info->dlpi_name != NULL ? info->dlpi_name : "";
    uintptr_t base = info->dlpi_addr, start = 0, end = 0;
    bool found = search->by == BY_ORDER || (search->by == BY_BASE && base == search->value);
    for (size_t i = 0; i < info->dlpi_phnum && !found; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        start = base + header->p_vaddr;
        end = start + header->p_memsz;
        found = search->by == BY_ADDRESS && header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0 &&
                search->value >= start && search->value < end;
    }
    if (!found)
        return 0;
    struct image_part *part = search->part;
    *part = (struct image_part){.is_program = is_program, .base = base, .start = start, .end = end,
                                .print = print_of(info)};
    if (!is_program)
        (void)snprintf(part->name, sizeof part->name, "%s", name);
    return 1;
}

static bool look(enum by by, uintptr_t value, struct image_part *part) {
    struct search search = {.by = by, .value = value, .part = part};
    return dl_iterate_phdr(look_at, &search) == 1;
}

bool image_find(uintptr_t address, struct image_part *part) { return look(BY_ADDRESS, address, part); }

bool image_at(uintptr_t base, struct image_part *part) { return look(BY_BASE, base, part); }

bool image_program(struct image_part *part) { return look(BY_ORDER, 0, part); }

bool image_path(uintptr_t address, char *path, size_t path_bytes) {
    FILE *file = fopen("/proc/self/maps", "re");
    char line[4400];
    bool found = false;
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        uintptr_t start, end;
        int name_at = 0;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &start, &end, &name_at) != 2 || address < start || address >= end)
            continue;
        line[strcspn(line, "\n")] = '\0';
        size_t length = strlen(line + name_at);
        if (name_at == 0 || line[name_at] != '/' || length >= path_bytes)
            break;
        memcpy(path, line + name_at, length + 1);
        found = access(path, R_OK) == 0; /* a deleted one is told with a word behind its name */
    }
    (void)fclose(file);
    return found;
}

bool image_is_privileged(void) {
    struct stat file;
    if (getauxval(AT_SECURE) != 0)
        return true;
    /* Rights that it would get by being started again, though it did not need them so far. */
    if (stat(PROGRAM_FILE, &file) == 0 && (file.st_mode & (S_ISUID | S_ISGID)) != 0)
        return true;
    return getxattr(PROGRAM_FILE, "security.capability", NULL, 0) > 0;
}

int image_is_same_as(pid_t pid) {
    char path[64];
    struct stat other, own;
    (void)snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    if (stat(path, &other) < 0 || stat(PROGRAM_FILE, &own) < 0)
        return -1;
    return other.st_dev == own.st_dev && other.st_ino == own.st_ino;
}

struct start {
    char *const *arguments, *const *environment;
    const int *keep;
    size_t keep_count;
    int error;
};

/* In the caller's memory, on a stack of its own, while the caller's thread is held: nothing but system calls. */
static int become_image(void *argument) {
    struct start *start = argument;
    (void)setpgid(0, 0);
    process_close_all_but(start->keep, start->keep_count);
    for (size_t i = 0; i < start->keep_count; i++)
        (void)fcntl(start->keep[i], F_SETFD, 0);
    (void)execve(PROGRAM_FILE, start->arguments, start->environment);
    start->error = errno;
    _exit(127);
}

pid_t image_start(char *const *arguments, char *const *environment, const int *keep, size_t keep_count, int *pidfd) {
    struct start start = {.arguments = arguments, .environment = environment, .keep = keep, .keep_count = keep_count};
    uint8_t *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return -ENOMEM;
    /* Really all, the C library's own too: no handler of the program may run in its memory with another's identity. */
    uint64_t all = UINT64_MAX, before = 0;
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    pid_t pid = clone(become_image, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_PIDFD, &start, pidfd);
    int error = errno;
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    munmap(stack, STACK_BYTES);
    if (pid < 0)
        return -error;
    if (start.error == 0)
        return pid;
    (void)process_reap(*pidfd);
    close(*pidfd);
    *pidfd = -1;
    return -start.error;
}
