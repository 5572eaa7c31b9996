/*
 * A function that was loaded or made after the pool was opened does not exist in the hosts: -ENOEXEC, with words on
 * what to do.
 * Broken by: a host that jumps into nothing, or into something else that lies there.
 */
#include "tasks.h"

#include <dlfcn.h>
#include <sys/mman.h>

/* Parts of the C library that nobody links with. */
static void *load_something(void)
{
    static const char *const libraries[][2] = {{"libthread_db.so.1", "td_init"},
                                               {"libBrokenLocale.so.1", "__ctype_get_mb_cur_max"},
                                               {"libnss_hesiod.so.2", "_nss_hesiod_getpwnam_r"},
                                               {"libresolv.so.2", "ns_sprintrr"}};
    for (unsigned i = 0; i < COUNT(libraries); i++) {
        void *library = dlopen(libraries[i][0], RTLD_NOW | RTLD_NOLOAD);
        if (library) { /* is there already */
            dlclose(library);
            continue;
        }
        library = dlopen(libraries[i][0], RTLD_NOW);
        void *symbol = library ? dlsym(library, libraries[i][1]) : NULL;
        if (symbol)
            return symbol;
    }
    return NULL;
}

static void is_refused(mortal_pool *pool, void *code)
{
    mortal_function *function;
    mortal_future future = {0, 0};
    memcpy(&function, &code, sizeof function);
    CHECK_ERR(mortal_pool_submit(pool, function, NULL, 0, NULL, &future), -ENOEXEC);
    CHECK(strstr(mortal_why(), "open") != NULL);
    CHECK_ERR(mortal_pool_try_submit(pool, function, NULL, 0, NULL, &future), -ENOEXEC);
    CHECK(future.life == 0);
}

void test(void)
{
    static unsigned char code[4096];
    mortal_pool *pool = pool_with(1);
    void *page = mmap(NULL, sizeof code, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    is_refused(pool, page);
    void *loaded = load_something();
    if (loaded)
        is_refused(pool, loaded);
    else
        harness_note("no library to load");
    check_pool_works(pool);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    munmap(page, sizeof code);
    drain(pool);
}
