/*
 * map.c - the verb `map`: a function over items
 *
 * One loop. It reads items only as fast as results leave, so that endless input needs no more memory than a window of
 * it; and it waits nowhere but in poll, so that results are written as soon as they are there, however slowly the input
 * comes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "map.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_MS 100

static void draw(const struct run *run) {
    struct progress progress = {.ended = run->tally.ended, .total = run->items.words ? run->items.word_count : 0,
                                .failed = run->tally.ended - run->tally.outcomes[MORTAL_DONE],
                                .running = run->in_flight < run->workers ? run->in_flight : run->workers};
    progress_draw(&progress);
}

static void wait_for_something(struct run *run) {
    struct pollfd watched[] = {{.fd = run->group_fd, .events = POLLIN}, {.fd = run->wake_fd, .events = POLLIN},
                               {.fd = run->is_hungry ? run->items.fd : -1, .events = POLLIN}};
    uint64_t count;
    poll(watched, 3, run->has_bar ? REDRAW_MS : -1);
    if (watched[1].revents) {
        ssize_t ignored = read(run->wake_fd, &count, sizeof count);
        (void)ignored;
    }
    if (watched[2].revents) {
        items_fill(&run->items);
    }
}

static void check_signals(struct run *run) {
    if (stop_signals() > 0 && !run->is_stopping) {
        char grace[32];
        format_duration(run->options->grace_ns, grace, sizeof grace);
        complain("%s: nothing more is started, what runs has %s; a second signal kills it at once",
                 stop_signal() == SIGINT ? "interrupted" : "terminated", grace);
        flow_stop(run, run->options->grace_ns);
    }
}

static void work(struct run *run) {
    while (flow_harvest(run)) {
        flow_feed(run);
        flow_check_output(run, window_write(run));
        flow_check_output(run, run->status ? 0 : output_flush());
        if (run->is_input_over && run->in_flight == 0 && !run->waiting_first) {
            break;
        }
        if (run->has_bar) {
            draw(run);
        }
        if (run->in_flight > 0 || run->is_hungry) { /* else the window was full and is empty now */
            wait_for_something(run);
        }
        check_signals(run);
    }
    progress_hide();
}

static int open_pool(struct run *run) {
    const struct map_options *options = run->options;
    mortal_pool_options pool = {.size = sizeof pool, .name = "mortal map", .workers = options->workers,
                                .preload = run->module.setup, .context = options->argument,
                                .context_bytes = options->argument ? strlen(options->argument) + 1 : 0,
                                .measure = MORTAL_MEASURE_TIMES, .deaths = options->deaths,
                                .deaths_period_ns = options->deaths_period_ns,
                                .containment = options->containment,
                                .memory_bytes = options->memory_bytes, .cpu_ns = options->cpu_ns,
                                .processes = options->processes, .recycle_tasks = options->recycle_tasks};
    if (options->obituaries || options->is_verbose) {
        pool.backtrace = MORTAL_BACKTRACE_CRASH | MORTAL_BACKTRACE_DEADLINE;
    }
    mortal_stats stats;
    int error = mortal_pool_open(&run->pool, &pool);
    if (error) {
        complain("cannot start: %s: %s", options->module, mortal_why());
        return error == -ECANCELED ? STATUS_NO_MODULE : STATUS_SYSTEM;
    }
    run->wake_fd = stop_watch(run->pool);
    if (run->wake_fd < 0 || mortal_group_open(&run->group, run->pool) || mortal_group_fd(run->group, &run->group_fd) ||
        mortal_pool_stats(run->pool, &stats)) {
        complain("cannot start: %s", run->wake_fd < 0 ? strerror(-run->wake_fd) : mortal_why());
        return STATUS_SYSTEM;
    }
    run->items.limit = stats.input_bytes_max - 1; /* the ending zero byte is input, too */
    run->workers = stats.workers;
    run->in_flight_most = stats.workers;
    run->result_room = stats.result_bytes_max;
    return STATUS_ALL_DONE;
}

static int finish(struct run *run) {
    stop_forget();
    flow_check_obituaries(run, obituaries_tell(run));
    if (run->options->is_counting) {
        stats_tell(run->pool);
    }
    mortal_pool_close(run->pool, MORTAL_CLOSE_KILL, 0, NULL);
    int error = joblog_close();
    if (error && !run->status) {
        complain("cannot write the job log: %s: %s", run->options->joblog, strerror(-error));
        run->status = STATUS_SYSTEM;
    }
    error = obituaries_close();
    if (error && !run->status) {
        complain("cannot write the obituaries: %s: %s", run->options->obituaries, strerror(-error));
        run->status = STATUS_SYSTEM;
    }
    if (!run->options->is_quiet) {
        tally_tell(&run->tally);
    }
    if (run->status) {
        return run->status;
    }
    if (stop_signal()) {
        return stop_signal() == SIGINT ? STATUS_INTERRUPTED : STATUS_TERMINATED;
    }
    if (run->has_given_up) {
        return STATUS_GAVE_UP;
    }
    return tally_is_all_done(&run->tally) ? STATUS_ALL_DONE : STATUS_SOME_FAILED;
}

static int open_joblog(const char *path) {
    int error = path ? joblog_open(path) : 0;
    if (error) {
        complain("cannot write the job log: %s: %s", path, strerror(-error));
    }
    return error ? STATUS_SYSTEM : STATUS_ALL_DONE;
}

static int open_obituaries(const char *path) {
    int error = obituaries_open(path);
    if (error) {
        complain("cannot write the obituaries: %s: %s", path, strerror(-error));
    }
    return error ? STATUS_SYSTEM : STATUS_ALL_DONE;
}

static int run_map(struct run *run) {
    run->tally.started_ns = mortal_now_ns();
    int status = open_pool(run);
    if (status) {
        mortal_pool_close(run->pool, MORTAL_CLOSE_KILL, 0, NULL);
        return status;
    }
    run->has_bar = progress_start(run->options->progress);
    work(run);
    return finish(run);
}

int map_main(int argc, char **argv) {
    struct map_options options;
    struct run run = {.options = &options};
    screen_name("mortal map");
    int status = map_options_read(&options, argc, argv);
    if (status || options.is_help) {
        return status ? status : say_help("map");
    }
    status = items_open(&run.items, &options);
    if (!status) {
        status = module_load(&run.module, &options);
    }
    if (!status) {
        status = open_joblog(options.joblog);
    }
    if (!status) {
        status = open_obituaries(options.obituaries);
    }
    if (!status) {
        status = run_map(&run);
    }
    items_close(&run.items);
    return status;
}
