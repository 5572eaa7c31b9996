/*
 * The smallest and the largest regions are made, first and last word of each table can be used, answers cannot be written
 * by the owner, and nothing is left afterwards; nor after a creation that failed half-way.
 * Broken by: a descriptor or mapping that is forgotten on one of the ways out, a table whose pages are not there.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static void touch_both_ends(struct region *r)
{
    uint32_t last = r->g.slots - 1;
    CHECK_EQ(region_commit_slots(r, 0, 1), 0);
    CHECK_EQ(region_commit_slots(r, last, last + 1), 0);
    const uint32_t ends[] = {0, last};
    for (size_t i = last == 0; i < COUNT(ends); i++) {
        uint32_t slot = ends[i];
        CHECK_EQ(word_now(r, slot), 0);
        word_put(r, slot, word_make(1, SLOT_PENDING, 0, 0));
        order_of(r, slot)->ticket = 7;
        CHECK_EQ(atomic_load(&care_of(r, slot)->charged), 0);
        atomic_store(&care_of(r, slot)->asked, 1);
        atomic_store(&fate_of(r, slot)->word, 1);
    }
    for (uint32_t berth = 0; berth < r->g.berths; berth++)
        CHECK_EQ(atomic_load(&berth_of(r, berth)->life), NO_LIFE);
    atomic_store(bell_of(r, r->g.berths - 1, r->g.workers_per_host - 1), 1);
    atomic_store(searching_word(r, r->g.idle_words - 1), 1);
    atomic_store(log_taken_of(r, r->g.berths - 1, r->g.workers_per_host - 1), 1);
}

static void check_protection(struct region *r)
{
    void *again = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, r->answers_fd, 0);
    CHECK(again != MAP_FAILED); /* a host may write there, through a mapping of its own */
    *(volatile uint8_t *)again = 42;
    CHECK_EQ(*(volatile uint8_t *)arena_of(r, 0), 42);
    munmap(again, PAGE_BYTES);
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    CHECK(zero >= 0);
    CHECK_EQ(read(zero, arena_of(r, 0), 1), -1); /* the kernel writes on our behalf, or refuses */
    CHECK_EQ(errno, EFAULT);
    close(zero);
    const int fds[] = {r->orders_fd, r->claims_fd, r->control_fd, r->answers_fd};
    for (size_t i = 0; i < COUNT(fds); i++) {
        CHECK_EQ(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        CHECK_EQ(ftruncate(fds[i], 0), -1);
        CHECK_EQ(errno, EPERM);
    }
}

/* Some tools that programs are run under leave them little: then a refusal is right, if there really is no room for the
 * fewest lives with the smallest heaps. */
static bool has_no_address_space(struct limits limits)
{
    struct geometry g;
    limits.results_bytes = 64u << 10;
    geometry_plan(&g, &limits);
    uint64_t least = (g.berths + 8ull) * g.arena_bytes;
    void *got = mmap(NULL, least, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED)
        return true;
    munmap(got, least);
    return false;
}

static void check_size(struct limits limits)
{
    struct region r;
    int error = region_create(&r, &limits);
    if (error == -ENOMEM && has_no_address_space(limits)) {
        harness_note("no address space for %u workers and %u tasks", limits.workers, limits.held_tasks);
        return;
    }
    CHECK_EQ(error, 0);
    CHECK(r.g.results_bytes <= limits.results_bytes && r.g.results_bytes >= 4096);
    touch_both_ends(&r);
    check_protection(&r);
    region_destroy(&r);
    CHECK(r.orders == NULL && r.claims == NULL && r.control == NULL && r.answers == NULL);
    CHECK(r.orders_fd < 0 && r.claims_fd < 0 && r.control_fd < 0 && r.answers_fd < 0);
}

static unsigned free_descriptor(void)
{
    int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);
    CHECK(fd >= 0);
    close(fd);
    return (unsigned)fd;
}

static int create_under(int resource, rlim_t limit, struct limits limits)
{
    struct region r;
    struct rlimit before, now;
    CHECK_EQ(getrlimit(resource, &before), 0);
    now = (struct rlimit){.rlim_cur = limit, .rlim_max = before.rlim_max};
    CHECK_EQ(setrlimit(resource, &now), 0);
    int error = region_create(&r, &limits);
    CHECK_EQ(setrlimit(resource, &before), 0);
    if (error == 0)
        region_destroy(&r);
    CHECK(r.orders == NULL && r.answers == NULL && r.answers_fd < 0);
    return error;
}

/* Each way in which it may fail, one segment later each time. */
static void check_failures(void)
{
    struct limits limits = limits_of(1000, 2, 1);
    struct geometry g;
    geometry_plan(&g, &limits);
    unsigned lowest = free_descriptor();
    for (unsigned granted = 0; granted < 4; granted++)
        CHECK_EQ(create_under(RLIMIT_NOFILE, lowest + granted, limits), -EMFILE);
    CHECK_EQ(create_under(RLIMIT_NOFILE, lowest + 4, limits), 0);
    const uint64_t segments[] = {g.orders_bytes, g.claims_bytes, g.control_bytes};
    for (size_t i = 0; i < COUNT(segments); i++)
        CHECK_EQ(create_under(RLIMIT_FSIZE, segments[i] - 1, limits), -EFBIG);
    CHECK_EQ(free_descriptor(), lowest);
}

void test(void)
{
    check_size(limits_of(1, 1, 1));
    check_size(limits_of(1000000, 1024, 1024));
    check_size(limits_of(1000000, 1024, 1));
    struct limits large = limits_of(1000000, 1024, 1);
    large.standby = 64;
    large.inputs_bytes = 1ull << 30;
    large.results_bytes = 64ull << 30; /* more address space than there is: fewer lives, then less room in each */
    check_size(large);
    for (int i = 0; i < 20; i++)
        check_size(limits_of(1 + below(5000), 1 + below(64), 1));
    check_failures();
}
