/*
 * module.c - finds the shared object and its function
 *
 * Loaded before the pool is opened: hosts are forked from this process and have what it has.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "map.h"

#ifndef MORTAL_MODULE_DIR
#define MORTAL_MODULE_DIR "/usr/local/lib/mortal"
#endif

static bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* FOLDER/NAME or FOLDER/NAME.so, whichever is there. */
static bool find_in(const char *folder, const char *name, char *path) {
    const char *slash = *folder ? "/" : "";
    int length = snprintf(path, PATH_MAX, "%s%s%s", folder, slash, name);
    if (length >= PATH_MAX - 3) {
        return false;
    }
    if (is_file(path)) {
        return true;
    }
    memcpy(path + length, ".so", 4);
    return is_file(path);
}

static bool find_module(const char *name, char *path) {
    const char *folder = getenv("MORTAL_MODULES");
    if (strchr(name, '/')) {
        return find_in("", name, path);
    }
    /* "./": dlopen searches the system's folders for a name without a slash. */
    return find_in(".", name, path) || find_in(folder && *folder ? folder : MORTAL_MODULE_DIR, name, path);
}

int module_load(struct module *module, const struct map_options *options) {
    char path[PATH_MAX];
    if (!find_module(options->module, path)) {
        const char *folder = getenv("MORTAL_MODULES");
        complain("cannot load module: %s: no such file%s%s", options->module,
                 strchr(options->module, '/') ? "" : "; looked in . and ",
                 strchr(options->module, '/') ? "" : folder && *folder ? folder : MORTAL_MODULE_DIR);
        return STATUS_NO_MODULE;
    }
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        complain("cannot load module: %s", dlerror());
        return STATUS_NO_MODULE;
    }
    void *function = dlsym(object, options->function);
    if (!function) {
        complain("no such function: %s: %s; 'nm -D %s' lists what it has", path, options->function, path);
        return STATUS_NO_FUNCTION;
    }
    void *setup = dlsym(object, "mortal_module_setup");
    if (options->argument && !setup) {
        complain("module takes no --arg: %s: it has no mortal_module_setup()", path);
        return STATUS_USAGE;
    }
    /* ISO C has no conversion from an object pointer to a function pointer; POSIX wants it to work for dlsym. */
    memcpy(&module->function, &function, sizeof function);
    memcpy(&module->setup, &setup, sizeof setup);
    return STATUS_ALL_DONE;
}
