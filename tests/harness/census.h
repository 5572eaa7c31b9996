/* What a process holds: descriptors and shared mappings, counted before and after a test; and who its children are. */
#ifndef CENSUS_H
#define CENSUS_H

#include <sys/types.h>

enum { CENSUS_LINES = 1024, CENSUS_LINE_BYTES = 160 };

struct census_list {
    int  count;
    char lines[CENSUS_LINES][CENSUS_LINE_BYTES];
};

struct census {
    struct census_list descriptors; /* "7 -> /path" */
    struct census_list mappings;    /* "7f00-7f01 rw-s /memfd:x"; adjacent pieces of one mapping are one line */
};

void census_take(struct census *census);

/* Prints what came or went and returns how many lines differ. */
int census_compare(const struct census *before, const struct census *after);

int census_children(void);

/* The state letter of /proc/PID/stat, 0 when there is no such process. */
char census_process_state(pid_t pid);

#endif
