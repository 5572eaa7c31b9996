#include "system/sitter.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/memory.h"
#include "system/process.h"

#define STACK_BYTES (16u << 10)
#define LONG_SLICE_NS 100000000u /* the longest there is */

/* It shares the thread-local memory of the thread that made it, errno included, and its stack lies where a task may write.
 * So it calls nothing, and when it has come to rest it needs neither: registers only, and one instruction to sleep. */
#if defined(__x86_64__)
#define HAS_SITTER 1
static inline long kernel(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
__attribute__((noreturn)) static inline void rest_until_killed(void) {
    __asm__ volatile("xorl %%esi, %%esi\n\t"
                     "xorl %%edx, %%edx\n\t"
                     "xorl %%r10d, %%r10d\n\t"
                     "xorl %%edi, %%edi\n\t"
                     "movl %0, %%eax\n\t"
                     "syscall\n\t" /* ppoll of nothing, without end */
                     "xorl %%edi, %%edi\n\t"
                     "movl %1, %%eax\n\t"
                     "syscall\n\t"
                     "hlt"
                     :
                     : "i"(SYS_ppoll), "i"(SYS_exit_group)
                     : "memory");
    __builtin_unreachable();
}
#elif defined(__aarch64__)
#define HAS_SITTER 1
static inline long kernel(long number, long a, long b, long c) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}
__attribute__((noreturn)) static inline void rest_until_killed(void) {
    __asm__ volatile("mov x0, xzr\n\t"
                     "mov x1, xzr\n\t"
                     "mov x2, xzr\n\t"
                     "mov x3, xzr\n\t"
                     "mov x8, %0\n\t"
                     "svc #0\n\t"
                     "mov x0, xzr\n\t"
                     "mov x8, %1\n\t"
                     "svc #0\n\t"
                     "brk #1"
                     :
                     : "i"(SYS_ppoll), "i"(SYS_exit_group)
                     : "memory");
    __builtin_unreachable();
}
#endif

#ifdef HAS_SITTER
/* Its parent is not that of a thread of the host: the signal is not inherited, and asked for before the parent is looked
 * at, which may have died before. Descriptors are a copy of its own; what they keep open would stay so after the host. */
__attribute__((no_sanitize("address", "undefined", "thread"))) static int sit(void *parent) {
    (void)kernel(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
    if (kernel(SYS_getppid, 0, 0, 0) != (long)(intptr_t)parent)
        (void)kernel(SYS_exit_group, 0, 0, 0);
    if (kernel(SYS_close_range, 0, (long)UINT_MAX, 0) != 0)
        for (long fd = 0; fd < 1024; fd++)
            (void)kernel(SYS_close, fd, 0, 0);
    (void)kernel(SYS_prctl, PR_SET_NAME, (long)(intptr_t)"mortal-sitter", 0);
    rest_until_killed();
}

/* Valgrind runs the threads of one process, and gives up at anything that is neither that nor a fork. */
static bool is_under_valgrind(void) {
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

void sitter_start(pid_t parent, _Atomic int32_t *told) {
    if (is_under_valgrind())
        return;
    uint8_t *stack = memory_private(STACK_BYTES);
    if (stack == NULL)
        return;
    memory_not_in_children(stack, STACK_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    /* When it ends it has a processor for as long as the memory takes. With slices as long as everybody's, whoever wakes
     * there meanwhile waits for the end of one, 3 ms; behind a long one he comes first. It gets its share all the same. */
    uint64_t slice_ns = process_want_slice(LONG_SLICE_NS);
    /* The kernel stores the id before the sitter runs, or nobody would know of it if this process died in between. */
    if (clone(sit, stack + STACK_BYTES, CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID, (void *)(intptr_t)parent,
              (pid_t *)(void *)told) < 0)
        memory_unmap(stack, STACK_BYTES);
    if (slice_ns != 0)
        (void)process_want_slice(slice_ns);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
#else
void sitter_start(pid_t parent, _Atomic int32_t *told) {
    (void)parent, (void)told;
}
#endif
