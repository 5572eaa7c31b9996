/* modules.c - which module a function is in, told to processes that are another image of this program */
#include "owner/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/memory.h"
#include "system/why.h"

struct range {
    uintptr_t start, end, base;
    uint32_t module;
};

struct modules {
    struct module_table *table; /* what hosts read */
    struct range *ranges;
    uint32_t range_count, range_room, range_last;
    uint32_t used;
    void *handles[MODULES_MOST]; /* by these the modules stay, and what the ranges say stays true */
};

#define TABLE_BYTES round_up(sizeof(struct module_table), PAGE_BYTES)

int modules_open(struct pool *pool) {
    struct modules *modules = calloc(1, sizeof *modules);
    if (modules == NULL)
        return why(-ENOMEM, "mortal_pool_open: no memory");
    pool->modules = modules;
    int fd = memory_segment("mortal:modules", TABLE_BYTES);
    if (fd < 0)
        return why(fd == -EMFILE || fd == -ENFILE ? -EMFILE : -ENOMEM,
                   "mortal_pool_open: no memory or no descriptor for the table of modules (%s)", strerror(-fd));
    pool->heritage.modules_fd = fd;
    modules->table = memory_map(fd, 0, TABLE_BYTES, true, NULL);
    if (modules->table == NULL)
        return why(-ENOMEM, "mortal_pool_open: no address space for the table of modules");
    memory_not_in_children(modules->table, TABLE_BYTES);
    pool->heritage.modules = modules->table;
    return 0;
}

void modules_close(struct pool *pool) {
    struct modules *modules = pool->modules;
    if (modules == NULL)
        return;
    for (uint32_t i = 0; i < modules->used; i++)
        if (modules->handles[i] != NULL)
            (void)dlclose(modules->handles[i]);
    memory_unmap(modules->table, TABLE_BYTES);
    if (pool->heritage.modules_fd >= 0)
        close(pool->heritage.modules_fd);
    free(modules->ranges);
    free(modules);
    pool->modules = NULL;
}

bool modules_know(struct pool *pool, uintptr_t address, uint64_t *ref) {
    struct modules *modules = pool->modules;
    for (uint32_t i = 0; i < modules->range_count; i++) {
        uint32_t at = i == 0 ? modules->range_last : i == modules->range_last ? 0 : i;
        const struct range *range = &modules->ranges[at];
        if (address < range->start || address >= range->end)
            continue;
        modules->range_last = at;
        *ref = module_ref(range->module, address - range->base);
        return true;
    }
    return false;
}

int modules_find(const char *call, uintptr_t address, struct module_found *found) {
    found->handle = NULL;
    found->path[0] = '\0';
    if (!image_find(address, &found->part))
        return why(-ENOEXEC, "%s: %p is in no loaded file (code made at run time, for instance), so hosts, which are "
                             "another image of this program, cannot have it: give a function of the program or of a "
                             "shared object", call, (void *)address);
    if (found->part.is_program)
        return 0;
    if (!image_path(address, found->path, sizeof found->path))
        return why(-ENOEXEC, "%s: the file of the function at %p (%.200s) is not there any more or cannot be read, so "
                             "hosts cannot load it", call, (void *)address, found->part.name);
    found->handle = dlopen(found->part.name, RTLD_LAZY | RTLD_NOLOAD);
    if (found->handle == NULL)
        found->handle = dlopen(found->path, RTLD_LAZY | RTLD_NOLOAD);
    if (found->handle == NULL)
        return why(-ENOEXEC, "%s: the module of the function at %p (%.200s) is not one of the dynamic linker's, so hosts "
                             "cannot load it", call, (void *)address, found->path);
    return 0;
}

static bool add_range(struct modules *modules, const struct image_part *part, uint32_t module) {
    if (modules->range_count == modules->range_room) {
        uint32_t room = modules->range_room == 0 ? 16 : modules->range_room * 2;
        struct range *more = realloc(modules->ranges, room * sizeof *more);
        if (more == NULL)
            return false;
        modules->ranges = more;
        modules->range_room = room;
    }
    modules->ranges[modules->range_count++] =
        (struct range){.start = part->start, .end = part->end, .base = part->base, .module = module};
    return true;
}

static int add_entry(struct pool *pool, const char *call, const struct module_found *found, uint32_t *module) {
    struct modules *modules = pool->modules;
    if (modules->used == 0)
        modules->used = 1; /* the program's own place */
    if (found->part.is_program) {
        *module = MODULE_PROGRAM;
        return 0;
    }
    if (modules->used == MODULES_MOST)
        return why(-ENOEXEC, "%s: functions of %u modules were submitted to this pool: it can know no more", call,
                   MODULES_MOST);
    struct module_entry *entry = &modules->table->entries[modules->used];
    uint64_t offset = (uint64_t)((uint8_t *)entry - (uint8_t *)modules->table);
    if (memory_commit(entry, sizeof *entry, pool->heritage.modules_fd, offset) != 0)
        return why(-ENOMEM, "%s: the system has no memory to note a module", call);
    /* Told to hosts by whatever tells them a reference to it: ORD(submit), or the start of the pool. */
    entry->print = found->part.print;
    memcpy(entry->path, found->path, sizeof entry->path);
    *module = modules->used++;
    return 0;
}

int modules_add(struct pool *pool, const char *call, struct module_found *found) {
    struct modules *modules = pool->modules;
    uint32_t module = MODULES_MOST;
    int error = 0;
    for (uint32_t i = 0; i < modules->range_count && module == MODULES_MOST; i++)
        if (modules->ranges[i].base == found->part.base)
            module = modules->ranges[i].module; /* another segment of it, or another thread was faster */
    bool is_new = module == MODULES_MOST;
    if (is_new)
        error = add_entry(pool, call, found, &module);
    if (error == 0 && !add_range(modules, &found->part, module))
        error = why(-ENOMEM, "%s: no memory", call);
    if (is_new && error == 0)
        modules->handles[module] = found->handle;
    else if (found->handle != NULL)
        (void)dlclose(found->handle); /* it is held already, or not to be */
    return error;
}
