/*
 * forced_keys.c - loaded before the library (LD_PRELOAD), it opens every pool with MORTAL_HARDEN_KEYS
 *
 * So whole suites run once with their control words shut. On a machine without protection keys, or with
 * MORTAL_TEST_KEYS=emulate, it also stands in for them: covered pages are made read-only with mprotect() while no
 * thread of the process has them open. That is slower, shuts for all threads or for none, and the signal's code is
 * another one; but a place where the library writes without opening first is a crash here too. MORTAL_TEST_KEYS=real
 * never emulates.
 */
#include <mortal.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RANGES = 16, KEY = 1 };

static struct {
    void *address;
    size_t bytes;
} ranges[RANGES];
static unsigned range_count, openers;
static atomic_flag busy = ATOMIC_FLAG_INIT;
static _Thread_local bool is_open;

/* The C library's, or the library's own. Copied, since C knows no cast between functions and data. */
static struct real {
    int (*alloc)(unsigned, unsigned), (*drop)(int), (*protect)(void *, size_t, int, int);
    int (*set)(int, unsigned), (*get)(int);
    int (*open_pool)(mortal_pool **, const mortal_pool_options *);
} real;

static void find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(function, &found, sizeof found);
}

__attribute__((constructor)) static void find_all(void)
{
    find("pkey_alloc", &real.alloc);
    find("pkey_free", &real.drop);
    find("pkey_mprotect", &real.protect);
    find("pkey_set", &real.set);
    find("pkey_get", &real.get);
}

static bool emulates(void)
{
    static int known;
    if (known == 0) {
        const char *wish = getenv("MORTAL_TEST_KEYS");
        int key = real.alloc(0, 0);
        if (key > 0)
            (void)real.drop(key);
        bool wants = wish != NULL && strcmp(wish, "emulate") == 0, may = wish == NULL || strcmp(wish, "real") != 0;
        known = wants || (may && key <= 0) ? 2 : 1;
        if (known == 2)
            setenv("MORTAL_TEST_KEYS_EMULATED", "1", 1);
    }
    return known == 2;
}

/* For the first that opens, and the last that shuts. */
static void apply(void)
{
    for (unsigned i = 0; i < range_count; i++)
        if (mprotect(ranges[i].address, ranges[i].bytes, openers != 0 ? PROT_READ | PROT_WRITE : PROT_READ) != 0)
            abort();
}

static void say_open(bool open)
{
    while (atomic_flag_test_and_set(&busy))
        ;
    if (open != is_open) {
        openers += open ? 1 : -1u;
        is_open = open;
        if (openers == (open ? 1 : 0))
            apply();
    }
    atomic_flag_clear(&busy);
}

int pkey_alloc(unsigned flags, unsigned rights)
{
    if (!emulates())
        return real.alloc(flags, rights);
    range_count = 0;
    say_open(rights == 0);
    return KEY;
}

int pkey_free(int key)
{
    return emulates() ? 0 : real.drop(key);
}

int pkey_mprotect(void *address, size_t bytes, int protection, int key)
{
    if (!emulates())
        return real.protect(address, bytes, protection, key);
    if (key != KEY || range_count == RANGES) {
        errno = EINVAL;
        return -1;
    }
    ranges[range_count].address = address;
    ranges[range_count++].bytes = bytes;
    return 0;
}

int pkey_set(int key, unsigned rights)
{
    if (!emulates())
        return real.set(key, rights);
    say_open(rights == 0);
    return 0;
}

int pkey_get(int key)
{
    if (!emulates())
        return real.get(key);
    return is_open ? 0 : PKEY_DISABLE_WRITE;
}

int mortal_pool_open(mortal_pool **out, const mortal_pool_options *options)
{
    find("mortal_pool_open", &real.open_pool); /* a program of the suite may have no library at all */
    (void)emulates(); /* decided before there are hosts */
    mortal_pool_options forced = {.size = sizeof forced};
    if (options != NULL && (options->size < sizeof options->size || options->size > sizeof forced))
        return real.open_pool(out, options); /* what is refused, stays so */
    if (options != NULL)
        memcpy(&forced, options, options->size);
    forced.size = sizeof forced;
    forced.harden |= MORTAL_HARDEN_KEYS;
    return real.open_pool(out, &forced);
}
