/* task.c - mortal_task_*: what a task's code may call */
#include <errno.h>
#include <string.h>

#include <mortal.h>

#include "host/results.h"
#include "host/worker.h"
#include "region/asked.h"
#include "region/recover.h"
#include "system/why.h"

mortal_task *mortal_task_self(void) {
    struct worker *worker = worker_self();
    return worker != NULL && worker->task.order != NULL ? &worker->task : NULL;
}

void *mortal_task_result(mortal_task *task, size_t bytes) {
    if (task != NULL && task->is_cleanup) {
        (void)why(-EPERM, "mortal_task_result: called in a clean-up: its task was cut, and has no result");
        return NULL;
    }
    if (task == NULL) {
        (void)why(-EINVAL, "mortal_task_result: the task is null: pass on the one that your function was given");
        return NULL;
    }
    void *memory = results_resize(task, bytes);
    if (memory == NULL && bytes != 0)
        (void)why(-ENOMEM, "mortal_task_result: no room for %zu bytes in this host's results: release futures whose results "
                           "were read, or open the pool with larger results_bytes", bytes);
    return memory;
}

int mortal_task_reply(mortal_task *task, const void *bytes, size_t count) {
    if (task == NULL || (bytes == NULL && count != 0))
        return why(-EINVAL, "mortal_task_reply: %s is null", task == NULL ? "the task" : "bytes");
    if (count == sizeof(uint64_t) && !task->is_cleanup && results_stay_in_cell(task, count)) { /* a number: the usual case */
        memcpy(task->small, bytes, sizeof(uint64_t));
        task->result_bytes = count;
        return 0;
    }
    void *memory = mortal_task_result(task, count);
    if (task->is_cleanup)
        return -EPERM;
    if (count == 0)
        return 0;
    if (memory == NULL)
        return -ENOMEM;
    memmove(memory, bytes, count);
    return 0;
}

bool mortal_task_should_stop(const mortal_task *task) {
    return task != NULL && !task->is_cleanup && asked_by(task->worker->region, task->slot, task->word) != 0;
}

unsigned mortal_task_attempt(const mortal_task *task) {
    if (task == NULL || task->item_attempt != 0)
        return task == NULL ? 0 : task->item_attempt;
    return care_attempts(care_of(task->worker->region, task->slot)) + 1;
}
