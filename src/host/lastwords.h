/* lastwords.h - what a dying host leaves behind: why, and which of its workers */
#ifndef HOST_LASTWORDS_H
#define HOST_LASTWORDS_H

#include <signal.h>

#include "host/host.h"

void lastwords_at_exit(void);                 /* exit() anywhere ends in us, before any handler of the owner */
void lastwords_catch(struct host *host);      /* the signals by which programs crash */
void lastwords_unblock(sigset_t *mask);       /* take them out of a mask: blocked, they would kill without a word */
void lastwords_alternate_stack(void);         /* each worker: so that a stack overflow can still speak */
void lastwords_of_thread(void *host);         /* clean-up handler of a worker thread that a task ended */

/* The first who speaks wins; false: another one did. Async-signal-safe. */
bool lastwords_say(struct host *host, enum last_words_kind kind, const siginfo_t *info, int signal_number);

#endif
