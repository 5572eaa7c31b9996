/*
 * first_answer_wins.c - several searches for one answer: the first to find it ends the others
 *
 *     first_answer_wins [BITS]
 *
 * Looks for a text whose hash begins with BITS zero bits (24). Four searchers start at different places and never give
 * up; none of them ever asks whether another has found something, so there is nothing to get wrong.
 */
#include <mortal.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEARCHERS = 4 };

struct part {
    uint64_t first;
    unsigned bits;
};

/* FNV-1a, and a finish that spreads the last bytes over all bits. */
static uint64_t hash_of(const char *text) {
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    }
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 33;
}

static int search(mortal_task *task, const void *input, size_t input_bytes) {
    struct part part;
    char text[32];
    memcpy(&part, input, input_bytes);
    for (uint64_t number = part.first;; number++) {
        snprintf(text, sizeof text, "mortal %" PRIu64, number);
        if (hash_of(text) >> (64 - part.bits) == 0) {
            return mortal_task_reply(task, text, strlen(text) + 1);
        }
    }
}

static void fail(void) {
    fprintf(stderr, "first_answer_wins: %s\n", mortal_why());
    exit(1);
}

int main(int argc, char **argv) {
    unsigned bits = argc > 1 ? (unsigned)atoi(argv[1]) : 24;
    if (bits < 1 || bits > 63) {
        fprintf(stderr, "usage: first_answer_wins [BITS], 1 to 63\n");
        return 2;
    }
    mortal_pool *pool;
    mortal_group *group;
    mortal_verdict winner;
    mortal_kill_report losers;
    mortal_pool_options options = {.size = sizeof options, .workers = SEARCHERS};
    if (mortal_pool_open(&pool, &options) || mortal_group_open(&group, pool)) {
        fail();
    }
    for (uint64_t i = 0; i < SEARCHERS; i++) {
        struct part part = {i << 40, bits};
        mortal_task_options task = {.size = sizeof task, .group = group};
        mortal_future future;
        if (mortal_pool_submit(pool, search, &part, sizeof part, &task, &future)) {
            fail();
        }
    }
    do {
        if (mortal_group_next(group, MORTAL_FOREVER, &winner)) {
            fail();
        }
    } while (winner.outcome != MORTAL_DONE);
    if (mortal_group_kill(group, MORTAL_UNENDED, 0, MORTAL_FOREVER, &losers)) {
        fail();
    }
    printf("'%s' has the hash %016" PRIx64 ".\n", (const char *)winner.result, hash_of(winner.result));
    printf("%u searchers killed in %.2f ms, %u had found one as well.\n", losers.killed, (double)losers.took_ns / 1e6,
           losers.finished_first);
    return mortal_pool_close(pool, MORTAL_CLOSE_KILL, 0, NULL) != 0;
}
