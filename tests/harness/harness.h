/*
 * harness.h - what every test program shares
 *
 * A test program is one C file that defines test(). The harness brings main(), which compares open descriptors and
 * shared mappings before and after. Assertions print both values and end the process at once, in a forked child too;
 * a failure in any descendant fails the test. They are never compiled out.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <mortal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HARNESS_PRINTF(text, first) __attribute__((format(printf, text, first)))

void test(void);

/* True when MORTAL_TEST_LONG=1: repeat more, load more. */
#define TEST_LONG harness_is_long()

#define CHECK(cond) ((cond) ? (void)0 : harness_fail(__FILE__, __LINE__, "CHECK(%s)", #cond))

#define CHECK_EQ(a, b) \
    harness_check_eq(__FILE__, __LINE__, "CHECK_EQ(" #a ", " #b ")", (long long)(a), (long long)(b))

#define CHECK_STR(a, b) harness_check_str(__FILE__, __LINE__, "CHECK_STR(" #a ", " #b ")", (a), (b))

/* The call must return 0; else what mortal_why() says is shown. */
#define CHECK_OK(call)                                                                              \
    do {                                                                                            \
        long long harness_got = (call);                                                             \
        if (harness_got != 0)                                                                       \
            harness_fail(__FILE__, __LINE__, "CHECK_OK(%s) got %lld (%s): %s", #call, harness_got,  \
                         harness_error_name(harness_got), mortal_why());                            \
    } while (0)

/* The call must return exactly this negative errno value, and mortal_why() must have something to say about it. */
#define CHECK_ERR(call, error)                                                                          \
    do {                                                                                                \
        long long harness_got = (call);                                                                 \
        if (harness_got != (error))                                                                     \
            harness_fail(__FILE__, __LINE__, "CHECK_ERR(%s, %s) got %lld (%s)", #call, #error,          \
                         harness_got, harness_error_name(harness_got));                                 \
        if (mortal_why()[0] == '\0')                                                                    \
            harness_fail(__FILE__, __LINE__, "CHECK_ERR(%s, %s): mortal_why() is empty", #call, #error); \
    } while (0)

/* Ends the test as skipped, exit code 77; the runner prints the reason. */
#define SKIP(reason) harness_skip(reason)

bool harness_is_long(void);

/* A figure worth telling, or a circumstance: the runner shows it even when the test passes. */
void harness_note(const char *format, ...) HARNESS_PRINTF(1, 2);

/* Likewise, and figures in texts that are the same but for these are added up over all tests and told at the very end. */
void harness_sum(const char *format, ...) HARNESS_PRINTF(1, 2);

/*
 * Zeroed memory that this process and everything it forks from now on share. Tasks run in processes that are forked
 * when the pool is opened: make it before. The harness takes it back after test(); do not unmap it.
 */
void *harness_shared(size_t bytes);

/*
 * Poll a 32-bit word every millisecond until it is, or is at least, the value. No time-out of their own: the runner's
 * limit is the limit. Acquire order, so what was stored before the word is seen after.
 */
void harness_wait_until(const volatile void *word, uint32_t value);
void harness_wait_at_least(const volatile void *word, uint32_t value);

void harness_sleep_ms(unsigned milliseconds);

/* Child processes of this process, zombies included. */
int harness_children(void);

/* True when no such process is there, or only its zombie: it will never run another instruction. */
bool harness_process_gone(pid_t pid);
void harness_wait_gone(pid_t pid);

/* Behind the macros. */
_Noreturn void harness_fail(const char *file, int line, const char *format, ...) HARNESS_PRINTF(3, 4);
_Noreturn void harness_skip(const char *reason);
void harness_check_eq(const char *file, int line, const char *text, long long a, long long b);
void harness_check_str(const char *file, int line, const char *text, const char *a, const char *b);
const char *harness_error_name(long long error);

#endif
