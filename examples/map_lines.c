/*
 * map_lines - a function over lines that never end, some of which are trouble
 *
 *     printf '%s\n' 'a*c abc' 'a*a*a*a*a*a*a*a*a*b aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' '[a] a' 'x y' | map_lines
 *
 * Each line is a pattern and a text. The matcher takes for ever on some patterns, and ends its process on others. Lines come
 * as long as somebody writes them; a thousand at a time are in memory, all processors work, answers come in the order of the
 * lines, and a bad line costs itself: it is named, with what became of it.
 */
#include <errno.h>
#include <mortal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    char text[256];
};

static int matches(const char *pattern, const char *text) {
    if (*pattern == '[')
        abort(); /* "cannot happen" */
    if (*pattern == '*')
        return matches(pattern + 1, text) || (*text != '\0' && matches(pattern, text + 1));
    return *pattern == *text && (*pattern == '\0' || matches(pattern + 1, text + 1));
}

static int match_line(mortal_task *task, const void *item, void *result) {
    struct line line = *(const struct line *)item;
    char *text = strchr(line.text, ' ');
    (void)task;
    if (text == NULL)
        return 1; /* no line of ours */
    *text++ = '\0';
    *(int *)result = matches(line.text, text);
    return 0;
}

/* Prints the next answer, and waits for it if it may. */
static int print_next(mortal_map *map, uint64_t timeout_ns) {
    mortal_map_entry entry;
    char what[200];
    int error = mortal_map_next(map, timeout_ns, &entry);
    if (error != 0)
        return error;
    if (entry.verdict.outcome == MORTAL_DONE) {
        printf("%s: %s\n", ((const struct line *)entry.item)->text, *(const int *)entry.verdict.result ? "yes" : "no");
    } else {
        mortal_verdict_text(&entry.verdict, what, sizeof what);
        printf("%s: line %llu is bad: %s\n", ((const struct line *)entry.item)->text, (unsigned long long)entry.number + 1, what);
    }
    return 0;
}

static int fail(void) {
    fprintf(stderr, "map_lines: %s\n", mortal_why());
    return 1;
}

int main(void) {
    mortal_pool *pool;
    mortal_map *map;
    mortal_task_options limits = {.size = sizeof limits, .deadline_ns = 200000000}; /* of each line */
    mortal_map_options options = {.size = sizeof options, .item_bytes = sizeof(struct line), .result_bytes = sizeof(int),
                                  .window = 1000, .task = &limits};
    struct line line;
    int error;
    if (mortal_pool_open(&pool, NULL) || mortal_map_open(&map, pool, match_line, &options))
        return fail();
    while (fgets(line.text, sizeof line.text, stdin) != NULL) {
        line.text[strcspn(line.text, "\n")] = '\0';
        while ((error = mortal_map_put(map, &line, NULL, 0)) == -EAGAIN) /* a thousand are under way: take one first */
            if (print_next(map, MORTAL_FOREVER))
                return fail();
        if (error)
            return fail();
        while (print_next(map, 0) == 0) { /* whatever is there already */
        }
    }
    if (mortal_map_end(map))
        return fail();
    while ((error = print_next(map, MORTAL_FOREVER)) == 0) {
    }
    return error != -ENOENT || mortal_map_close(map) || mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) ? fail() : 0;
}
