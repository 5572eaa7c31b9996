#include "system/keys.h"

#include <sys/mman.h>

/* The C library's functions know how each processor does it, and fail on those it does not know. */
int keys_take(void) {
    int key = pkey_alloc(0, 0);
    if (key > 0 && pkey_set(key, 0) == 0)
        return key;
    if (key > 0)
        (void)pkey_free(key);
    return 0;
}

void keys_drop(int key) { (void)pkey_free(key); }

bool keys_cover(int key, void *address, uint64_t bytes) {
    return pkey_mprotect(address, bytes, PROT_READ | PROT_WRITE, key) == 0;
}

int keys_open(int key) {
    int before = pkey_get(key);
    (void)pkey_set(key, 0);
    return before;
}

void keys_close(int key) { (void)pkey_set(key, PKEY_DISABLE_WRITE); }

void keys_set(int key, int as) { (void)pkey_set(key, (unsigned)as); }
