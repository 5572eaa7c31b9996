/*
 * A buffer tells how much memory it takes, how much of that is in huge pages, and whether this machine gives any; a look
 * makes no page. Who cannot have huge pages is told so.
 * Broken by: counting what is only promised, or what this process happened to touch; a look that touches holes; pages
 * asked for and never counted.
 */
#include "tasks.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define HUGE (2u << 20)
#define SPAN (8u * HUGE)

static mortal_buffer_info look(mortal_buffer buffer)
{
    mortal_buffer_info info;
    CHECK_OK(mortal_buffer_look(buffer, &info));
    CHECK(info.huge_bytes <= info.memory_bytes);
    return info;
}

static int touch(mortal_task *task, const void *input, size_t input_bytes)
{
    void *base;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, &base, NULL));
    ((volatile char *)base)[5 * HUGE] = 1;
    return 0;
}

/* What the machine says stands in a file; the library must say the same. */
static int32_t rule_here(void)
{
    char  line[128] = "";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/shmem_enabled", "re");
    bool  has = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL)
        (void)fclose(file);
    if (!has || strstr(line, "[inherit]") != NULL) {
        file = fopen("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "re");
        has = file != NULL && fgets(line, sizeof line, file) != NULL;
        if (file != NULL)
            (void)fclose(file);
    }
    if (!has)
        return MORTAL_HUGE_PAGES_UNKNOWN;
    return strstr(line, "[never]") != NULL || strstr(line, "[deny]") != NULL ? MORTAL_HUGE_PAGES_NEVER
                                                                             : MORTAL_HUGE_PAGES_WANTED;
}

static void a_reserved_one(mortal_pool *pool, mortal_buffer *buffer)
{
    CHECK_OK(mortal_buffer_open(buffer, pool, SPAN - 100, 0));
    mortal_buffer_info before = look(*buffer);
    CHECK_EQ(before.bytes, SPAN - 100);
    CHECK_EQ(before.memory_bytes, SPAN); /* although nobody has touched it */
    CHECK_EQ(before.tasks, 0);
    CHECK_EQ(before.huge_pages, rule_here());
    if (before.huge_pages == MORTAL_HUGE_PAGES_NEVER)
        CHECK_EQ(before.huge_bytes, 0);
    harness_note("of %u MiB %llu are in huge pages", SPAN >> 20, (unsigned long long)before.huge_bytes >> 20);
    CHECK_EQ(outcome_and_release(submit(pool, touch, buffer, sizeof *buffer)), MORTAL_DONE);
    CHECK_EQ(look(*buffer).memory_bytes, SPAN);
}

static void a_lazy_one(mortal_pool *pool)
{
    mortal_buffer buffer;
    CHECK_OK(mortal_buffer_open(&buffer, pool, SPAN, MORTAL_BUFFER_LAZY));
    CHECK_EQ(look(buffer).memory_bytes, 0);
    CHECK_EQ(look(buffer).memory_bytes, 0);
    CHECK_EQ(outcome_and_release(submit(pool, touch, &buffer, sizeof buffer)), MORTAL_DONE);
    mortal_buffer_info after = look(buffer);
    CHECK(after.memory_bytes == 4096 || after.memory_bytes == HUGE || after.huge_pages == MORTAL_HUGE_PAGES_WANTED);
    CHECK(after.memory_bytes >= 4096 && after.memory_bytes <= HUGE);
    CHECK_EQ(look(buffer).memory_bytes, after.memory_bytes);
    CHECK_OK(mortal_buffer_close(buffer));
}

static void a_held_one(mortal_pool *pool, struct gate *gate, mortal_buffer buffer)
{
    mortal_future future = submit_like(pool, task_held, &gate, sizeof gate,
                                       (mortal_task_options){.buffers = &buffer, .buffer_count = 1});
    word_await(&gate->arrived, 1);
    CHECK_EQ(look(buffer).tasks, 1);
    gate_open(gate);
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    CHECK_EQ(look(buffer).tasks, 0);
}

/* This process has had huge pages switched off, whatever stands in the files. */
static void without_huge_pages(mortal_buffer buffer)
{
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
        return; /* a kernel without */
    CHECK_EQ(look(buffer).huge_pages, MORTAL_HUGE_PAGES_NEVER);
    CHECK_OK(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
    CHECK_EQ(look(buffer).huge_pages, rule_here());
}

/* A look needs addresses for the buffer once more. */
static void without_addresses(mortal_buffer buffer)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    struct rlimit      before, now;
    mortal_buffer_info info = {.bytes = 77};
    CHECK_OK(getrlimit(RLIMIT_AS, &before));
    now = before;
    now.rlim_cur = (uint64_t)status_of(getpid(), "VmSize:") * 1024 + HUGE;
    CHECK_OK(setrlimit(RLIMIT_AS, &now));
    CHECK_ERR(mortal_buffer_look(buffer, &info), -ENOMEM);
    CHECK_EQ(info.bytes, 77);
    CHECK_OK(setrlimit(RLIMIT_AS, &before));
    CHECK_EQ(look(buffer).memory_bytes, SPAN);
#else
    (void)buffer;
#endif
}

static void bad_ones(mortal_buffer closed, mortal_buffer open)
{
    mortal_buffer_info info = {.bytes = 77};
    CHECK_ERR(mortal_buffer_look(open, NULL), -EINVAL);
    CHECK_ERR(mortal_buffer_look((mortal_buffer){0}, &info), -EINVAL);
    CHECK_ERR(mortal_buffer_look((mortal_buffer){open.place, open.life + 1}, &info), -ESTALE);
    CHECK_ERR(mortal_buffer_look(closed, &info), -ESTALE);
    CHECK_EQ(info.bytes, 77);
}

void test(void)
{
    struct gate   *gate = gates_make(1);
    mortal_pool   *pool = pool_with(1);
    mortal_buffer  buffer, file;
    int            fd = memfd_create("wrapped", MFD_CLOEXEC);
    CHECK_EQ(ftruncate(fd, 10000), 0);
    a_reserved_one(pool, &buffer);
    a_lazy_one(pool);
    a_held_one(pool, gate, buffer);
    without_huge_pages(buffer);
    without_addresses(buffer);
    CHECK_OK(mortal_buffer_wrap_fd(&file, pool, fd, 0, 0, 0));
    CHECK_EQ(look(file).bytes, 10000);
    CHECK_EQ(look(file).memory_bytes, 0);
    CHECK_OK(mortal_buffer_close(file));
    bad_ones(file, buffer);
    CHECK_OK(mortal_buffer_close(buffer));
    close(fd);
    end(pool);
}
