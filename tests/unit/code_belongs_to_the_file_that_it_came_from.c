/*
 * An address of code is found in the program or in a shared object, with the base by which it can be found again and a
 * print that tells one file from another; what is in no file is found nowhere.
 *
 * Broken by: looking at data as well; taking any object for the program; a print that is the same for all.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/image.h"

static struct image_part here, there, again;

void test(void)
{
    char path[4096];
    static int datum;
    CHECK(image_find((uintptr_t)test, &here));
    CHECK(here.is_program);
    CHECK_STR(here.name, "");
    CHECK((uintptr_t)test >= here.start && (uintptr_t)test < here.end);
    CHECK(image_program(&again));
    CHECK_EQ(again.base, here.base);
    CHECK_EQ(again.print, here.print);

    uintptr_t libc = (uintptr_t)strtoull; /* in a program at a fixed address this may be a stub of its own */
    CHECK(image_find(libc, &there));
    if (!there.is_program) {
        CHECK(there.print != here.print);
        CHECK(image_at(there.base, &again));
        CHECK_EQ(again.print, there.print);
        CHECK_STR(again.name, there.name);
        CHECK(image_path(libc, path, sizeof path));
        CHECK(path[0] == '/' && strstr(path, "/lib") != NULL);
    }

    CHECK(!image_find((uintptr_t)&datum, &again));
    void *made = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(made != MAP_FAILED);
    CHECK(!image_find((uintptr_t)made, &again));
    CHECK(!image_path((uintptr_t)made, path, sizeof path));
    munmap(made, 4096);
    CHECK(!image_path((uintptr_t)test, path, 4));
    CHECK_EQ(image_is_same_as(getpid()), 1);
    CHECK(!image_is_privileged());
}
