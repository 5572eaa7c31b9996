/*
 * doctor.c - `mortal doctor`: which promises this machine gives, and how
 *
 * SPDX-License-Identifier: MIT
 */
#include "doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

enum { OPTION_JSON = 256, OPTION_HELP };

void doctor_help(FILE *to) {
    fputs("usage: mortal doctor [--json]\n"
          "\n"
          "Tells which promises of the library this machine gives to this user, how, what is missing, and what would\n"
          "provide it. A pool is opened and tasks in it are killed, to see that it works and how long it takes.\n"
          "\n"
          "  --json   for programs: one object\n"
          "  --help   this text\n"
          "\n"
          "Exit status: 0 every promise holds, 1 some hold in a weaker form, 2 a pool cannot work here.\n", to);
}

void diagnose(struct diagnosis *d, struct finding finding, const char *format, ...) {
    if (d->count == FINDINGS_MOST) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.detail, sizeof finding.detail, format, arguments);
    va_end(arguments);
    d->findings[d->count++] = finding;
}

static int exit_status(const struct diagnosis *d) {
    int status = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        const struct finding *f = &d->findings[i];
        int own = f->has || f->weight < WEIGHT_PROMISE ? 0 : f->weight == WEIGHT_PROMISE ? 1 : 2;
        status = own > status ? own : status;
    }
    return status;
}

static const char *state_of(const struct finding *f) {
    if (f->weight == WEIGHT_FACT) {
        return "fact";
    }
    if (f->has) {
        return "yes";
    }
    return f->weight == WEIGHT_EXTRA ? "no" : f->weight == WEIGHT_PROMISE ? "weaker" : "missing";
}

static void print_text(const struct diagnosis *d) {
    static const char *const verdicts[] = {"Every promise holds here.", "Some promises hold in a weaker form here.",
                                           "A pool cannot work here."};
    const char *group = "";
    for (uint32_t i = 0; i < d->count; i++) {
        const struct finding *f = &d->findings[i];
        const char *state = state_of(f);
        if (strcmp(group, f->group) != 0) {
            printf("%s%s\n", i == 0 ? "" : "\n", f->group);
        }
        group = f->group;
        printf("  %-8s %-14s %s\n", strcmp(state, "fact") == 0 ? "" : state, f->name, f->detail);
        if (f->has || f->weight == WEIGHT_FACT) {
            continue;
        }
        if (f->means != NULL && f->promise != 0) {
            printf("  %-23s means: %s (promise %u)\n", "", f->means, f->promise);
        } else if (f->means != NULL) {
            printf("  %-23s means: %s\n", "", f->means);
        }
        if (f->remedy != NULL) {
            printf("  %-23s needs: %s\n", "", f->remedy);
        }
    }
    printf("\n%s\n", verdicts[exit_status(d)]);
}

static void print_string(const char *name, const char *text) {
    printf("\"%s\": ", name);
    if (text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            printf("\\%c", *at);
        } else if (*at < 0x20 || *at >= 0x7f) {
            printf("\\u%04x", *at);
        } else {
            putchar(*at);
        }
    }
    putchar('"');
}

static void print_finding(const struct finding *f, bool is_last) {
    fputs("    {", stdout);
    print_string("group", f->group);
    fputs(", ", stdout);
    print_string("name", f->name);
    fputs(", ", stdout);
    print_string("state", state_of(f));
    printf(", \"promise\": %u, ", f->promise);
    print_string("detail", f->detail);
    fputs(", ", stdout);
    bool is_missing = !f->has && f->weight != WEIGHT_FACT;
    print_string("means", is_missing ? f->means : NULL);
    fputs(", ", stdout);
    print_string("needs", is_missing ? f->remedy : NULL);
    printf("}%s\n", is_last ? "" : ",");
}

static void print_json(const struct diagnosis *d) {
    static const char *const verdicts[] = {"holds", "weaker", "cannot work"};
    const struct trial *t = &d->trial;
    uint32_t version = mortal_version();
    printf("{\n  \"version\": \"%u.%u.%u\",\n  ", version / 10000, version / 100 % 100, version % 100);
    print_string("verdict", verdicts[exit_status(d)]);
    printf(",\n  \"trial\": {\"done\": %s, \"kills\": %u, \"open_ns\": %llu, \"kill_least_ns\": %llu, "
           "\"kill_median_ns\": %llu, \"kill_most_ns\": %llu, \"next_task_median_ns\": %llu, \"deadline_late_ns\": %llu, "
           "\"exec_open_ns\": %llu},\n  \"findings\": [\n",
           t->is_done ? "true" : "false", t->kills, (unsigned long long)t->open_ns, (unsigned long long)t->kill_least_ns,
           (unsigned long long)t->kill_median_ns, (unsigned long long)t->kill_most_ns, (unsigned long long)t->again_ns,
           (unsigned long long)t->deadline_late_ns, (unsigned long long)t->exec_open_ns);
    for (uint32_t i = 0; i < d->count; i++) {
        print_finding(&d->findings[i], i + 1 == d->count);
    }
    puts("  ]\n}");
}

int doctor_main(int argc, char **argv) {
    static const struct option known[] = {{"json", no_argument, NULL, OPTION_JSON}, {"help", no_argument, NULL, OPTION_HELP},
                                          {NULL, 0, NULL, 0}};
    static struct diagnosis diagnosis;
    bool is_json = false;
    screen_name("mortal doctor");
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == OPTION_HELP) {
            return say_help("doctor");
        }
        if (option != OPTION_JSON) {
            return STATUS_USAGE_OF_DOCTOR;
        }
        is_json = true;
    }
    if (optind < argc) {
        complain("'%s' is one argument too many; 'mortal help doctor' tells", argv[optind]);
        return STATUS_USAGE_OF_DOCTOR;
    }
    doctor_try_pools(&diagnosis);
    doctor_ask_kernel(&diagnosis);
    doctor_ask_system(&diagnosis);
    (is_json ? print_json : print_text)(&diagnosis);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write: standard output: %s", strerror(errno));
        return STATUS_SYSTEM;
    }
    return exit_status(&diagnosis);
}
