/*
 * map.h - what the files of `mortal map` share
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAP_H
#define MAP_H

#include <mortal.h>

#include <time.h>

#include "tool.h"

/* map_options.c: the command line */
enum { MOST_RULES = 16 };
struct priority_rule {
    const char *pattern; /* for fnmatch() */
    int32_t     priority;
};
struct map_options {
    const char *module, *function, *argument, *item_file, *joblog;
    char      **words; /* items of the command line */
    int         word_count;
    char        delimiter;
    bool        is_halting, is_unordered, is_tagged, is_quiet, is_help;
    enum progress_mode progress;
    uint32_t    workers, retries;
    uint64_t    deadline_ns, grace_ns;
    uint64_t    soft_deadline_ns; /* 0: none */
    uint32_t    deaths; /* as in mortal_pool_options; 0: no number is too many */
    uint64_t    deaths_period_ns;
    size_t      memory_bytes; /* this and what follows: 0 for none, likewise */
    uint64_t    cpu_ns;
    uint32_t    processes, recycle_tasks, more_memory_percent;
    const char *obituaries; /* a file for them */
    bool        is_verbose;
    bool        is_counting;
    int32_t     containment; /* enum mortal_containment */
    struct priority_rule rules[MOST_RULES]; /* the first one that an item matches holds */
    uint32_t    rule_count;
};
int32_t map_priority_of(const struct map_options *options, const char *text);
const char *map_containment_name(int32_t containment);
int map_options_read(struct map_options *options, int argc, char **argv); /* STATUS_ALL_DONE, or complained */

/* module.c: the shared object */
struct module {
    mortal_function *function;
    mortal_prepare  *setup; /* null: it has none */
};
int module_load(struct module *module, const struct map_options *options); /* STATUS_ALL_DONE, or complained */

/* items.c: where items come from; nothing is read ahead of what is asked for but one buffer */
enum items_state { ITEMS_ONE, ITEMS_HUNGRY, ITEMS_END, ITEMS_BROKEN };
struct items {
    char **words; /* from the command line, else null */
    size_t word_count, next_word;
    int    fd;
    int    error;       /* of ITEMS_BROKEN, positive */
    const char *name;   /* for messages */
    char  *bytes;       /* read and not yet taken: [start, end); no delimiter in [start, searched) */
    size_t start, searched, end, room;
    size_t limit;       /* the longest item that is kept whole */
    char   delimiter;
    bool   is_skipping; /* inside the rest of an item that was too long */
    bool   is_at_end;
};
int  items_open(struct items *items, const struct map_options *options); /* STATUS_ALL_DONE, or complained */
int  items_next(struct items *items, const char **text, size_t *text_bytes, bool *is_too_long);
void items_fill(struct items *items); /* one read; after ITEMS_HUNGRY */
void items_close(struct items *items);

/* One item, from its reading until its result is written. */
struct item {
    struct item    *previous, *next;
    struct item    *next_waiting;
    uint64_t        number; /* from 1 */
    char           *text;   /* ended by a zero byte, which text_bytes does not count */
    size_t          text_bytes;
    bool            is_refused; /* longer than the pool takes: never submitted */
    bool            is_settled;
    uint32_t        attempts;   /* all of them, those of earlier submits too */
    struct timespec submitted;  /* CLOCK_REALTIME, of the last submit */
    mortal_verdict  verdict;    /* its result is a copy that the item owns */
};

/* joblog.c: one line per item, written when it ends; 0 or a negative errno */
int joblog_open(const char *path);
int joblog_write(const struct item *item);
int joblog_close(void);

/* obituaries.c: what is known of each process that died; 0 or a negative errno */
struct run;
int obituaries_open(const char *path);    /* null: none is written */
int obituaries_tell(struct run *run);
int obituaries_close(void);

/* tally.c: what happened, counted and told */
struct tally {
    uint64_t items, ended, outcomes[16], refused;
    uint64_t kills, latest_ns; /* deadlines kept by a kill, and how late the latest was */
    mortal_kill_report kill;   /* what an early stop killed, and how fast, the grace not counted */
    uint64_t started_ns;
};
void tally_count(struct tally *tally, const struct item *item, uint64_t deadline_ns);
void tally_tell_item(const struct item *item);
void tally_tell(const struct tally *tally);
bool tally_is_all_done(const struct tally *tally);

/* stats.c */
void stats_tell(mortal_pool *pool);

/* One run of the verb. */
struct run {
    const struct map_options *options;
    struct module module;
    struct items  items;
    mortal_pool  *pool;
    mortal_group *group;
    struct item  *first, *last;                 /* the window: read and not yet written, in the order of the items */
    struct item  *waiting_first, *waiting_last; /* of these: to be submitted (again) as soon as there is room */
    size_t   held_items, held_bytes;            /* in the window */
    uint32_t in_flight, in_flight_most, workers; /* in flight: in the pool, their verdict not yet taken */
    size_t   result_room, result_bytes;         /* in each host; of one item, lately the most */
    int      group_fd, wake_fd;
    int      status; /* of the tool's own failure */
    bool     is_input_over, is_hungry, is_stopping, has_given_up, has_bar;
    struct tally tally;
    uint64_t obituaries; /* told so far */
};

/* window.c: from reading to writing */
bool         window_has_room(const struct run *run);
struct item *window_add(struct run *run, const char *text, size_t text_bytes); /* null: no memory */
int          window_settle(struct run *run, struct item *item);                /* it has ended; 0 or a negative errno */
int          window_write(struct run *run);                                    /* what can be written; likewise */

/* flow.c: from reading to ending */
void flow_feed(struct run *run);
bool flow_harvest(struct run *run); /* false: nothing more will come */
void flow_stop(struct run *run, uint64_t grace_ns);
void flow_give_up(struct run *run, int status);
void flow_check_output(struct run *run, int error);
void flow_check_obituaries(struct run *run, int error);

#endif
