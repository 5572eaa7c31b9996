/*
 * units.c - times, counts and texts as people write and read them
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct unit {
    const char *name;
    double ns;
} units[] = {{"", 1e9}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

/* 0 or -EINVAL. strtod alone would also take signs, blanks, hexadecimal, infinity and nonsense after the number. */
int parse_duration(const char *text, uint64_t *ns) {
    size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || digits > 20) {
        return -EINVAL;
    }
    char number[24];
    memcpy(number, text, digits);
    number[digits] = '\0';
    char *end;
    double value = strtod(number, &end);
    if (*end != '\0') {
        return -EINVAL;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text + digits, units[i].name) == 0 && value * units[i].ns < 1e18) {
            *ns = (uint64_t)(value * units[i].ns + 0.5);
            return 0;
        }
    }
    return -EINVAL;
}

int parse_size(const char *text, uint64_t *bytes) {
    static const char letters[] = "KMGT";
    size_t digits = strspn(text, "0123456789");
    const char *letter = text[digits] != '\0' ? strchr(letters, text[digits]) : NULL;
    if (digits == 0 || digits > 15 || (text[digits] != '\0' && (!letter || text[digits + 1] != '\0'))) {
        return -EINVAL;
    }
    uint64_t value = strtoull(text, NULL, 10);
    unsigned shift = letter ? 10 * (unsigned)(letter - letters + 1) : 0;
    if (value > UINT64_MAX >> shift) {
        return -EINVAL;
    }
    *bytes = value << shift;
    return 0;
}

int parse_count(const char *text, uint32_t least, uint32_t most, uint32_t *count) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[digits] != '\0') {
        return -EINVAL;
    }
    unsigned long long value = strtoull(text, NULL, 10);
    if (value < least || value > most) {
        return -EINVAL;
    }
    *count = (uint32_t)value;
    return 0;
}

void format_duration(uint64_t ns, char *text, size_t text_bytes) {
    double value = (double)ns;
    if (ns < 1000000) {
        snprintf(text, text_bytes, "%.0f us", value / 1e3);
    } else if (ns < 1000000000) {
        snprintf(text, text_bytes, "%.1f ms", value / 1e6);
    } else {
        snprintf(text, text_bytes, "%.2f s", value / 1e9);
    }
}

static size_t escape_byte(unsigned char byte, char *escaped) {
    static const char hexadecimal[] = "0123456789abcdef";
    static const char plain[] = "\t\n\r\\", letters[] = "tnr\\";
    const char *found = memchr(plain, byte, sizeof plain - 1);
    if (found) {
        escaped[0] = '\\';
        escaped[1] = letters[found - plain];
        return 2;
    }
    if (byte >= 0x20 && byte != 0x7f) {
        escaped[0] = (char)byte;
        return 1;
    }
    escaped[0] = '\\';
    escaped[1] = 'x';
    escaped[2] = hexadecimal[byte >> 4];
    escaped[3] = hexadecimal[byte & 15];
    return 4;
}

/*
 * Items come from anywhere: what they hold must not break a line of the job log nor steer a terminal. Always ends with
 * a zero byte; what does not fit is left out and marked by "...". Returns the length.
 */
size_t escape_text(const char *text, size_t text_bytes, char *escaped, size_t room) {
    size_t length = 0;
    for (size_t i = 0; i < text_bytes; i++) {
        char one[4];
        size_t bytes = escape_byte((unsigned char)text[i], one);
        if (length + bytes + (i + 1 < text_bytes ? 3 : 0) >= room) {
            memset(escaped + length, '.', 3);
            length += 3;
            break;
        }
        for (size_t k = 0; k < bytes; k++) {
            escaped[length++] = one[k];
        }
    }
    escaped[length] = '\0';
    return length;
}
