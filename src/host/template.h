/* template.h - the process that ran preload and from which hosts are then forked */
#ifndef HOST_TEMPLATE_H
#define HOST_TEMPLATE_H

#include "region/heritage.h"

/* Body of the template. Says over the link how preload went (struct template_ready), then answers each struct host_place
 * with the pid of a new host, whose parent is the supervisor. Returns the exit code when the link is closed. */
int template_run(struct heritage *heritage, int link_fd);

#endif
