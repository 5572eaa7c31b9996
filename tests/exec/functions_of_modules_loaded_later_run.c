/*
 * A function of a module that was loaded after the pool was opened runs in its hosts: they load the module when they
 * first need it. It stays what it was, also if the owner closes the module and loads others. Code that lies in no file
 * is refused at submit; a module whose file was replaced or removed ends the task with that cause, or is refused.
 *
 * Broken by: sending addresses; remembering where a module was after it was unloaded; loading another file unseen.
 */
#include "board.h"

#include <dlfcn.h>

static void copy_module(const char *from, const char *to)
{
    char path[1024], bytes[65536];
    ssize_t got;
    snprintf(path, sizeof path, "%s/tests/exec/%s", getenv("BUILD"), from);
    (void)unlink(to);
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    CHECK(in >= 0 && out >= 0);
    while ((got = read(in, bytes, sizeof bytes)) > 0)
        CHECK_EQ(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

static mortal_function *function_of(void *module)
{
    void *found = dlsym(module, "plugin_answer");
    mortal_function *function;
    CHECK(found != NULL);
    memcpy(&function, &found, sizeof function);
    return function;
}

static void *load(const char *path)
{
    void *module = dlopen(path, RTLD_NOW);
    if (module == NULL)
        harness_fail(__FILE__, __LINE__, "%s", dlerror());
    return module;
}

static void check_answer(mortal_pool *pool, mortal_function *function, int answer)
{
    int status = run_one(pool, function, NULL, 0).status;
    CHECK_EQ(status, answer);
}

static void made_code_is_refused(mortal_pool *pool)
{
    static const unsigned char returns_at_once[] = {0x31, 0xc0, 0xc3};
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mortal_function *function;
    mortal_future future;
    CHECK(code != MAP_FAILED);
    memcpy(code, returns_at_once, sizeof returns_at_once);
    memcpy(&function, &code, sizeof function);
    CHECK_ERR(mortal_pool_submit(pool, function, NULL, 0, NULL, &future), -ENOEXEC);
    munmap(code, 4096);
}

static int wait_for_gate(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    word_await(&board->gate, 1);
    return 0;
}

static void a_replaced_file_is_noticed(void)
{
    copy_module("libplugin-one.so", "replaced.so");
    void *module = load("./replaced.so");
    mortal_function *function = function_of(module);
    copy_module("libplugin-two.so", "other.so");
    mortal_future future;
    mortal_verdict verdict;
    /* Submitted while the file is still the one that the owner loaded; the host looks for it only when it is let go. */
    int fd = board_open();
    mortal_pool_options options = {.workers = 1, .init = board_init, .context = &fd, .context_bytes = sizeof fd,
                                   .keep_fds = &fd, .keep_fd_count = 1};
    mortal_pool *pool = exec_pool(&options);
    CHECK_OK(mortal_pool_submit(pool, wait_for_gate, NULL, 0, NULL, NULL));
    CHECK_OK(mortal_pool_submit(pool, function, NULL, 0, NULL, &future));
    CHECK_EQ(rename("other.so", "replaced.so"), 0);
    word_set(&board->gate, 1);
    CHECK_OK(mortal_future_wait(future, LIMIT, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_NO_MODULE);
    CHECK_EQ(verdict.culprit, 1);
    check_pool_works(pool);
    drain(pool);
    board_close(fd);
    dlclose(module);
    unlink("replaced.so");
}

static void a_removed_file_is_refused(mortal_pool *pool)
{
    copy_module("libplugin-one.so", "gone.so");
    void *module = load("./gone.so");
    mortal_future future;
    CHECK_EQ(unlink("gone.so"), 0);
    CHECK_ERR(mortal_pool_submit(pool, function_of(module), NULL, 0, NULL, &future), -ENOEXEC);
    dlclose(module);
}

void test(void)
{
    char path[1024];
    mortal_pool_options options = {.workers = 2};
    mortal_pool *pool = exec_pool(&options);
    made_code_is_refused(pool);
    snprintf(path, sizeof path, "%s/tests/exec/libplugin-one.so", getenv("BUILD"));
    void *one = load(path);
    mortal_function *first = function_of(one);
    check_answer(pool, first, 1);
    CHECK_EQ(run_one(pool, task_crash, NULL, 0).outcome, MORTAL_CRASHED);
    check_answer(pool, first, 1); /* in another host */
    dlclose(one);
    snprintf(path, sizeof path, "%s/tests/exec/libplugin-two.so", getenv("BUILD"));
    void *two = load(path);
    check_answer(pool, function_of(two), 2);
    check_answer(pool, first, 1); /* the pool holds it */
    a_removed_file_is_refused(pool);
    drain(pool);
    dlclose(two);
    a_replaced_file_is_noticed();
}
