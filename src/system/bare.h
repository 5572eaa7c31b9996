/*
 * bare.h - system calls of a process that shares another one's memory
 *
 * Such a process has that one's thread-local memory, errno included, so it calls no function of the C library. Where it
 * stays for good it needs no memory at all: registers only, and one instruction to sleep.
 */
#ifndef SYSTEM_BARE_H
#define SYSTEM_BARE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define LAST_FD 0xffffffffl /* of close_range */

#if defined(__x86_64__)
#define HAS_BARE_CALLS 1
static inline long bare_call(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}
/* ppoll of nothing, without end. */
#define BARE_REST                                                                                                      \
    "xorl %%esi, %%esi\n\t"                                                                                            \
    "xorl %%edx, %%edx\n\t"                                                                                            \
    "xorl %%r10d, %%r10d\n\t"                                                                                          \
    "xorl %%edi, %%edi\n\t"                                                                                            \
    "movl %[ppoll], %%eax\n\t"                                                                                         \
    "syscall\n\t"                                                                                                      \
    "xorl %%edi, %%edi\n\t"                                                                                            \
    "movl %[exit], %%eax\n\t"                                                                                          \
    "syscall\n\t"                                                                                                      \
    "hlt\n\t"
#elif defined(__aarch64__)
#define HAS_BARE_CALLS 1
static inline long bare_call(long number, long a, long b, long c, long d) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#define BARE_REST                                                                                                      \
    "mov x0, xzr\n\t"                                                                                                  \
    "mov x1, xzr\n\t"                                                                                                  \
    "mov x2, xzr\n\t"                                                                                                  \
    "mov x3, xzr\n\t"                                                                                                  \
    "mov x8, %[ppoll]\n\t"                                                                                             \
    "svc #0\n\t"                                                                                                       \
    "mov x0, xzr\n\t"                                                                                                  \
    "mov x8, %[exit]\n\t"                                                                                              \
    "svc #0\n\t"                                                                                                       \
    "brk #1\n\t"
#endif

/* Valgrind runs the threads of one process, and gives up at anything that is neither that nor a fork. */
static inline bool bare_is_under_valgrind(void) {
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

#endif
