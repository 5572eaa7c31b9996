/*
 * regex.c - searches files with Perl-compatible regular expressions (PCRE2), with no limit on how long a match may take
 *
 *     mortal map --arg PATTERN --deadline 1s regex FILE ...        how many lines of each file match
 *     mortal map --arg PATTERN --deadline 1s regex:lines FILE ...  these lines
 *     ... PATTERN<TAB>FILE ...                                     an item may bring a pattern of its own
 *
 * Patterns come from people, and some of them take longer than the universe will last: ^(a+)+$ on some letters. A
 * limit on backtracking inside the library would also refuse patterns that are merely slow; here the clock decides.
 *
 * SPDX-License-Identifier: MIT
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <mortal.h>
#include <pcre2.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

mortal_prepare mortal_module_setup;
mortal_function mortal_main, lines;

struct text {
    char  *bytes;
    size_t count;
};

struct search {
    pcre2_code *pattern;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    struct text text, found;
    size_t room;
    uint64_t line_count;
    bool keeps_lines;
};

/* Compiled once, before any host is forked: every host, and every host that takes over from a killed one, has it. */
static pcre2_code *given_pattern;

static int explain(mortal_task *task, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int explain(mortal_task *task, const char *format, ...) {
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    mortal_task_reply(task, reason, strlen(reason));
    return 1;
}

static pcre2_code *compile(const char *pattern, size_t length, char *reason, size_t reason_bytes) {
    int error;
    PCRE2_SIZE where;
    PCRE2_UCHAR what[128];
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, length, 0, &error, &where, NULL);
    if (!code) {
        pcre2_get_error_message(error, what, sizeof what);
        snprintf(reason, reason_bytes, "pattern '%.*s': at %zu: %s", (int)length, pattern, (size_t)where, (char *)what);
    }
    return code;
}

int mortal_module_setup(const void *context, size_t context_bytes) {
    char reason[256];
    if (context_bytes == 0) {
        return 0;
    }
    given_pattern = compile(context, context_bytes - 1, reason, sizeof reason);
    if (!given_pattern) {
        fprintf(stderr, "regex: %s\n", reason);
    }
    return given_pattern ? 0 : 1;
}

static int map_file(const char *path, struct text *text) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int error = fstat(fd, &status) < 0 ? errno : S_ISREG(status.st_mode) ? 0 : EINVAL;
    *text = (struct text){.count = error ? 0 : (size_t)status.st_size};
    if (!error && text->count > 0) {
        void *bytes = mmap(NULL, text->count, PROT_READ, MAP_PRIVATE, fd, 0);
        error = bytes == MAP_FAILED ? errno : 0;
        text->bytes = error ? NULL : bytes;
    }
    close(fd);
    return error;
}

static int keep_line(struct search *search, const char *line, size_t length) {
    if (!search->found.bytes || search->found.count + length + 1 > search->room) {
        size_t room = 2 * search->room + length + 1;
        char *bytes = realloc(search->found.bytes, room);
        if (!bytes) {
            return PCRE2_ERROR_NOMEMORY;
        }
        search->found.bytes = bytes;
        search->room = room;
    }
    memcpy(search->found.bytes + search->found.count, line, length);
    search->found.count += length;
    search->found.bytes[search->found.count++] = '\n';
    return 0;
}

/* 0, or an error of PCRE2. This is where a bad pattern stays for ever. */
static int search_lines(struct search *search) {
    const char *line = search->text.bytes, *end = line + search->text.count;
    while (line < end) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((feed ? feed : end) - line);
        int error = pcre2_match(search->pattern, (PCRE2_SPTR)line, length, 0, 0, search->match, search->limits);
        if (error < 0 && error != PCRE2_ERROR_NOMATCH) {
            return error;
        }
        if (error >= 0) {
            search->line_count++;
            error = search->keeps_lines ? keep_line(search, line, length) : 0;
        }
        if (error < 0 && error != PCRE2_ERROR_NOMATCH) {
            return error;
        }
        line += length + 1;
    }
    return 0;
}

static int search_file(mortal_task *task, struct search *search, const char *path) {
    char count[24];
    int error = map_file(path, &search->text);
    if (error) {
        return explain(task, "%s: %s", path, error == EINVAL ? "not a regular file" : strerror(error));
    }
    error = search_lines(search);
    if (error) {
        PCRE2_UCHAR what[128];
        pcre2_get_error_message(error, what, sizeof what);
        return explain(task, "%s: %s", path, (char *)what);
    }
    if (!search->keeps_lines) {
        snprintf(count, sizeof count, "%llu", (unsigned long long)search->line_count);
        return mortal_task_reply(task, count, strlen(count));
    }
    if (search->found.count > 0 && mortal_task_reply(task, search->found.bytes, search->found.count)) {
        return explain(task, "%s: more matching lines than a result may hold", path);
    }
    return 0;
}

static int search_item(mortal_task *task, const char *item, bool keeps_lines) {
    struct search search = {.pattern = given_pattern, .keeps_lines = keeps_lines};
    const char *tab = strchr(item, '\t');
    char reason[256];
    if (tab) {
        search.pattern = compile(item, (size_t)(tab - item), reason, sizeof reason);
        if (!search.pattern) {
            return explain(task, "%s", reason);
        }
    }
    if (!search.pattern) {
        return explain(task, "no pattern: give --arg PATTERN, or items of the form PATTERN<TAB>FILE");
    }
    search.match = pcre2_match_data_create_from_pattern(search.pattern, NULL);
    search.limits = pcre2_match_context_create(NULL);
    if (!search.match || !search.limits) {
        return explain(task, "out of memory");
    }
    pcre2_set_match_limit(search.limits, UINT32_MAX);
    pcre2_set_depth_limit(search.limits, UINT32_MAX);
    int status = search_file(task, &search, tab ? tab + 1 : item);
    if (search.text.bytes) {
        munmap(search.text.bytes, search.text.count);
    }
    free(search.found.bytes);
    pcre2_match_context_free(search.limits);
    pcre2_match_data_free(search.match);
    if (tab) {
        pcre2_code_free(search.pattern);
    }
    return status;
}

int mortal_main(mortal_task *task, const void *input, size_t input_bytes) {
    (void)input_bytes; /* a string: see the README beside this file */
    return search_item(task, input, false);
}

int lines(mortal_task *task, const void *input, size_t input_bytes) {
    (void)input_bytes;
    return search_item(task, input, true);
}
