/* modules.h - the owner's side of functions that travel as (module, offset): region/modules.h. */
#ifndef OWNER_MODULES_H
#define OWNER_MODULES_H

#include "owner/pool.h"
#include "system/image.h"

/* For pools whose processes are another image. 0 or a negative errno, and why. */
int  modules_open(struct pool *pool);
void modules_close(struct pool *pool);

/* The reference to what is at that address, if its module is known already. Fast. */
bool modules_know(struct pool *pool, uintptr_t address, uint64_t *ref);

/* Whose code it is, and that it stays loaded while it is held. Without the pool's lock: the dynamic linker has one of its
 * own, and may hold it while it calls a constructor that wants ours. */
struct module_found {
    struct image_part part;
    char path[MODULE_PATH_BYTES];
    void *handle; /* null: the program itself */
};
int  modules_find(const char *call, uintptr_t address, struct module_found *found);
/* With the lock: from now on it is known. Takes the handle, also on failure. */
int  modules_add(struct pool *pool, const char *call, struct module_found *found);

#endif
