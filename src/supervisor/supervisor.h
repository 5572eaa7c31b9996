/* supervisor.h - the process that alone decides life and death */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "region/heritage.h"

/* The body of the supervisor: never returns. It has one thread for ever and runs only code of this library. */
void supervisor_run(struct heritage *heritage) __attribute__((noreturn));

#endif
