#include "system/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/bare.h"
#include "system/futex.h"
#include "system/namespace.h"
#include "system/process.h"

/* ORD(*) told is stored by the kernel before the process exists that it names; who waits for it sleeps on it. */

#define LONG_SLICE_NS 100000000u /* as sitter.c says */

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

#ifdef HAS_BARE_CALLS
bool birth_is_possible(void) {
    /* Whoever closed descriptors one by one would keep those of the dead host open meanwhile. */
    return !bare_is_under_valgrind() && syscall(SYS_close_range, ~0u, ~0u, 0) == 0;
}

/* Both go on with this stack. The new one returns from here; the old one, which is the sitter from now on, touches
 * neither stack nor any other memory any more: it closes its copies of all descriptors and rests. Nothing is between
 * the call and that, and no signal may come. */
static long go_on_in_another(struct clone_args *arguments) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jle 1f\n\t"
                     "movl %[close_range], %%eax\n\t"
                     "xorl %%edi, %%edi\n\t"
                     "movl $-1, %%esi\n\t"
                     "xorl %%edx, %%edx\n\t"
                     "syscall\n\t" BARE_REST "1:"
                     : "=a"(result)
                     : "0"((long)SYS_clone3), "D"(arguments), "S"(sizeof *arguments), [ppoll] "i"(SYS_ppoll),
                       [exit] "i"(SYS_exit_group), [close_range] "i"(SYS_close_range)
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
#else
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)arguments;
    register long x1 __asm__("x1") = sizeof *arguments;
    __asm__ volatile("svc #0\n\t"
                     "cmp x0, #0\n\t"
                     "b.le 1f\n\t"
                     "mov x8, %[close_range]\n\t"
                     "mov x0, xzr\n\t"
                     "mov w1, #-1\n\t"
                     "mov x2, xzr\n\t"
                     "svc #0\n\t" BARE_REST "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), [ppoll] "i"(SYS_ppoll), [exit] "i"(SYS_exit_group),
                       [close_range] "i"(SYS_close_range)
                     : "x2", "x3", "memory", "cc");
    return x0;
#endif
}

static int enter_namespace(pid_t first) {
    int pidfd = process_pidfd(first);
    if (pidfd < 0)
        return pidfd;
    int error = setns(pidfd, CLONE_NEWPID) == 0 ? 0 : -errno; /* for those that it makes from now on */
    close(pidfd);
    return error;
}

static int tell(const struct birth *birth, int error) {
    atomic_store(birth->told, error);
    futex_wake((const _Atomic uint32_t *)(const void *)birth->told, INT_MAX);
    return error;
}

int birth_beside_sitter(const struct birth *birth) {
    uint64_t all = ~0ull; /* all there are: preload may have let some through */
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != birth->parent)
        return tell(birth, -ESRCH);
    (void)prctl(PR_SET_NAME, "mortal-sitter"); /* the new one gives itself another */
    (void)process_want_slice(LONG_SLICE_NS);   /* likewise */
    int error = birth->first != 0 ? enter_namespace(birth->first) : 0, cgroup = -1;
    if (error == 0 && birth->drops_rights)
        error = namespace_keep_rights(false);
    if (error == 0 && birth->cgroup != NULL && (cgroup = open(birth->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        error = -errno;
    if (error != 0)
        return tell(birth, error);
    /* The C library caches the main thread's id, and the kernel is to write the new one's there; and not to clear it when
     * the sitter ends first. */
    unsigned long tid_word = 0;
    if (prctl(PR_GET_TID_ADDRESS, &tid_word) < 0)
        tid_word = 0;
    (void)syscall(SYS_set_tid_address, NULL);
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0) |
                 (tid_word != 0 ? CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID : 0),
        .parent_tid = (uintptr_t)birth->told,
        .child_tid = tid_word,
        .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
    };
    error = (int)go_on_in_another(&arguments);
    if (cgroup >= 0)
        close(cgroup);
    if (error != 0)
        return tell(birth, error);
    futex_wake((const _Atomic uint32_t *)(const void *)birth->told, INT_MAX);
    return 0;
}
#else
bool birth_is_possible(void) { return false; }

int birth_beside_sitter(const struct birth *birth) {
    (void)birth;
    return -ENOSYS;
}
#endif
