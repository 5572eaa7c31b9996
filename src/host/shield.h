/* shield.h - critical sections of tasks */
#ifndef HOST_SHIELD_H
#define HOST_SHIELD_H

struct mortal_task;

void shield_drop(struct mortal_task *task); /* it returned inside of one, and has published */

#endif
