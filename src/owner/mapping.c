/*
 * mapping.c - maps under way, for the kills that are meant for them
 *
 * The runners of a map are in a group of its own, where their verdicts arrive. A group of the program's own stands above
 * that: what kills it kills the runners, and nothing of them arrives there. All of this is under the lock of the pool.
 */
#include <errno.h>

#include "owner/pool.h"
#include "system/why.h"

bool mapping_is_limit(uint64_t ns) { return ns != 0 && ns != MORTAL_FOREVER; }

int mapping_check(const char *call, const mortal_task_options *options) {
    if (options->tag != NULL)
        return why(-EINVAL, "%s: the task's options have a tag: a map's items can have none there", call);
    if (mapping_is_limit(options->soft_deadline_ns) || mapping_is_limit(options->shield_ns) ||
        mapping_is_limit(options->cpu_ns) || options->soft_signal > 0)
        return why(-EINVAL, "%s: the options, or the pool's defaults, have a soft deadline, a soft signal, a shield or "
                            "cpu_ns: items have deadline_ns only", call);
    if (options->more_memory_percent != 0 || options->buffer_count != 0)
        return why(-EINVAL, "%s: the options have more_memory_percent or buffers: a map's items can have neither", call);
    return 0;
}

void mapping_add(struct pool *pool, struct mapping *mapping, struct group *parent) {
    mapping->parent = parent;
    mapping->next = pool->mappings;
    pool->mappings = mapping;
}

void mapping_remove(struct pool *pool, struct mapping *mapping) {
    struct mapping **at = &pool->mappings;
    while (*at != NULL && *at != mapping)
        at = &(*at)->next;
    if (*at != NULL)
        *at = mapping->next;
}

void mapping_use(struct mapping *mapping, struct group *runners) {
    mapping->runners = runners;
    runners->parent = mapping->parent;
}

void mapping_cancel(const struct pool *pool, const struct group *group) {
    for (struct mapping *mapping = pool->mappings; mapping != NULL; mapping = mapping->next)
        if (group == NULL || mapping->parent == group || mapping->runners == group)
            mapping->cancel(mapping);
}

void mapping_forget(const struct pool *pool, const struct group *group) {
    for (struct mapping *mapping = pool->mappings; mapping != NULL; mapping = mapping->next) {
        if (mapping->parent != group)
            continue;
        mapping->parent = NULL;
        if (mapping->runners != NULL)
            mapping->runners->parent = NULL;
    }
}

bool mapping_is_below(const struct pool *pool, const struct group *group) {
    for (const struct mapping *mapping = pool->mappings; mapping != NULL; mapping = mapping->next)
        if (mapping->parent == group)
            return true;
    return false;
}
