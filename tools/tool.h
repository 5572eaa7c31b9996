/*
 * tool.h - what the files of the command line share
 *
 * The tool is an ordinary user of mortal.h: nothing in this folder knows more about the library than any program can.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses, those of the verbs and of `mortal` itself. docs/man/mortal.1 lists them for users. */
enum exit_status {
    STATUS_ALL_DONE = 0,
    STATUS_SOME_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_GAVE_UP = 3,       /* too many processes ended by themselves */
    STATUS_USAGE_OF_DOCTOR = 64, /* whose 1 and 2 are diagnoses */
    STATUS_SYSTEM = 125,      /* the tool could not do its own part: write results or the job log, open the pool */
    STATUS_NO_MODULE = 126,
    STATUS_NO_FUNCTION = 127,
    STATUS_INTERRUPTED = 130, /* by SIGINT; 143 by SIGTERM, as shells count */
    STATUS_TERMINATED = 143
};

/* units.c: times and texts as people write and read them */
#define ESCAPED_ROOM(bytes) ((bytes) * 4 + 1)
int    parse_duration(const char *text, uint64_t *ns);
int    parse_size(const char *text, uint64_t *bytes); /* 512M, 2G; without a unit, bytes */
int    parse_count(const char *text, uint32_t least, uint32_t most, uint32_t *count);
void   format_duration(uint64_t ns, char *text, size_t text_bytes);
size_t escape_text(const char *text, size_t text_bytes, char *escaped, size_t room);

/* screen.c: what a person sees on standard error */
enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_NONE };
struct progress {
    uint64_t ended, total, failed; /* total 0: not known */
    uint32_t running;
};
void screen_name(const char *program);
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool progress_start(enum progress_mode mode);
void progress_draw(const struct progress *progress);
void progress_hide(void);

/* output.c: results on standard output; 0 or a negative errno */
int output_result(const char *tag, size_t tag_bytes, const char *result, size_t result_bytes);
int output_flush(void);

/* stop.c: SIGINT and SIGTERM */
struct mortal_pool;
int  stop_watch(struct mortal_pool *pool); /* a descriptor that is readable once a signal came, or a negative errno */
void stop_forget(void);                    /* before the pool is closed */
int  stop_signals(void);                   /* how many came */
int  stop_signal(void);                    /* the first of them, 0: none */

/* main.c */
int say_help(const char *verb_name); /* null: of the command; an exit status */

/* One file per verb. */
int  map_main(int argc, char **argv);
void map_help(FILE *to);
int  doctor_main(int argc, char **argv);
void doctor_help(FILE *to);

#endif
