/* sums.c - lines of tests that say the same but for their figures: the figures are added up and told at the end */
#include "runner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SUMS_MAX = 32, FIGURES_MAX = 4, TEXT_BYTES = 128 };

static struct sum {
    char               text[TEXT_BYTES]; /* with a # for each figure */
    unsigned long long figures[FIGURES_MAX];
} sums[SUMS_MAX];
static int sum_count;

static struct sum *sum_of(const char *text)
{
    for (int i = 0; i < sum_count; i++)
        if (strcmp(sums[i].text, text) == 0)
            return &sums[i];
    if (sum_count == SUMS_MAX)
        return NULL;
    struct sum *sum = &sums[sum_count++];
    memcpy(sum->text, text, TEXT_BYTES);
    return sum;
}

static void add_line(const char *line, size_t length)
{
    char               text[TEXT_BYTES] = "";
    unsigned long long figures[FIGURES_MAX] = {0};
    int                count = 0;
    size_t             to = 0;
    for (size_t at = 0; at < length && to < TEXT_BYTES - 1; to++) {
        if (isdigit((unsigned char)line[at]) == 0 || count == FIGURES_MAX) {
            text[to] = line[at++];
            continue;
        }
        char *end;
        figures[count++] = strtoull(line + at, &end, 10);
        at = (size_t)(end - line);
        text[to] = '#';
    }
    struct sum *sum = sum_of(text);
    for (int i = 0; sum != NULL && i < count; i++)
        sum->figures[i] += figures[i];
}

void sums_read(const char *output)
{
    for (const char *line = output; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, SUM_PREFIX, strlen(SUM_PREFIX)) == 0)
            add_line(line + strlen(SUM_PREFIX), strcspn(line, "\n") - strlen(SUM_PREFIX));
    }
}

void sums_print(FILE *out, const char *prefix)
{
    for (int i = 0; i < sum_count; i++) {
        int figure = 0;
        fputs(prefix, out);
        for (const char *at = sums[i].text; *at != '\0'; at++) {
            if (*at == '#')
                fprintf(out, "%llu", sums[i].figures[figure++]);
            else
                fputc(*at, out);
        }
        fputc('\n', out);
    }
}
