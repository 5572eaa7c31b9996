/*
 * A process that is born beside its sitter into a namespace of processes has another number there, is its parent's child
 * all the same, and ends with the first process of it, and so does all that it starts; the sitter does not. The first
 * process reaps what is left to it, passes a signal on, and ends with its parent.
 * Broken by: a first process that is not killed, or that ends by itself; a sitter in the namespace; a wrong id of a
 * thread.
 */
#include "births.h"

#include <sys/eventfd.h>

#include "system/namespace.h"

static struct namespace_first needs;

static pid_t begin(void **stack)
{
    pid_t first = namespace_begin(&needs, stack);
    if (first == -EPERM) {
        bool in_map;
        if (namespace_own_user(&in_map) != 0)
            SKIP("this user may make neither namespaces of processes nor of users");
        first = namespace_begin(&needs, stack);
    }
    CHECK(first > 0);
    return first;
}

static void check_end(bool by_first)
{
    void *stack;
    int fd;
    struct rung_scene *scene = harness_shared(sizeof *scene);
    pid_t first = begin(&stack), host = 0;
    pid_t sitter = bear((struct birth){.first = first}, scene, &host, &fd);
    CHECK_EQ(atomic_load(&scene->born), 2); /* the second process there, as it sees itself */
    CHECK_EQ(namespace_thread(host, 2), host);
    CHECK_EQ(namespace_thread(host, 99), 0);
    uint64_t notices = 0;
    POLL_UNTIL(read(needs.notice_fd, &notices, sizeof notices) == sizeof notices);
    CHECK_EQ(kill(by_first ? first : host, SIGKILL), 0);
    reap(host);
    if (!by_first) { /* what it left lives on there */
        CHECK(is_held(fd));
        CHECK(state_of_process(first) == 'S');
        CHECK_EQ(kill(first, SIGKILL), 0);
    }
    reap(first);
    CHECK(!is_held(fd)); /* who has reaped the first process need not wait */
    namespace_free_stack(stack);
    CHECK(kill(sitter, 0) == 0 && state_of_process(sitter) == 'S');
    end_sitter(sitter);
    end_pipe(scene, fd);
}

void test(void)
{
    static _Atomic uint32_t life_line;
    if (!birth_is_possible())
        SKIP("no process can be born beside its sitter here");
    become_parent();
    int notices = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(notices >= 0);
    needs = (struct namespace_first){.notice_fd = notices, .notice_set = 1ull << (SIGURG - 1), .life_line = &life_line};
    check_end(true);
    check_end(false);
    /* Its parent is dead already: it sees that, and ends. */
    void *stack;
    atomic_store(&life_line, FUTEX_OWNER_DIED);
    pid_t first = begin(&stack);
    reap(first);
    namespace_free_stack(stack);
    close(notices);
}
