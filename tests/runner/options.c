#include "runner.h"

#include <getopt.h>
#include <stdlib.h>

static const char usage[] =
    "usage: runner [options] LIST\n"
    "  --suite A,B      only these suites\n"
    "  --only TEXT      only tests whose name contains TEXT\n"
    "  --list           print the names and end\n"
    "  --jobs N         run N tests side by side (2)\n"
    "  --limit SECONDS  wall-clock limit of each test (60)\n"
    "  --repeat N       run each test N times\n"
    "  --wrap COMMAND   put COMMAND before each test, as \"valgrind -q\"\n"
    "  --direct         become the one chosen test, for the debugger\n"
    "  --except FILE    lines \"suite/name reason\": skip these\n"
    "  --refuse A|B     a test that prints one of these fails\n"
    "  --must-fail      each test has to fail, for the reason that its source expects\n"
    "  --suffix TEXT    printed after each name\n"
    "  --times          print how long each test took\n"
    "  --tally FILE     append \"passed failed skipped\" and sums to FILE instead of printing them\n";

static int number(const char *text)
{
    char *end;
    long  value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1 || value > 1000000) {
        fprintf(stderr, "runner: not a positive number: %s\n", text);
        exit(2);
    }
    return (int)value;
}

static void one_option(struct settings *settings, int option)
{
    switch (option) {
    case 's': settings->suites = optarg; break;
    case 'o': settings->only = optarg; break;
    case 'l': settings->list = true; break;
    case 'j': settings->jobs = number(optarg); break;
    case 't': settings->limit_seconds = number(optarg); break;
    case 'r': settings->repeat = number(optarg); break;
    case 'w': settings->wrap = optarg; break;
    case 'd': settings->direct = true; break;
    case 'e': settings->except_file = optarg; break;
    case 'n': settings->refuse = optarg; break;
    case 'm': settings->must_fail = true; break;
    case 'x': settings->suffix = optarg; break;
    case 'c': settings->times = true; break;
    case 'y': settings->tally_file = optarg; break;
    default: fputs(usage, stderr); exit(2);
    }
}

void options_parse(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {
        {"suite", required_argument, NULL, 's'},  {"only", required_argument, NULL, 'o'},
        {"list", no_argument, NULL, 'l'},         {"jobs", required_argument, NULL, 'j'},
        {"limit", required_argument, NULL, 't'},  {"repeat", required_argument, NULL, 'r'},
        {"wrap", required_argument, NULL, 'w'},   {"direct", no_argument, NULL, 'd'},
        {"except", required_argument, NULL, 'e'}, {"must-fail", no_argument, NULL, 'm'},
        {"suffix", required_argument, NULL, 'x'}, {"times", no_argument, NULL, 'c'},
        {"tally", required_argument, NULL, 'y'},  {"refuse", required_argument, NULL, 'n'},
        {0},
    };
    *settings = (struct settings){.jobs = 2, .repeat = 1, .limit_seconds = 60, .suffix = "", .wrap = ""};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        one_option(settings, option);
    if (optind != argc - 1) {
        fputs(usage, stderr);
        exit(2);
    }
    settings->list_file = argv[optind];
}
