#include "owner/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Read, never mapped: a file that shrinks is a short read and no SIGBUS. The path was written by a process that may have
 * gone wild, so it is opened only if it names a regular file, and every number in it is bounded.
 */

#define SYMBOLS_MOST (8u << 20)
#define SECTIONS_MOST 65536u
#define BATCH 512u

struct best {
    uint64_t value, size;
    uint64_t name; /* place in the file; 0: none was found */
};

struct search {
    mortal_obituary *obituary;
    int32_t module;
    struct best best[MORTAL_OBITUARY_FRAMES];
};

static int open_module(const char *path) {
    struct stat status;
    if (path[0] != '/' || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static bool read_at(int fd, void *to, size_t bytes, uint64_t offset) {
    return offset < INT64_MAX - bytes && pread(fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool read_header(int fd, Elf64_Ehdr *header) {
    return read_at(fd, header, sizeof *header, 0) && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shoff != 0;
}

/* The whole table if it is there, else that of what is exported. */
static bool find_table(int fd, const Elf64_Ehdr *header, Elf64_Shdr *symbols, Elf64_Shdr *names) {
    bool found = false;
    for (uint32_t i = 0; i < header->e_shnum && i < SECTIONS_MOST; i++) {
        Elf64_Shdr section;
        if (!read_at(fd, &section, sizeof section, header->e_shoff + (uint64_t)i * sizeof section))
            return false;
        bool is_whole = section.sh_type == SHT_SYMTAB;
        if ((!is_whole && section.sh_type != SHT_DYNSYM) || section.sh_entsize != sizeof(Elf64_Sym))
            continue;
        *symbols = section;
        found = true;
        if (is_whole)
            break;
    }
    return found && symbols->sh_link < header->e_shnum &&
           read_at(fd, names, sizeof *names, header->e_shoff + (uint64_t)symbols->sh_link * sizeof *names);
}

/* Where a call returns to may be behind the end of its function: what counts is the call. */
static uint64_t place_of(const mortal_obituary *obituary, uint32_t frame) {
    return obituary->frames[frame].offset - (frame != 0);
}

static void consider(struct search *search, const Elf64_Sym *symbol, const Elf64_Shdr *names) {
    if ((ELF64_ST_TYPE(symbol->st_info) != STT_FUNC && ELF64_ST_TYPE(symbol->st_info) != STT_GNU_IFUNC) ||
        symbol->st_shndx == SHN_UNDEF || symbol->st_name >= names->sh_size)
        return;
    for (uint32_t i = 0; i < search->obituary->frame_count; i++) {
        struct best *best = &search->best[i];
        uint64_t place = place_of(search->obituary, i);
        if (search->obituary->frames[i].module != search->module || place < symbol->st_value ||
            (symbol->st_size != 0 && place - symbol->st_value >= symbol->st_size))
            continue;
        if (best->name == 0 || symbol->st_value > best->value || (best->size == 0 && symbol->st_size != 0))
            *best = (struct best){symbol->st_value, symbol->st_size, names->sh_offset + symbol->st_name};
    }
}

static void search_table(int fd, struct search *search, const Elf64_Shdr *symbols, const Elf64_Shdr *names) {
    uint64_t count = symbols->sh_size / sizeof(Elf64_Sym);
    Elf64_Sym batch[BATCH];
    for (uint64_t at = 0; at < count && at < SYMBOLS_MOST; at += BATCH) {
        uint64_t some = count - at < BATCH ? count - at : BATCH;
        if (!read_at(fd, batch, some * sizeof *batch, symbols->sh_offset + at * sizeof *batch))
            return;
        for (uint64_t i = 0; i < some; i++)
            consider(search, &batch[i], names);
    }
}

static void tell(int fd, const struct search *search) {
    for (uint32_t i = 0; i < search->obituary->frame_count; i++) {
        mortal_obituary_frame *frame = &search->obituary->frames[i];
        const struct best *best = &search->best[i];
        if (best->name == 0 || best->name > INT64_MAX)
            continue;
        ssize_t got = pread(fd, frame->function, sizeof frame->function - 1, (off_t)best->name);
        frame->function[got > 0 ? got : 0] = '\0';
        frame->into = frame->offset - best->value;
    }
}

static void name_in(mortal_obituary *obituary, int32_t module) {
    struct search search = {.obituary = obituary, .module = module};
    Elf64_Ehdr header;
    Elf64_Shdr symbols, names;
    int fd = open_module(obituary->modules[module]);
    if (fd < 0)
        return;
    if (read_header(fd, &header) && find_table(fd, &header, &symbols, &names)) {
        search_table(fd, &search, &symbols, &names);
        tell(fd, &search);
    }
    close(fd);
}

void symbols_name(mortal_obituary *obituary) {
    for (uint32_t module = 0; module < obituary->module_count; module++)
        name_in(obituary, (int32_t)module);
}
