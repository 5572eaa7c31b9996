/*
 * consistent.c - tasks that are killed in the middle of something, and leave everything in order all the same
 *
 * Each task takes a lock, which is a file outside of the pool, moves money between two accounts that all tasks share,
 * and writes a report. Every third one is killed somewhere in between. Then the sum of the accounts is what it was, the
 * report is whole, the lock is free, and nothing lies about.
 *
 *   accounts   a cell: changed as a whole or not at all
 *   report     published as a whole or not at all
 *   lock       released by a clean-up, which the task leaves before it takes the lock
 */
#include <mortal.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 45, WORKERS = 3, SUM = 1000 };

struct accounts {
    int mine, yours;
};

struct job {
    int number;
    mortal_cell accounts;
};

static void check(int error) {
    if (error) {
        fprintf(stderr, "consistent: %s\n", mortal_why());
        exit(1);
    }
}

/* Time for a kill to come. */
static void dawdle(long microseconds) { nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL); }

/* The lock is a link that names its holder. Runs in another process, after the holder's certain death. */
static int release(mortal_task *task, const void *holder, size_t bytes) {
    char found[64];
    (void)task;
    if (readlink("lock", found, sizeof found) != (ssize_t)bytes || memcmp(found, holder, bytes) != 0) {
        return 0; /* it was killed before it had it, or after it gave it back */
    }
    return unlink("lock");
}

static void take_lock(mortal_task *task, int number) {
    char holder[64];
    int length = snprintf(holder, sizeof holder, "task %d", number);
    check(mortal_task_on_death(task, release, holder, (size_t)length)); /* first: a kill may come right after the lock */
    while (symlink(holder, "lock")) {
        dawdle(100);
    }
}

static void give_lock_back(mortal_task *task) {
    unlink("lock");
    check(mortal_task_on_death(task, NULL, NULL, 0));
}

static int move(void *value, void *argument) {
    struct accounts *accounts = value;
    int amount = *(const int *)argument;
    accounts->mine -= amount;
    dawdle(500); /* here the sum is wrong, and nobody ever sees it */
    accounts->yours += amount;
    return 0;
}

static void report(mortal_task *task, mortal_cell cell) {
    struct accounts now;
    int fd;
    check(mortal_cell_read(cell, &now, sizeof now));
    check(mortal_task_file_open(task, "report", 0644, &fd));
    dprintf(fd, "%d mine\n", now.mine);
    dawdle(500); /* here it is half written, and nobody ever sees it */
    dprintf(fd, "%d yours\n", now.yours);
    check(mortal_task_file_publish(task, fd));
}

static int work(mortal_task *task, const void *input, size_t bytes) {
    struct job job;
    memcpy(&job, input, bytes);
    take_lock(task, job.number);
    check(mortal_cell_update(job.accounts, move, &job.number));
    report(task, job.accounts);
    give_lock_back(task);
    return 0;
}

static void kill_somewhere(mortal_future future) {
    mortal_look look = {.phase = MORTAL_PENDING};
    while (look.phase == MORTAL_PENDING) {
        dawdle(100);
        check(mortal_future_look(future, &look));
    }
    dawdle(rand() % 3000);
    check(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
}

static void show(mortal_cell cell) {
    struct accounts now;
    int mine = 0, yours = SUM, others = -2; /* "." and ".." */
    check(mortal_cell_read(cell, &now, sizeof now));
    FILE *file = fopen("report", "r");
    int whole = !file || fscanf(file, "%d mine %d yours", &mine, &yours) == 2; /* none: all were killed before */
    if (file) {
        fclose(file);
    }
    DIR *folder = opendir(".");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        others += strcmp(entry->d_name, "report") != 0;
    }
    if (folder) {
        closedir(folder);
    }
    printf("Accounts: %d in all.\n", now.mine + now.yours);
    printf("Report: %s, %d in all.\n", whole ? "whole" : "cut off", mine + yours);
    printf("Lock and left-overs: %d.\n", others);
}

int main(void) {
    char folder[] = "/tmp/consistent-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder)) {
        return perror("consistent"), 1;
    }
    mortal_pool *pool;
    mortal_pool_options options = {.size = sizeof options, .workers = WORKERS};
    struct accounts accounts = {.mine = SUM};
    struct job job;
    mortal_future futures[TASKS];
    int outcomes[16] = {0};
    check(mortal_pool_open(&pool, &options));
    check(mortal_cell_open(pool, sizeof accounts, &accounts, &job.accounts));
    for (job.number = 0; job.number < TASKS; job.number++) {
        check(mortal_pool_submit(pool, work, &job, sizeof job, NULL, &futures[job.number]));
    }
    for (int i = 0; i < TASKS; i += 3) {
        kill_somewhere(futures[i]);
    }
    for (int i = 0; i < TASKS; i++) {
        mortal_verdict verdict;
        check(mortal_future_wait(futures[i], MORTAL_FOREVER, &verdict));
        outcomes[verdict.outcome]++;
    }
    printf("%d done, %d killed.\n", outcomes[MORTAL_DONE], outcomes[MORTAL_KILLED]);
    show(job.accounts);
    check(mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL));
    unlink("report");
    return chdir("/") || rmdir(folder);
}
