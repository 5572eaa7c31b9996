#include "system/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mortal.h>

static _Thread_local char last_failure[384];

int why(int negative_errno, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(last_failure, sizeof last_failure, format, arguments);
    va_end(arguments);
    return negative_errno;
}

int why_as(const char *call, int negative_errno) {
    char reason[sizeof last_failure];
    strcpy(reason, why_reason());
    return why(negative_errno, "%s: %s", call, reason);
}

const char *why_text(void) { return last_failure; }

const char *why_reason(void) {
    const char *behind = strstr(last_failure, ": ");
    return behind != NULL ? behind + 2 : last_failure;
}

const char *mortal_why(void) { return why_text(); }
