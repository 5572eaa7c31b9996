#include "system/barrier.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

/* errno of the owner's thread is not ours to change. */
static bool ask(int what) {
    int saved = errno;
    bool done = syscall(SYS_membarrier, what, 0, 0) == 0;
    errno = saved;
    return done;
}

bool barrier_ready(void) { return ask(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

bool barrier_all(void) { return ask(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }

bool barrier_let_others(void) { return ask(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED); }

bool barrier_everywhere(void) { return ask(MEMBARRIER_CMD_GLOBAL_EXPEDITED); }
