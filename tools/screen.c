/*
 * screen.c - what a person sees on standard error: messages, and the progress bar below them
 *
 * Each message is one write, so that messages of several programs on one terminal or log do not mix within a line.
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

#define REDRAW_NS 100000000ull

static const char *program_name = "mortal";
static bool bar_is_wanted, bar_is_shown;
static uint64_t bar_started_ns, bar_drawn_ns;

void screen_name(const char *program) {
    program_name = program;
}

/* Nothing can be done if standard error is gone: results and the exit status still tell. */
static void write_screen(const char *text, size_t bytes) {
    while (bytes > 0) {
        ssize_t written = write(STDERR_FILENO, text, bytes);
        if (written <= 0) {
            return;
        }
        text += written;
        bytes -= (size_t)written;
    }
}

void complain(const char *format, ...) {
    char line[4096];
    int used = snprintf(line, sizeof line, "%s: ", program_name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    va_end(arguments);
    size_t length = strlen(line);
    line[length] = '\n';
    progress_hide();
    write_screen(line, length + 1);
}

bool progress_start(enum progress_mode mode) {
    bar_is_wanted = mode == PROGRESS_BAR || (mode == PROGRESS_AUTO && isatty(STDERR_FILENO));
    bar_started_ns = mortal_now_ns();
    bar_drawn_ns = 0;
    return bar_is_wanted;
}

static int columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

/* "[=====>    ] " as wide as what the counts leave of the line, or nothing where that is too little. */
static size_t draw_bar(const struct progress *progress, int width, char *text) {
    if (progress->total == 0 || width < 8) {
        return 0;
    }
    size_t cells = width > 60 ? 50 : (size_t)width - 4;
    size_t full = (size_t)((double)progress->ended / (double)progress->total * (double)cells);
    size_t used = 0;
    text[used++] = '[';
    for (size_t cell = 0; cell < cells; cell++) {
        text[used++] = cell < full ? '=' : cell == full ? '>' : ' ';
    }
    text[used++] = ']';
    text[used++] = ' ';
    return used;
}

void progress_draw(const struct progress *progress) {
    uint64_t now_ns = mortal_now_ns();
    if (!bar_is_wanted || (bar_is_shown && now_ns - bar_drawn_ns < REDRAW_NS)) {
        return;
    }
    bar_drawn_ns = now_ns;
    bar_is_shown = true;
    double seconds = (double)(now_ns - bar_started_ns) / 1e9;
    char total[32] = " ended", failed[32] = "", counts[128];
    if (progress->total > 0) {
        snprintf(total, sizeof total, "/%" PRIu64, progress->total);
    }
    if (progress->failed > 0) {
        snprintf(failed, sizeof failed, "  %" PRIu64 " not done", progress->failed);
    }
    int counts_length = snprintf(counts, sizeof counts, "%" PRIu64 "%s%s  %u running  %.1f/s", progress->ended, total,
                                 failed, progress->running, seconds > 0 ? (double)progress->ended / seconds : 0.0);
    char line[256] = "\r\033[K";
    size_t used = strlen(line);
    int width = columns() - 1;
    used += draw_bar(progress, width - counts_length, line + used);
    size_t kept = counts_length > width ? (size_t)width : (size_t)counts_length;
    memcpy(line + used, counts, kept);
    write_screen(line, used + kept);
}

void progress_hide(void) {
    if (bar_is_shown) {
        bar_is_shown = false;
        bar_drawn_ns = 0;
        write_screen("\r\033[K", 4);
    }
}
