/*
 * After a failure mortal_why has a line for this thread: it names what was wrong. It begins empty, and errno is left
 * alone.
 * Broken by: an error without words, words of another thread's failure, an option that is refused without being
 * named.
 */
#include "tasks.h"

#include <pthread.h>

static void *why_in_a_new_thread(void *out)
{
    snprintf(out, 16, "%s", mortal_why());
    return NULL;
}

static void is_a_line(const char *why)
{
    CHECK(why != NULL);
    CHECK(strlen(why) > 10);
    CHECK(strchr(why, '\n') == NULL);
}

static void refused_option_is_named(mortal_pool_options options, const char *name)
{
    mortal_pool *pool = NULL;
    options.size = sizeof options;
    CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
    CHECK(pool == NULL);
    is_a_line(mortal_why());
    CHECK(strstr(mortal_why(), name) != NULL);
}

static void options_are_named(void)
{
    refused_option_is_named((mortal_pool_options){.workers = 1025}, "workers");
    refused_option_is_named((mortal_pool_options){.standby = 65}, "standby");
    refused_option_is_named((mortal_pool_options){.queue_tasks = 1000001}, "queue_tasks");
    refused_option_is_named((mortal_pool_options){.held_tasks = 1000001}, "held_tasks");
    refused_option_is_named((mortal_pool_options){.start = 77}, "start");
    refused_option_is_named((mortal_pool_options){.keep_fd_count = 1}, "keep_fd");
    refused_option_is_named((mortal_pool_options){.context_bytes = 1}, "context");
}

static void calls_are_explained(mortal_pool *pool)
{
    mortal_future none = {0, 0};
    errno = 4711;
    CHECK_ERR(mortal_pool_submit(pool, NULL, NULL, 0, NULL, NULL), -EINVAL);
    is_a_line(mortal_why());
    CHECK(strstr(mortal_why(), "function") != NULL);
    CHECK_ERR(mortal_pool_submit(NULL, task_nothing, NULL, 0, NULL, NULL), -EINVAL);
    is_a_line(mortal_why());
    CHECK_ERR(mortal_future_wait(none, 0, NULL), -EINVAL);
    is_a_line(mortal_why());
    CHECK_ERR(mortal_pool_kill(pool, 0, 0, 0, NULL), -EINVAL);
    CHECK(strstr(mortal_why(), "scope") != NULL);

    char limit[32];
    uint64_t most = stats_of(pool).input_bytes_max;
    snprintf(limit, sizeof limit, "%llu", (unsigned long long)most);
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, "", most + 1, NULL, NULL), -EMSGSIZE);
    CHECK(strstr(mortal_why(), limit) != NULL);
    CHECK_EQ(errno, 4711);
}

void test(void)
{
    char elsewhere[16] = "not asked";
    pthread_t thread;
    CHECK_STR(mortal_why(), "");
    options_are_named();
    mortal_pool *pool = pool_with(1);
    calls_are_explained(pool);
    CHECK_OK(pthread_create(&thread, NULL, why_in_a_new_thread, elsewhere));
    CHECK_OK(pthread_join(thread, NULL));
    CHECK_STR(elsewhere, "");
    drain(pool);
}
