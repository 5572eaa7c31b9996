/*
 * main.c - the command `mortal`: picks the verb
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct verb {
    const char *name, *purpose;
    int (*run)(int argc, char **argv);
    void (*help)(FILE *to);
};

static const struct verb verbs[] = {
    {"map", "run a function of a module over items, in processes that can be killed", map_main, map_help},
    {"doctor", "tell which promises this machine gives, and how", doctor_main, doctor_help},
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

static const struct verb *find_verb(const char *name) {
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static void help(FILE *to) {
    fputs("usage: mortal VERB [options] [arguments]\n"
          "       mortal help [VERB]\n"
          "       mortal --version\n"
          "\n"
          "Runs work that may hang, crash or explode, and ends it when it does.\n"
          "\n"
          "Verbs:\n", to);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].purpose);
    }
    fputs("\n'mortal help VERB' tells more; mortal(1) tells everything.\n", to);
}

/* Help and version go to standard output and may fail like any output. */
static int said(void) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write: standard output: %s", strerror(errno));
        return STATUS_SYSTEM;
    }
    return STATUS_ALL_DONE;
}

static int say_version(void) {
    uint32_t version = mortal_version();
    printf("mortal %u.%u.%u\n", version / 10000, version / 100 % 100, version % 100);
    return said();
}

int say_help(const char *verb_name) {
    const struct verb *verb = verb_name ? find_verb(verb_name) : NULL;
    if (verb_name && !verb) {
        complain("no such verb: '%s'; 'mortal --help' lists them", verb_name);
        return STATUS_USAGE;
    }
    (verb ? verb->help : help)(stdout);
    return said();
}

/*
 * A closed standard descriptor would be given to the next file that is opened, and results would end up in it. It is
 * replaced by one on which every use fails as it would have failed on the closed one: opened for the other direction.
 */
static void fill_standard_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            int other = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
            if (other != fd && other >= 0) {
                close(other);
            }
        }
    }
}

int main(int argc, char **argv) {
    mortal_host_main();
    fill_standard_descriptors();
    screen_name("mortal");
    if (argc < 2) {
        help(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return say_help(NULL);
    }
    if (strcmp(argv[1], "help") == 0) {
        return say_help(argc > 2 ? argv[2] : NULL);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        return say_version();
    }
    const struct verb *verb = find_verb(argv[1]);
    if (!verb) {
        complain("no such verb: '%s'; 'mortal --help' lists them", argv[1]);
        return STATUS_USAGE;
    }
    return verb->run(argc - 1, argv + 1);
}
