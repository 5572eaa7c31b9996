/* trace.h - where a thread is that crashed, or is about to be killed */
#ifndef HOST_TRACE_H
#define HOST_TRACE_H

#include <signal.h>

#include "host/host.h"

/* Answer the supervisor, if the pool wants to know of kills. */
void trace_listen(struct host *host);
void trace_unblock(const struct host *host, sigset_t *mask); /* take that signal out of a mask */

/* From a crash's own handler. Or, without a context, from where a thread ends the process: what came before `from`. */
void trace_crash(struct host *host, const void *signal_context, uint64_t from);

/* A crash within: return to what was being done, unless this thread was not at it. Call it first in each handler. */
void trace_escape(void);

#endif
