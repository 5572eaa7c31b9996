/*
 * birth.h - a process that starts beside its sitter, in a namespace of processes or a control group that the sitter is
 * not in
 *
 * A sitter (sitter.h) that its host makes is born where the host is, and ends with all that is there: then a death takes
 * as long as the memory does. So here it is the other way round. The caller, made by process_fork(), makes one more
 * process that goes on in its place, with its memory and on its very stack; and is from then on that one's sitter,
 * outside.
 */
#ifndef SYSTEM_BIRTH_H
#define SYSTEM_BIRTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct birth {
    pid_t parent;          /* of the caller, and of the new process */
    pid_t first;           /* the first process of the namespace to be born into; 0: the caller's own */
    const char *cgroup;    /* the directory of the control group to be born into; null: the caller's own */
    bool drops_rights;     /* all capabilities, both of them */
    _Atomic int32_t *told; /* gets the new process's id as the parent sees it, before it runs; or a negative errno */
};

bool birth_is_possible(void); /* on this processor and kernel, and not under valgrind */

/* Returns in the new process, with all signals blocked; in the caller only if it failed. */
int birth_beside_sitter(const struct birth *birth);

#endif
