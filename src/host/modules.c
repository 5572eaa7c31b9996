#include "host/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>

#include "system/image.h"

/* Base | 1 of each module that was found, in this process. */
static _Atomic uintptr_t bases[MODULES_MOST];
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static const struct heritage *settled;

static bool load(const struct module_entry *entry, uintptr_t *base) {
    char path[MODULE_PATH_BYTES];
    struct image_part part;
    struct link_map *map = NULL;
    memcpy(path, entry->path, sizeof path);
    path[sizeof path - 1] = '\0';
    if (path[0] != '/')
        return false;
    void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL); /* for ever: a function of it may be called again */
    if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
        return false;
    *base = map->l_addr;
    return image_at(*base, &part) && part.print == entry->print;
}

static bool find(const struct heritage *heritage, uint32_t module, uintptr_t *base) {
    if (module != MODULE_PROGRAM)
        return load(&heritage->modules->entries[module], base);
    struct image_part part;
    if (!image_program(&part))
        return false;
    *base = part.base;
    return true;
}

static uintptr_t base_of(const struct heritage *heritage, uint32_t module) {
    /* ORD(modules:base) pairs ORD(modules:loaded): who sees the base sees what was loaded there. */
    uintptr_t known = atomic_load_explicit(&bases[module], memory_order_acquire);
    if (known != 0)
        return known;
    uintptr_t base;
    pthread_mutex_lock(&loading);
    if (find(heritage, module, &base)) {
        known = base | 1;
        /* ORD(modules:loaded) pairs ORD(modules:base) */
        atomic_store_explicit(&bases[module], known, memory_order_release);
    }
    pthread_mutex_unlock(&loading);
    return known;
}

static uintptr_t address_of(const struct heritage *heritage, uint64_t ref) {
    uint32_t module = module_of(ref);
    uintptr_t base = module < MODULES_MOST ? base_of(heritage, module) : 0;
    return base == 0 ? 0 : base - 1 + module_offset(ref);
}

mortal_function *modules_function(const struct heritage *heritage, uint64_t ref) {
    return (mortal_function *)address_of(heritage, ref);
}

uint64_t modules_reference(const struct heritage *heritage, uintptr_t address) {
    Dl_info info;
    struct link_map *map = NULL;
    if (heritage->modules == NULL || dladdr1((void *)address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL)
        return address;
    for (uint32_t module = MODULE_PROGRAM + 1; module < MODULES_MOST; module++) {
        uintptr_t known = atomic_load_explicit(&bases[module], memory_order_acquire); /* ORD(modules:base) */
        if (known != 0 && known - 1 == map->l_addr)
            return module_ref(module, address - map->l_addr);
    }
    return address;
}

mortal_function *modules_resolve(const struct heritage *heritage, uint64_t address_or_ref) {
    bool is_ref = heritage->modules != NULL && module_of(address_or_ref) != MODULE_PROGRAM;
    return is_ref ? modules_function(heritage, address_or_ref) : (mortal_function *)(uintptr_t)address_or_ref;
}

static int call(uint64_t ref, const void *context, size_t context_bytes) {
    mortal_prepare *prepare = settled == NULL ? NULL : (mortal_prepare *)address_of(settled, ref);
    return prepare == NULL ? -ENOEXEC : prepare(context, context_bytes);
}

void modules_settle(const struct heritage *heritage) { settled = heritage; }

int modules_preload(const void *context, size_t context_bytes) {
    return call(settled != NULL ? settled->preload_ref : 0, context, context_bytes);
}

int modules_init(const void *context, size_t context_bytes) {
    return call(settled != NULL ? settled->init_ref : 0, context, context_bytes);
}
