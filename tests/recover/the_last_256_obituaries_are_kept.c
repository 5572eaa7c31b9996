/*
 * Of many deaths the last 256 have their obituaries, numbered without a gap; older ones, and ones to come, are an error that
 * says so. What is read while hosts die is of one death, never a mixture of two. After the supervisor's death they can
 * still be read.
 * Broken by: a ring that is read without a second look, a number that is another one's.
 */
#include "tasks.h"

#include <errno.h>

enum { DEATHS = 300 };

static mortal_obituary obituary;

/* A death by exit with the task's ticket, which is also its name. */
static int leave(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    _exit(*(const int *)input % 200);
}

static bool read_one(mortal_pool *pool, uint64_t number)
{
    int error = mortal_pool_obituary(pool, number, &obituary);
    CHECK(error == 0 || error == -ENOENT);
    if (error != 0)
        return false;
    CHECK(number == 0 || obituary.number == number);
    CHECK_EQ(obituary.has_culprit, 1);
    CHECK_EQ(obituary.cause, MORTAL_CAUSE_EXIT);
    CHECK_EQ(obituary.exit_code, atoi(obituary.culprit.name) % 200);
    CHECK_EQ(obituary.culprit.ticket, atoi(obituary.culprit.name));
    return true;
}

void test(void)
{
    mortal_pool *pool = pool_with(2);
    for (int i = 0; i < DEATHS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        mortal_task_options options = {.size = sizeof options, .name = name};
        CHECK_OK(mortal_pool_submit(pool, leave, &i, sizeof i, &options, NULL));
    }
    uint64_t seen = 0;
    while (stats_of(pool).obituaries < DEATHS) {
        (void)read_one(pool, 0);
        while (read_one(pool, seen + 1))
            seen++;
    }
    CHECK_EQ(stats_of(pool).obituaries, DEATHS);
    for (uint64_t number = 1; number <= DEATHS; number++)
        CHECK_EQ(read_one(pool, number), number > DEATHS - 256);
    CHECK_ERR(mortal_pool_obituary(pool, DEATHS - 256, &obituary), -ENOENT);
    CHECK(strstr(mortal_why(), "kept") != NULL);
    CHECK_ERR(mortal_pool_obituary(pool, DEATHS + 1, &obituary), -ENOENT);
    CHECK_ERR(mortal_pool_obituary(pool, UINT64_MAX, &obituary), -ENOENT);
    CHECK(read_one(pool, 0));
    CHECK_EQ(obituary.number, DEATHS);
    kill(supervisor_of(pool), SIGKILL);
    while (stats_of(pool).broken == 0)
        harness_sleep_ms(1);
    CHECK(read_one(pool, DEATHS));
    CHECK_OK(mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL));
}
