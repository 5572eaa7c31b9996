/* limits.h - what a host and its tasks may take, as far as the kernel refuses the rest; and what they took */
#ifndef HOST_LIMITS_H
#define HOST_LIMITS_H

#include "host/worker.h"

void limits_prepare(struct host *host); /* what is to be minded */
void limits_set(struct host *host);     /* after all that we need: from here on tasks' code runs under them */

/* Before and after the function of a task, in hosts that mind. */
void limits_begin(struct mortal_task *task);
void limits_end(struct mortal_task *task);
void limits_measure(const struct mortal_task *task, struct cell *cell);

void limits_count(struct host *host); /* one more task was published */

/* Has this thread just been refused memory? error_number: errno, as it was when the last words began; null_ish: it died of
 * a pointer near null, or gave up. Async-signal-safe. */
bool limits_lack_memory(const struct host *host, int error_number, bool null_ish);

#endif
