#include "system/sitter.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/bare.h"
#include "system/memory.h"
#include "system/process.h"

#define STACK_BYTES (16u << 10)
#define LONG_SLICE_NS 100000000u /* the longest there is */

/* It shares the thread-local memory of the thread that made it, errno included, and its stack lies where a task may write:
 * it calls nothing, and when it has come to rest it needs neither. */
#ifdef HAS_BARE_CALLS
__attribute__((noreturn)) static inline void rest_until_killed(void) {
    __asm__ volatile(BARE_REST : : [ppoll] "i"(SYS_ppoll), [exit] "i"(SYS_exit_group) : "memory");
    __builtin_unreachable();
}

/* Its parent is not that of a thread of the host: the signal is not inherited, and asked for before the parent is looked
 * at, which may have died before. Descriptors are a copy of its own; what they keep open would stay so after the host. */
__attribute__((no_sanitize("address", "undefined", "thread"))) static int sit(void *parent) {
    (void)bare_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
    if (bare_call(SYS_getppid, 0, 0, 0, 0) != (long)(intptr_t)parent)
        (void)bare_call(SYS_exit_group, 0, 0, 0, 0);
    if (bare_call(SYS_close_range, 0, LAST_FD, 0, 0) != 0)
        for (long fd = 0; fd < 1024; fd++)
            (void)bare_call(SYS_close, fd, 0, 0, 0);
    (void)bare_call(SYS_prctl, PR_SET_NAME, (long)(intptr_t)"mortal-sitter", 0, 0);
    rest_until_killed();
}

void sitter_start(pid_t parent, _Atomic int32_t *told) {
    if (bare_is_under_valgrind())
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
