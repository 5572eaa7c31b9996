/* What tests of open maps share: short forms of the calls that must succeed. */
#ifndef OPENMAP_H
#define OPENMAP_H

#include "tasks.h"

HELPER mortal_map *map_like(mortal_pool *pool, mortal_map_function *function, mortal_map_options options)
{
    mortal_map *map = NULL;
    options.size = sizeof options;
    CHECK_OK(mortal_map_open(&map, pool, function, &options));
    return map;
}

/* An item that is one number. */
HELPER void put_number(mortal_map *map, uint64_t number)
{
    CHECK_OK(mortal_map_put(map, &number, NULL, 0));
}

HELPER mortal_map_entry take(mortal_map *map)
{
    mortal_map_entry entry;
    memset(&entry, 0, sizeof entry);
    CHECK_OK(mortal_map_next(map, LIMIT, &entry));
    return entry;
}

/* Everything was taken. */
HELPER void end_map(mortal_map *map)
{
    mortal_map_entry entry;
    CHECK_OK(mortal_map_end(map));
    CHECK_ERR(mortal_map_next(map, LIMIT, &entry), -ENOENT);
    CHECK_OK(mortal_map_close(map));
}

#endif
