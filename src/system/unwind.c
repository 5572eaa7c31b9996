#include "system/unwind.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == sizeof(uint64_t), "addresses are kept in 64 bits");

/* What nobody has written comes back from the file as soon as it is touched. */
static int let_go_of_code(struct dl_phdr_info *module, size_t bytes, void *unused) {
    (void)bytes, (void)unused;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (module->dlpi_name == NULL || strstr(module->dlpi_name, "/libgcc_s.so") == NULL)
        return 0;
    for (unsigned i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &module->dlpi_phdr[i];
        uintptr_t from = (module->dlpi_addr + part->p_vaddr) & ~(page - 1);
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) == 0)
            (void)madvise((void *)from, module->dlpi_addr + part->p_vaddr + part->p_memsz - from, MADV_DONTNEED);
    }
    return 1;
}

/* The unwinder is loaded at its first use, which must not be in a signal handler. Hosts that do not crash never touch it
 * again: a hundred KiB that would be counted as memory of an idle pool. */
void unwind_prepare(void) {
    void *frame;
    (void)backtrace(&frame, 1);
    (void)dl_iterate_phdr(let_go_of_code, NULL);
}

void unwind(uint64_t *frames, size_t most) { (void)backtrace((void **)frames, (int)most); }

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
extern int _dl_find_object(void *, struct dl_find_object *) __attribute__((weak)); /* the library may be older */

bool unwind_module(uint64_t address, uint64_t *base, const char **path) {
    struct dl_find_object found;
    if (_dl_find_object == NULL || _dl_find_object((void *)(uintptr_t)address, &found) != 0)
        return false;
    *base = found.dlfo_link_map->l_addr;
    *path = found.dlfo_link_map->l_name;
    return true;
}
#else
bool unwind_module(uint64_t address, uint64_t *base, const char **path) {
    (void)address, (void)base, (void)path;
    return false;
}
#endif

/* By a system call, for which a bad address is an error and no signal. */
static uint64_t read_word(uint64_t address) {
    uint64_t word = 0;
    struct iovec to = {&word, sizeof word}, from = {(void *)(uintptr_t)address, sizeof word};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof word ? word : 0;
}

struct unwind_place unwind_interrupted(const void *signal_context) {
    const ucontext_t *context = signal_context;
    struct unwind_place place = {0};
#if defined(__x86_64__)
    place.at = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
    place.caller = read_word((uint64_t)context->uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
    place.at = context->uc_mcontext.pc;
    place.caller = context->uc_mcontext.regs[30];
    (void)read_word;
#else
    (void)context, (void)read_word;
#endif
    return place;
}
