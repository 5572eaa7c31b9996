/*
 * When the owner executes another program, its pool ends: nobody could ever ask for it again.
 * Broken by: hosts that compute on under a program which knows nothing of them.
 */
#include "tasks.h"

struct scene {
    struct gate gates[2];
    word supervisor, hosts[2];
};

static _Noreturn void become_another_program(struct scene *scene, int input, int output)
{
    mortal_pool *pool = pool_with(2);
    for (unsigned i = 0; i < 2; i++) {
        mortal_future future = submit_at(pool, i ? task_endless : task_held, &scene->gates[i]);
        word_await(&scene->gates[i].arrived, 1);
        atomic_store(&scene->hosts[i], (uint32_t)host_of(future));
    }
    word_set(&scene->supervisor, (uint32_t)supervisor_of(pool));
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execl("/bin/cat", "cat", (char *)NULL);
    _exit(127);
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    int to[2], from[2], status;
    char byte = 0;
    CHECK_OK(pipe2(to, O_CLOEXEC));
    CHECK_OK(pipe2(from, O_CLOEXEC));
    pid_t owner = fork();
    if (owner == 0)
        become_another_program(scene, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    CHECK_EQ(write(to[1], "x", 1), 1);
    CHECK_EQ(read(from[0], &byte, 1), 1); /* the new program lives */
    CHECK_EQ(byte, 'x');
    harness_wait_gone((pid_t)atomic_load(&scene->supervisor));
    for (unsigned i = 0; i < 2; i++)
        harness_wait_gone((pid_t)atomic_load(&scene->hosts[i]));

    close(to[1]);
    CHECK_EQ(waitpid(owner, &status, 0), owner);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(from[0]);
}
