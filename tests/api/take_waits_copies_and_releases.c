/*
 * One call waits for the end, copies the result into the caller's memory, whatever its size and alignment, and releases
 * the future. Where there is not enough room nothing is released, and the verdict tells how much is needed; where the
 * task has not ended nothing is either. Tasks that failed or were killed, members of groups that were told or were not,
 * and tasks whose parts nobody took are taken likewise. A large copy holds up no other call, and does not count where
 * another thread has released the future meanwhile.
 * Broken by: a byte behind the result, a future that is released though the call failed, or is not though it succeeded.
 */
#include "tasks.h"

#include <pthread.h>
#include <sys/mman.h>

enum { LARGEST = 1 << 20, BEHIND = 16, GUARD = 0xa5 };

static const size_t sizes[] = {0, 1, 7, 8, 9, 31, 32, 33, 4095, 4096, 4097, 65535, 65536, 65537, LARGEST};
static unsigned char room[LARGEST + BEHIND + 1];

static int reply_so_many(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    size_t bytes = *(const size_t *)input;
    unsigned char *result = mortal_task_result(task, bytes);
    for (size_t i = 0; i < bytes; i++)
        result[i] = (unsigned char)(i * 7 + i / 251 + 1);
    return 0;
}

static int fail_with_words(mortal_task *task, const void *input, size_t input_bytes)
{
    return mortal_task_reply(task, input, input_bytes) != 0 ? 1 : 17;
}

static int emit_and_reply(mortal_task *task, const void *input, size_t input_bytes)
{
    return mortal_task_emit(task, "part", 4, 0) != 0 || mortal_task_reply(task, input, input_bytes) != 0;
}

static void check_over(mortal_future future)
{
    CHECK_ERR(mortal_future_take(future, 0, NULL, NULL, 0), -ESTALE);
    CHECK_ERR(mortal_future_wait(future, 0, NULL), -ESTALE);
    CHECK_ERR(mortal_future_release(future), -ESTALE);
}

static void check_bytes(const unsigned char *at, size_t bytes, size_t until)
{
    for (size_t i = 0; i < bytes; i++)
        CHECK_EQ(at[i], (unsigned char)(i * 7 + i / 251 + 1));
    for (size_t i = bytes; i < until; i++)
        CHECK_EQ(at[i], GUARD);
}

/* With as many bytes of room as asked for, at an odd address. */
static void take_size(mortal_pool *pool, size_t bytes, size_t more)
{
    mortal_future future = submit(pool, reply_so_many, &bytes, sizeof bytes);
    mortal_verdict verdict;
    memset(room, GUARD, bytes + BEHIND + 1);
    CHECK_OK(mortal_future_take(future, LIMIT, &verdict, room + 1, bytes + more));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, bytes);
    CHECK(verdict.result == (bytes == 0 ? NULL : room + 1));
    CHECK(verdict.future.place == future.place && verdict.future.life == future.life);
    CHECK_EQ(room[0], GUARD);
    check_bytes(room + 1, bytes, bytes + BEHIND);
    check_over(future);
}

static void one_byte_less(mortal_pool *pool, size_t bytes)
{
    mortal_future future = submit(pool, reply_so_many, &bytes, sizeof bytes);
    mortal_verdict verdict;
    memset(room, GUARD, bytes + BEHIND);
    for (int again = 0; again < 2; again++) {
        CHECK_ERR(mortal_future_take(future, LIMIT, &verdict, room, bytes - 1), -EMSGSIZE);
        CHECK_EQ(verdict.result_bytes, bytes);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(room[0], GUARD);
        check_bytes(verdict.result, bytes, bytes); /* where it is, as after a wait */
    }
    CHECK_ERR(mortal_future_take(future, LIMIT, NULL, room, bytes - 1), -EMSGSIZE);
    CHECK(strstr(mortal_why(), "mortal_future_take") != NULL && strstr(mortal_why(), "room") != NULL);
    CHECK_EQ(wait_for(future).result_bytes, bytes);
    CHECK_OK(mortal_future_take(future, 0, &verdict, room, bytes));
    CHECK(verdict.result == room);
    check_bytes(room, bytes, bytes + BEHIND);
    check_over(future);
}

static void not_wanted(mortal_pool *pool)
{
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        mortal_future future = submit(pool, reply_so_many, &sizes[i], sizeof sizes[i]);
        mortal_verdict verdict;
        CHECK_ERR(mortal_future_take(future, LIMIT, &verdict, NULL, 1), -EINVAL);
        CHECK_OK(i % 2 != 0 ? mortal_future_take(future, LIMIT, NULL, NULL, 0)
                            : mortal_future_take(future, LIMIT, &verdict, NULL, 0));
        CHECK(i % 2 != 0 || (verdict.outcome == MORTAL_DONE && verdict.result == NULL && verdict.result_bytes == 0));
        check_over(future);
    }
}

static void other_ends(mortal_pool *pool, struct gate *gate)
{
    mortal_verdict verdict;
    char words[8] = "";
    mortal_future failed = submit(pool, fail_with_words, "words", 6);
    CHECK_OK(mortal_future_take(failed, LIMIT, &verdict, words, sizeof words));
    CHECK_EQ(verdict.outcome, MORTAL_FAILED);
    CHECK_EQ(verdict.status, 17);
    CHECK_EQ(strcmp(words, "words"), 0);
    check_over(failed);

    mortal_future running = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_ERR(mortal_future_take(running, 0, &verdict, words, sizeof words), -ETIMEDOUT);
    CHECK_ERR(mortal_future_take(running, MS(2), &verdict, words, sizeof words), -ETIMEDOUT);
    CHECK_EQ(look_at(running).phase, MORTAL_RUNNING);
    CHECK_OK(mortal_future_kill(running, 0, MORTAL_FOREVER, NULL));
    CHECK_OK(mortal_future_take(running, 0, &verdict, words, sizeof words));
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    CHECK(verdict.result == NULL && verdict.result_bytes == 0 && strcmp(words, "words") == 0);
    check_over(running);

    mortal_future crashed = submit(pool, task_crash, NULL, 0);
    CHECK_OK(mortal_future_take(crashed, LIMIT, &verdict, words, sizeof words));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, SIGABRT);
}

static void members(mortal_pool *pool)
{
    mortal_group *group = NULL;
    mortal_verdict told, verdict;
    uint64_t number = 4, answer = 0;
    CHECK_OK(mortal_group_open(&group, pool));
    mortal_task_options in_group = {.group = group, .tag = &number};
    mortal_future untold = submit_like(pool, task_double, &number, sizeof number, in_group);
    CHECK_OK(mortal_future_take(untold, LIMIT, &verdict, &answer, sizeof answer));
    CHECK(verdict.tag == &number && answer == 8);
    CHECK_ERR(mortal_group_next(group, 0, &told), -ENOENT);
    mortal_future known = submit_like(pool, task_double, &answer, sizeof answer, in_group);
    CHECK_OK(mortal_group_next(group, LIMIT, &told));
    CHECK_OK(mortal_future_take(told.future, 0, &verdict, &answer, sizeof answer));
    CHECK_EQ(answer, 16);
    check_over(known);
    CHECK_ERR(mortal_group_next(group, 0, &told), -ENOENT);
    CHECK_OK(mortal_group_close(group));
}

static void parts_nobody_took(mortal_pool *pool)
{
    mortal_part part;
    char word_back[8] = "";
    mortal_future some = submit(pool, emit_and_reply, "one", 4), none = submit(pool, emit_and_reply, "two", 4);
    CHECK_OK(mortal_future_next(some, LIMIT, &part));
    CHECK_OK(mortal_future_take(some, LIMIT, NULL, word_back, sizeof word_back));
    CHECK_EQ(strcmp(word_back, "one"), 0);
    CHECK_OK(mortal_future_take(none, LIMIT, NULL, word_back, sizeof word_back));
    CHECK_EQ(strcmp(word_back, "two"), 0);
    CHECK_ERR(mortal_future_next(none, 0, &part), -ESTALE);
}

/* ---- a large copy holds nobody up; and where its future is released meanwhile, it does not count ---- */

static struct copying {
    mortal_future future;
    unsigned char *room;
    word began, may_go_on;
    int error;
} copying;

/* The first byte that is copied comes here. */
static void hold_the_copy(int signal)
{
    (void)signal;
    word_set(&copying.began, 1);
    word_await(&copying.may_go_on, 1);
    if (mprotect(copying.room, LARGEST, PROT_READ | PROT_WRITE) != 0)
        abort();
}

static void *take_into_held_memory(void *argument)
{
    mortal_verdict verdict;
    copying.error = mortal_future_take(copying.future, LIMIT, &verdict, copying.room, LARGEST);
    if (copying.error == 0)
        check_bytes(verdict.result, verdict.result_bytes, verdict.result_bytes);
    return argument;
}

static void during_a_copy(mortal_pool *pool, size_t bytes, bool release)
{
    pthread_t thread;
    copying = (struct copying){.future = submit(pool, reply_so_many, &bytes, sizeof bytes)};
    copying.room = mmap(NULL, LARGEST, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(copying.room != MAP_FAILED);
    CHECK_EQ(pthread_create(&thread, NULL, take_into_held_memory, NULL), 0);
    word_await(&copying.began, 1);
    check_pool_works(pool);
    CHECK_EQ(outcome_of(copying.future), MORTAL_DONE);
    if (release)
        CHECK_OK(mortal_future_release(copying.future));
    word_set(&copying.may_go_on, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(copying.error, release ? -ESTALE : 0);
    check_over(copying.future);
    check_pool_works(pool);
    CHECK_EQ(munmap(copying.room, LARGEST), 0);
}

static void copies_hold_nobody_up(mortal_pool *pool)
{
    struct sigaction hold = {.sa_handler = hold_the_copy}, before;
    CHECK_EQ(sigaction(SIGSEGV, &hold, &before), 0);
    for (unsigned round = 0; round < 4; round++)
        during_a_copy(pool, round / 2 != 0 ? LARGEST : 65537, round % 2 != 0);
    CHECK_EQ(sigaction(SIGSEGV, &before, NULL), 0);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .results_bytes = 8 << 20});
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        take_size(pool, sizes[i], 0);
        take_size(pool, sizes[i], BEHIND);
        if (sizes[i] != 0)
            one_byte_less(pool, sizes[i]);
    }
    not_wanted(pool);
    other_ends(pool, gate);
    members(pool);
    parts_nobody_took(pool);
    copies_hold_nobody_up(pool);
    CHECK_EQ(stats_of(pool).held, 0);
    drain(pool);
}
