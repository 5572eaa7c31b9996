#include "runner.h"

#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

void leftovers_list(struct names *names, const char *directory)
{
    names->count = 0;
    DIR *open = opendir(directory);
    if (open == NULL)
        return;
    for (struct dirent *entry; names->count < 256 && (entry = readdir(open)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            names->names[names->count++] = strdup(entry->d_name);
    closedir(open);
}

static bool has(const struct names *names, const char *name)
{
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->names[i], name) == 0)
            return true;
    return false;
}

int leftovers_print(FILE *out, const char *prefix, const struct names *before, const struct names *after)
{
    int left = 0;
    for (int i = 0; i < after->count; i++)
        if (!has(before, after->names[i]) && ++left)
            fprintf(out, "%s%s\n", prefix, after->names[i]);
    return left;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

void leftovers_remove(const char *directory)
{
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
