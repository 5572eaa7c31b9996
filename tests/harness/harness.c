#include "harness.h"

#include "census.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SHARED_MAX = 256, EXIT_SKIP = 77 };

/* Tests let tasks scribble over all memory they can reach, this page included: only this very word is a failure. */
enum { FAILED = 0x5afe0bad };

static pid_t main_process;
static atomic_int *failed_anywhere; /* shared: a child's failed assertion must not be lost with its exit status */

static struct {
    void  *memory;
    size_t bytes;
} shared[SHARED_MAX];
static int shared_count;

bool harness_is_long(void)
{
    const char *value = getenv("MORTAL_TEST_LONG");
    return value != NULL && strcmp(value, "1") == 0;
}

/* One write, so that lines of several processes do not mix; and no stdio lock, which a fork may have caught held. */
static void say(const char *prefix, const char *format, va_list arguments)
{
    char line[2048];
    int  used = snprintf(line, sizeof line, "%s", prefix);
    int  more = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    if (more > 0)
        used += more < (int)sizeof line - used - 2 ? more : (int)sizeof line - used - 2;
    line[used++] = '\n';
    ssize_t ignored = write(STDOUT_FILENO, line, (size_t)used);
    (void)ignored;
}

void harness_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    say("note: ", format, arguments);
    va_end(arguments);
}

void harness_sum(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    say("sum: ", format, arguments);
    va_end(arguments);
}

/*
 * Ends the process, whichever it is: a child must never go on into the rest of the suite, and exit handlers of the
 * program under test have no business here.
 */
void harness_fail(const char *file, int line, const char *format, ...)
{
    char    place[512];
    bool    is_child = getpid() != main_process;
    va_list arguments;
    snprintf(place, sizeof place, "%s:%d: failed%s: ", file, line, is_child ? " in a child process" : "");
    va_start(arguments, format);
    say(place, format, arguments);
    va_end(arguments);
    if (failed_anywhere != NULL)
        atomic_store(failed_anywhere, FAILED);
    if (!is_child)
        fflush(stdout);
    _exit(1);
}

void harness_skip(const char *reason)
{
    printf("skip: %s\n", reason);
    fflush(stdout);
    _exit(EXIT_SKIP);
}

void harness_check_eq(const char *file, int line, const char *text, long long a, long long b)
{
    if (a != b)
        harness_fail(file, line, "%s: %lld (0x%llx) is not %lld (0x%llx)", text, a, (unsigned long long)a, b,
                     (unsigned long long)b);
}

void harness_check_str(const char *file, int line, const char *text, const char *a, const char *b)
{
    if (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0)
        harness_fail(file, line, "%s: \"%s\" is not \"%s\"", text, a == NULL ? "(null)" : a, b == NULL ? "(null)" : b);
}

const char *harness_error_name(long long error)
{
    const char *name = error < 0 && error > -4096 ? strerrorname_np((int)-error) : NULL;
    return name == NULL ? "no error number" : name;
}

void *harness_shared(size_t bytes)
{
    if (shared_count == SHARED_MAX)
        harness_fail(__FILE__, __LINE__, "harness_shared: more than %d pieces", SHARED_MAX);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        harness_fail(__FILE__, __LINE__, "harness_shared(%zu): %s", bytes, strerror(errno));
    shared[shared_count].memory = memory;
    shared[shared_count++].bytes = bytes;
    return memory;
}

static uint32_t load(const volatile void *word)
{
    return __atomic_load_n((const volatile uint32_t *)word, __ATOMIC_ACQUIRE);
}

void harness_sleep_ms(unsigned milliseconds)
{
    struct timespec rest = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

void harness_wait_until(const volatile void *word, uint32_t value)
{
    while (load(word) != value)
        harness_sleep_ms(1);
}

void harness_wait_at_least(const volatile void *word, uint32_t value)
{
    while (load(word) < value)
        harness_sleep_ms(1);
}

int harness_children(void)
{
    return census_children();
}

bool harness_process_gone(pid_t pid)
{
    char state = census_process_state(pid);
    return state == 0 || state == 'Z' || state == 'X';
}

void harness_wait_gone(pid_t pid)
{
    while (!harness_process_gone(pid))
        harness_sleep_ms(1);
}

int main(void)
{
    main_process = getpid();
    /* Line by line, so that output of a process that is killed is not lost, nor printed twice by its children. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    failed_anywhere = mmap(NULL, sizeof *failed_anywhere, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (failed_anywhere == MAP_FAILED) {
        perror("harness: mmap");
        return 1;
    }
    static struct census before, after;
    census_take(&before);
    test();
    if (getpid() != main_process)
        harness_fail(__FILE__, __LINE__, "returned from test(): end forked children with _exit()");
    for (int i = 0; i < shared_count; i++)
        munmap(shared[i].memory, shared[i].bytes);
    census_take(&after);
    int differences = census_compare(&before, &after);
    if (atomic_load(failed_anywhere) == FAILED) {
        puts("an assertion failed in a child process");
        return 1;
    }
    return differences == 0 ? 0 : 1;
}
