/*
 * In the new image preload runs once and init in each host, both get the context, and kept descriptors have the numbers
 * that they have in the owner, and are close-on-exec if they were; no other descriptor of the owner is there.
 *
 * Broken by: sending addresses across; losing the context; renumbering descriptors; leaving others open.
 */
#include "board.h"

struct context {
    int board_fd, other_fd, open_fd;
    char text[5000];
};
static int preloaded;
static char seen[8];

static int preload(const void *bytes, size_t count)
{
    const struct context *context = bytes;
    if (count != sizeof *context || strcmp(context->text + sizeof context->text - 8, "the end") != 0)
        return 1;
    if (board_init(&context->board_fd, sizeof context->board_fd) != 0)
        return 2;
    word_add(&board->preloads, 1);
    preloaded = 7;
    return 0;
}

static int init(const void *bytes, size_t count)
{
    const struct context *context = bytes;
    if (count != sizeof *context || preloaded != 7 || fcntl(context->other_fd, F_GETFD) >= 0)
        return 3;
    if (fcntl(context->board_fd, F_GETFD) != FD_CLOEXEC || fcntl(context->open_fd, F_GETFD) != 0)
        return 4;
    memcpy(seen, context->text + sizeof context->text - 8, sizeof seen);
    return 0;
}

static int tell(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return mortal_task_reply(task, seen, sizeof seen);
}

void test(void)
{
    struct context context = {.board_fd = board_open(), .other_fd = open("/dev/null", O_RDONLY)};
    memcpy(context.text + sizeof context.text - 8, "the end", 8);
    int high = fcntl(context.board_fd, F_DUPFD_CLOEXEC, 57);
    CHECK(high >= 57);
    close(context.board_fd);
    context.board_fd = high;
    context.open_fd = dup(context.other_fd);
    int keep[] = {high, context.open_fd};
    mortal_pool_options options = {.workers = 2, .preload = preload, .init = init, .context = &context,
                                   .context_bytes = sizeof context, .keep_fds = keep, .keep_fd_count = COUNT(keep)};
    mortal_pool *pool = exec_pool(&options);
    for (int i = 0; i < 4; i++) {
        CHECK_STR(run_one(pool, tell, NULL, 0).result, "the end");
        CHECK_EQ(run_one(pool, task_crash, NULL, 0).outcome, MORTAL_CRASHED);
    }
    CHECK_EQ(atomic_load(&board->preloads), 1);
    drain(pool);
    close(context.other_fd);
    close(context.open_fd);
    board_close(high);
}
