/* files.h - files of the program, mapped in a host from when one of its tasks first asks for them: region/files.h */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include "host/host.h"

/* Have that buffer mapped, which has a file behind it. 0, or a negative errno and why. */
int  files_find(struct host *host, uint32_t number, uint64_t life);
void files_heed(struct host *host); /* unmap what is a buffer no more; never waits. By the main thread */

#endif
