/* modules.h - the function that a reference names, in a host that is another image of the program than the owner. */
#ifndef HOST_MODULES_H
#define HOST_MODULES_H

#include "region/heritage.h"

/* Loads the module if it is not there yet; its constructors run. Null: its file is gone, is another one by now, or
 * cannot be loaded. */
mortal_function *modules_function(const struct heritage *heritage, uint64_t ref);

/* What another host finds that function by: its address, which is the same in all hosts, or, where it is in a module that
 * hosts load by themselves, a reference. */
uint64_t modules_reference(const struct heritage *heritage, uintptr_t address);
mortal_function *modules_resolve(const struct heritage *heritage, uint64_t address_or_ref); /* null as above */

/* Stand in for preload and init until there is a process in which code of the user may be loaded. */
int modules_preload(const void *context, size_t context_bytes);
int modules_init(const void *context, size_t context_bytes);
void modules_settle(const struct heritage *heritage); /* before one of these is called */

#endif
