/* feed.h - a task that runs items of an open map as they come */
#ifndef HOST_FEED_H
#define HOST_FEED_H

#include <mortal.h>

#include "region/feed.h"

int feed_run(mortal_task *task, const struct feed_runner *runner); /* enum map_return */

#endif
