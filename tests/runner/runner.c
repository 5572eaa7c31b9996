#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64 };

struct job {
    pid_t              keeper; /* 0: free */
    const struct test *test;
    double             started;
    char               directory[4096];
};

static struct job            jobs[JOBS_MAX];
static volatile sig_atomic_t is_interrupted;

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void start(struct job *job, const struct test *test, const struct settings *settings)
{
    const char *root = getenv("TMPDIR");
    pid_t       runner = getpid();
    snprintf(job->directory, sizeof job->directory, "%s/mortal-test.XXXXXX", root == NULL ? "/tmp" : root);
    if (mkdtemp(job->directory) == NULL) {
        fprintf(stderr, "runner: %s: %s\n", job->directory, strerror(errno));
        exit(2);
    }
    fflush(stdout);
    job->test = test;
    job->started = now_seconds();
    job->keeper = fork();
    if (job->keeper < 0) {
        perror("runner: fork");
        exit(2);
    }
    if (job->keeper == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        _exit(getppid() == runner ? keeper_run(test, settings, job->directory) : RESULT_FAILED);
    }
}

static void finish_one(const struct settings *settings, struct tally *tally)
{
    int   status;
    pid_t pid = waitpid(-1, &status, 0);
    for (int i = 0; i < settings->jobs; i++) {
        if (pid <= 0 || jobs[i].keeper != pid)
            continue;
        report(jobs[i].test, settings, jobs[i].directory, status, now_seconds() - jobs[i].started, tally);
        leftovers_remove(jobs[i].directory);
        jobs[i].keeper = 0;
    }
}

static struct job *free_job(int count)
{
    for (int i = 0; i < count; i++)
        if (jobs[i].keeper == 0)
            return &jobs[i];
    return NULL;
}

static bool is_any_busy(int count)
{
    for (int i = 0; i < count; i++)
        if (jobs[i].keeper != 0)
            return true;
    return false;
}

/* No more is started; the keepers end what runs and leave nothing behind, so they are told and waited for. */
static void interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
    for (int i = 0; i < JOBS_MAX; i++)
        if (jobs[i].keeper > 0)
            kill(jobs[i].keeper, SIGTERM);
}

static void run_all(const struct test *tests, int count, const struct settings *settings, struct tally *tally)
{
    for (int i = 0; i < count * settings->repeat && !is_interrupted; i++) {
        const struct test *test = &tests[i / settings->repeat];
        if (test->except != NULL) {
            tally->skipped += i % settings->repeat == 0;
            if (i % settings->repeat == 0)
                printf("skip %s%s # %s\n", test->name, settings->suffix, test->except);
            continue;
        }
        struct job *job;
        while ((job = free_job(settings->jobs)) == NULL)
            finish_one(settings, tally);
        if (!is_interrupted)
            start(job, test, settings);
    }
    while (is_any_busy(settings->jobs))
        finish_one(settings, tally);
}

static int sum_up(const struct tally *tally, const struct settings *settings)
{
    FILE *file = settings->tally_file == NULL ? NULL : fopen(settings->tally_file, "ae");
    if (file != NULL) {
        sums_print(file, SUM_PREFIX);
        fprintf(file, "%d %d %d\n", tally->passed, tally->failed, tally->skipped);
        fclose(file);
    } else {
        sums_print(stdout, "");
        printf("%d passed, %d failed, %d skipped\n", tally->passed, tally->failed, tally->skipped);
    }
    return is_interrupted ? 130 : tally->failed > 0;
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct test    *tests;
    struct tally    tally = {0};
    options_parse(&settings, argc, argv);
    if (settings.jobs > JOBS_MAX)
        settings.jobs = JOBS_MAX;
    int count = list_load(&settings, &tests);
    if (settings.list) {
        for (int i = 0; i < count; i++)
            puts(tests[i].name);
        return 0;
    }
    if (settings.direct && count == 1) {
        command_exec(&tests[0], &settings);
        return 127;
    }
    if (settings.direct) {
        fprintf(stderr, "runner: --direct needs exactly one test, --only chose %d\n", count);
        return 2;
    }
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is no reason to leave tests running */
    run_all(tests, count, &settings, &tally);
    return sum_up(&tally, &settings);
}
