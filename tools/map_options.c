/*
 * map_options.c - the command line of `mortal map`
 *
 * SPDX-License-Identifier: MIT
 */
#include <fnmatch.h>
#include <getopt.h>
#include <string.h>

#include "map.h"

#define DEFAULT_GRACE_NS 5000000000ull
#define MOST_WORKERS 1024
#define MOST_RETRIES 1000
#define MOST_DEATHS 1000000
#define MOST_MORE_MEMORY 1000
#define DEFAULT_DEATHS_PERIOD_NS 60000000000ull

enum { OPTION_DEADLINE = 256, OPTION_GRACE, OPTION_RETRIES, OPTION_HALT, OPTION_KEEP_GOING, OPTION_JOBLOG, OPTION_ARG,
       OPTION_TAG, OPTION_UNORDERED, OPTION_PROGRESS, OPTION_MAX_DEATHS, OPTION_MEMORY, OPTION_MORE_MEMORY, OPTION_CPU,
       OPTION_MAX_PROCESSES, OPTION_RECYCLE, OPTION_HELP, OPTION_SOFT_DEADLINE,
       OPTION_OBITUARIES, OPTION_STATS, OPTION_CONTAINMENT, OPTION_PRIORITY };

static const struct option long_options[] = {
    {"workers", required_argument, NULL, 'j'},         {"null", no_argument, NULL, '0'},
    {"arg-file", required_argument, NULL, 'a'},        {"quiet", no_argument, NULL, 'q'},
    {"deadline", required_argument, NULL, OPTION_DEADLINE}, {"grace", required_argument, NULL, OPTION_GRACE},
    {"retries", required_argument, NULL, OPTION_RETRIES},   {"halt", no_argument, NULL, OPTION_HALT},
    {"keep-going", no_argument, NULL, OPTION_KEEP_GOING},   {"joblog", required_argument, NULL, OPTION_JOBLOG},
    {"arg", required_argument, NULL, OPTION_ARG},           {"tag", no_argument, NULL, OPTION_TAG},
    {"unordered", no_argument, NULL, OPTION_UNORDERED},     {"progress", required_argument, NULL, OPTION_PROGRESS},
    {"max-deaths", required_argument, NULL, OPTION_MAX_DEATHS}, {"help", no_argument, NULL, OPTION_HELP},
    {"soft-deadline", required_argument, NULL, OPTION_SOFT_DEADLINE},
    {"memory", required_argument, NULL, OPTION_MEMORY},     {"cpu", required_argument, NULL, OPTION_CPU},
    {"more-memory", required_argument, NULL, OPTION_MORE_MEMORY},
    {"max-processes", required_argument, NULL, OPTION_MAX_PROCESSES},
    {"recycle", required_argument, NULL, OPTION_RECYCLE},
    {"obituaries", required_argument, NULL, OPTION_OBITUARIES}, {"verbose", no_argument, NULL, 'v'},
    {"stats", no_argument, NULL, OPTION_STATS},         {"containment", required_argument, NULL, OPTION_CONTAINMENT},
    {"priority", required_argument, NULL, OPTION_PRIORITY},
    {NULL, 0, NULL, 0},
};

const char *map_containment_name(int32_t containment) {
    static const char *const names[] = {[MORTAL_CONTAIN_AUTO] = "auto", [MORTAL_CONTAIN_SUBREAPER] = "subreaper",
                                        [MORTAL_CONTAIN_CGROUP] = "cgroup", [MORTAL_CONTAIN_NAMESPACE] = "namespace"};
    return containment >= MORTAL_CONTAIN_AUTO && containment <= MORTAL_CONTAIN_NAMESPACE ? names[containment] : "unknown";
}

void map_help(FILE *to) {
    fputs("usage: mortal map [options] MODULE[:FUNCTION] [ITEM ...]\n"
          "\n"
          "Runs FUNCTION (mortal_main) of the shared object MODULE over the items, each in a process that can be\n"
          "killed, and prints the results. Items are the arguments, or else the lines of standard input.\n"
          "\n"
          "  -j, --workers N      items that run at once; default: the processors this process may use\n"
          "  -a, --arg-file FILE  read the items from FILE, one a line\n"
          "  -0, --null           items read end with a zero byte instead of a line feed\n"
          "      --arg STRING     give STRING to the module's set-up, once\n"
          "      --deadline TIME  kill an item that runs longer (500ms, 2s, 1m)\n"
          "      --soft-deadline TIME\n"
          "                       ask an item that runs longer to stop, and let it\n"
          "      --retries N      start an item that was not done again, up to N times\n"
          "      --halt           stop at the first item that is not done, killing what runs\n"
          "      --keep-going     run all items whatever becomes of some (the default)\n"
          "      --max-deaths N[/TIME]\n"
          "                       give up when more than N processes ended by themselves within TIME (1m)\n"
          "      --memory SIZE    an item whose process takes more ends, out of memory (512M, 2G)\n"
          "      --more-memory PERCENT\n"
          "                       allow so much more with each retry of an item that was out of memory\n"
          "      --cpu TIME       kill an item that used so much processor time\n"
          "      --max-processes N\n"
          "                       kill an item that has started more processes than N, 0 for any\n"
          "      --containment KIND\n"
          "                       how processes that items start are held: auto, subreaper, cgroup or namespace\n"
          "      --recycle N      put a fresh process in the place of one that has run N items\n"
          "      --priority KIND:PATTERN\n"
          "                       items that match start before others that wait (high), or after them (low)\n"
          "      --grace TIME     how long what runs may go on after Ctrl-C; default 5s\n"
          "      --unordered      print results as they come; default: in the order of the items\n"
          "      --tag            begin each line of results with its item and a tab\n"
          "      --joblog FILE    write a table with a line per item\n"
          "      --obituaries FILE\n"
          "                       write a line of JSON for each process that died: why, and where it was\n"
          "      --progress WHEN  bar, none or auto (bar if standard error is a terminal)\n"
          "      --stats          tell at the end how long kills took, and how processes were held\n"
          "  -q, --quiet          no summary\n"
          "  -v, --verbose        tell in full of each process that died\n"
          "      --help           this text\n"
          "\n"
          "Exit status: 0 all done, 1 some not done, 2 usage, 3 gave up, 125 the tool itself failed, 126 module not\n"
          "loaded, 127 no such function, 130 interrupted, 143 terminated. mortal(1) tells everything.\n", to);
}

static int refuse(const char *option, const char *value, const char *want) {
    complain("bad value: %s: '%s' is not %s", option, value, want);
    return STATUS_USAGE;
}

static int read_duration(const char *option, const char *value, uint64_t least_ns, uint64_t *ns) {
    uint64_t read_ns;
    if (parse_duration(value, &read_ns) || read_ns < least_ns) {
        return refuse(option, value, least_ns ? "a time over 0, such as 500ms, 2s or 1m"
                                              : "a time such as 500ms, 2s or 1m");
    }
    *ns = read_ns;
    return STATUS_ALL_DONE;
}

/* COUNT or COUNT/TIME. */
static int read_deaths(struct map_options *options, const char *value) {
    char count[16] = ""; /* a longer one is out of range */
    const char *slash = strchr(value, '/');
    size_t length = slash ? (size_t)(slash - value) : strlen(value);
    options->deaths_period_ns = DEFAULT_DEATHS_PERIOD_NS;
    if (length < sizeof count) {
        snprintf(count, sizeof count, "%.*s", (int)length, value);
    }
    if (parse_count(count, 0, MOST_DEATHS, &options->deaths) ||
        (slash && (parse_duration(slash + 1, &options->deaths_period_ns) || options->deaths_period_ns == 0))) {
        return refuse("--max-deaths", value, "a number from 0 to 1000000, or such a number, a slash and a time over 0");
    }
    options->deaths = options->deaths > 0 ? options->deaths : MORTAL_NONE;
    return STATUS_ALL_DONE;
}

static int read_size(const char *option, const char *value, size_t *bytes) {
    uint64_t read_bytes;
    if (parse_size(value, &read_bytes) || read_bytes == 0 || read_bytes > SIZE_MAX) {
        return refuse(option, value, "a size over 0, such as 512M or 2G");
    }
    *bytes = (size_t)read_bytes;
    return STATUS_ALL_DONE;
}

static int read_caps(struct map_options *options, int option, const char *value) {
    switch (option) {
    case OPTION_MEMORY: return read_size("--memory", value, &options->memory_bytes);
    case OPTION_CPU: return read_duration("--cpu", value, 1, &options->cpu_ns);
    case OPTION_MORE_MEMORY:
        return parse_count(value, 1, MOST_MORE_MEMORY, &options->more_memory_percent)
                   ? refuse("--more-memory", value, "a number from 1 to 1000") : STATUS_ALL_DONE;
    case OPTION_RECYCLE:
        return parse_count(value, 1, MOST_DEATHS, &options->recycle_tasks)
                   ? refuse("--recycle", value, "a number from 1 to 1000000") : STATUS_ALL_DONE;
    default:
        if (parse_count(value, 0, MOST_DEATHS, &options->processes)) {
            return refuse("--max-processes", value, "a number from 0 to 1000000");
        }
        options->processes = options->processes > 0 ? options->processes : MORTAL_NONE;
        return STATUS_ALL_DONE;
    }
}

static int read_progress(const char *value, enum progress_mode *mode) {
    static const char *const names[] = {[PROGRESS_AUTO] = "auto", [PROGRESS_BAR] = "bar", [PROGRESS_NONE] = "none"};
    for (int i = PROGRESS_AUTO; i <= PROGRESS_NONE; i++) {
        if (strcmp(value, names[i]) == 0) {
            *mode = (enum progress_mode)i;
            return STATUS_ALL_DONE;
        }
    }
    return refuse("--progress", value, "auto, bar or none");
}

static int read_containment(const char *value, int32_t *containment) {
    for (int32_t i = MORTAL_CONTAIN_AUTO; i <= MORTAL_CONTAIN_NAMESPACE; i++) {
        if (strcmp(value, map_containment_name(i)) == 0) {
            *containment = i;
            return STATUS_ALL_DONE;
        }
    }
    return refuse("--containment", value, "auto, subreaper, cgroup or namespace");
}

/* KIND:PATTERN. It stays in the command line. */
static int read_priority(struct map_options *options, const char *value) {
    static const struct {
        const char *begin;
        int32_t     priority;
    } kinds[] = {{"high:", MORTAL_PRIORITY_HIGH}, {"normal:", MORTAL_PRIORITY_NORMAL}, {"low:", MORTAL_PRIORITY_LOW}};
    if (options->rule_count == MOST_RULES) {
        complain("more than %d times --priority", MOST_RULES);
        return STATUS_USAGE;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].begin);
        if (strncmp(value, kinds[i].begin, length) == 0 && value[length] != '\0') {
            options->rules[options->rule_count++] = (struct priority_rule){value + length, kinds[i].priority};
            return STATUS_ALL_DONE;
        }
    }
    return refuse("--priority", value, "high, normal or low, a colon and a pattern, such as high:*.png");
}

int32_t map_priority_of(const struct map_options *options, const char *text) {
    for (uint32_t i = 0; i < options->rule_count; i++) {
        if (fnmatch(options->rules[i].pattern, text, 0) == 0) {
            return options->rules[i].priority;
        }
    }
    return MORTAL_PRIORITY_NORMAL;
}

static int read_flag(struct map_options *options, int option) {
    switch (option) {
    case '0': options->delimiter = '\0'; break;
    case 'q': options->is_quiet = true; break;
    case 'v': options->is_verbose = true; break;
    case OPTION_HALT: options->is_halting = true; break;
    case OPTION_KEEP_GOING: options->is_halting = false; break;
    case OPTION_TAG: options->is_tagged = true; break;
    case OPTION_UNORDERED: options->is_unordered = true; break;
    case OPTION_STATS: options->is_counting = true; break;
    }
    return STATUS_ALL_DONE;
}

static int read_option(struct map_options *options, int option, const char *value) {
    switch (option) {
    case 'j':
        return parse_count(value, 1, MOST_WORKERS, &options->workers)
                   ? refuse("--workers", value, "a number from 1 to 1024") : STATUS_ALL_DONE;
    case OPTION_RETRIES:
        return parse_count(value, 0, MOST_RETRIES, &options->retries)
                   ? refuse("--retries", value, "a number from 0 to 1000") : STATUS_ALL_DONE;
    case OPTION_DEADLINE: return read_duration("--deadline", value, 1, &options->deadline_ns);
    case OPTION_SOFT_DEADLINE: return read_duration("--soft-deadline", value, 1, &options->soft_deadline_ns);
    case OPTION_GRACE: return read_duration("--grace", value, 0, &options->grace_ns);
    case OPTION_PROGRESS: return read_progress(value, &options->progress);
    case OPTION_CONTAINMENT: return read_containment(value, &options->containment);
    case OPTION_PRIORITY: return read_priority(options, value);
    case OPTION_MAX_DEATHS: return read_deaths(options, value);
    case OPTION_MEMORY: case OPTION_MORE_MEMORY: case OPTION_CPU: case OPTION_MAX_PROCESSES: case OPTION_RECYCLE:
        return read_caps(options, option, value);
    case OPTION_JOBLOG: options->joblog = value; return STATUS_ALL_DONE;
    case OPTION_OBITUARIES: options->obituaries = value; return STATUS_ALL_DONE;
    case OPTION_ARG: options->argument = value; return STATUS_ALL_DONE;
    case 'a': options->item_file = value; return STATUS_ALL_DONE;
    default: return read_flag(options, option);
    }
}

/* MODULE[:FUNCTION]; a colon in a folder's name is not the one. */
static void split_module(struct map_options *options, char *text) {
    char *colon = strrchr(text, ':');
    options->module = text;
    options->function = "mortal_main";
    if (colon && !strchr(colon, '/')) {
        *colon = '\0';
        options->function = colon + 1;
    }
}

static int read_words(struct map_options *options, int argc, char **argv) {
    if (argc == 0) {
        complain("no module given; 'mortal map --help' tells how to use it");
        return STATUS_USAGE;
    }
    split_module(options, argv[0]);
    if (*options->module == '\0' || *options->function == '\0') {
        complain("no %s given; 'mortal map --help' tells how to use it", *options->module ? "function" : "module");
        return STATUS_USAGE;
    }
    options->words = argv + 1;
    options->word_count = argc - 1;
    if (options->item_file && options->word_count > 0) {
        complain("items given twice: by --arg-file %s and as arguments", options->item_file);
        return STATUS_USAGE;
    }
    return STATUS_ALL_DONE;
}

int map_options_read(struct map_options *options, int argc, char **argv) {
    *options = (struct map_options){.delimiter = '\n', .grace_ns = DEFAULT_GRACE_NS};
    int option, status = STATUS_ALL_DONE;
    opterr = 0; /* getopt's own messages do not say what to do */
    while (status == STATUS_ALL_DONE && (option = getopt_long(argc, argv, ":j:a:0qv", long_options, NULL)) != -1) {
        const char *given = argv[optind - 1];
        if (option == OPTION_HELP) {
            options->is_help = true;
            return STATUS_ALL_DONE;
        }
        if (option == ':') {
            complain("option needs a value: '%s'; see 'mortal map --help'", given);
            return STATUS_USAGE;
        }
        if (option == '?') {
            char letter[3] = {'-', (char)optopt, '\0'};
            bool is_letter = optopt > 0 && optopt < 256;
            complain("unknown option: '%s'; see 'mortal map --help'", is_letter ? letter : given);
            return STATUS_USAGE;
        }
        status = read_option(options, option, optarg);
    }
    if (!status && options->more_memory_percent > 0 && (options->memory_bytes == 0 || options->retries == 0)) {
        complain("--more-memory needs --memory and --retries: it is about the next attempt's cap");
        return STATUS_USAGE;
    }
    return status ? status : read_words(options, argc - optind, argv + optind);
}
