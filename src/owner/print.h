/* print.h - text of any length into memory of some, as snprintf does it */
#ifndef OWNER_PRINT_H
#define OWNER_PRINT_H

#include <stddef.h>

#include <mortal.h>

struct print {
    char *text;
    size_t room, length; /* length: of the whole, be there room or not */
};

void print(struct print *to, const char *format, ...) MORTAL_PRINTF(2, 3);
void print_bytes(struct print *to, const char *bytes, size_t count);
size_t print_end(struct print *to); /* the zero byte; returns the length */

/* How many bytes the character at the front takes, if it is UTF-8 and no control character, else 0. */
size_t print_character(const char *text, size_t bytes);

/* obituary_text.c */
const char *obituary_asked_name(int asked);
const char *obituary_stage_name(int stage);
const char *obituary_module(const mortal_obituary *obituary, const mortal_obituary_frame *frame); /* null: not known */

#endif
