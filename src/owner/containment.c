/* containment.c - why a rung of containment cannot be had, and what is left where the supervisor died on one */
#include <errno.h>
#include <string.h>

#include "owner/pool.h"
#include "system/cgroup.h"
#include "system/why.h"

#define CALL "mortal_pool_open: "

/* ORD(*) what failed is told before the pool's state; the rung in force never changes after that. */

int containment_check(const mortal_pool_options *asked) {
    if (asked->reserved4 != 0)
        return why(-EINVAL, CALL "a reserved field of mortal_pool_options is not zero: clear the struct first");
    if (asked->containment >= MORTAL_CONTAIN_AUTO && asked->containment <= MORTAL_CONTAIN_NAMESPACE)
        return 0;
    return why(-EINVAL, CALL "containment is %d: it must be MORTAL_CONTAIN_AUTO, _SUBREAPER, _CGROUP or _NAMESPACE",
               (int)asked->containment);
}

/* -EPERM: somebody else could have it here. -ENOTSUP: nobody. */
int containment_explain(const struct control_head *control) {
    char path[CGROUP_PATH_BYTES] = "", text[128];
    int error = control->start_error;
    bool is_forbidden = error == -EPERM || error == -EACCES || error == -EROFS;
    const char *reason = strerror_r(-error, text, sizeof text);
    (void)cgroup_own(path);
    switch ((enum start_detail)control->start_detail) {
    case DETAIL_NO_BIRTH:
        return why(-ENOTSUP, CALL "containment by a control group or a namespace of processes needs a processor of the "
                             "families x86-64 or ARM64 and Linux 5.9, and does not work under valgrind: use "
                             "MORTAL_CONTAIN_SUBREAPER");
    case DETAIL_NO_CGROUP:
        return why(-ENOTSUP, CALL "MORTAL_CONTAIN_CGROUP: control groups of version 2 are not mounted where this process "
                             "could see its own: mount -t cgroup2, or use another containment");
    case DETAIL_NO_KILL:
        return why(-ENOTSUP, CALL "MORTAL_CONTAIN_CGROUP: groups in %s cannot be killed at one stroke, or no process can be "
                             "born into one: that needs Linux 5.14, and no filter against clone3", path);
    case DETAIL_CGROUP:
        return why(is_forbidden ? -EPERM : -ENOTSUP,
                   CALL "MORTAL_CONTAIN_CGROUP: this user may not make control groups in %s, or start processes in them "
                   "(%s): run it in a subtree that was left to it, such as by systemd-run --user --scope -p Delegate=yes",
                   path, reason);
    case DETAIL_USER_NAMESPACE:
    case DETAIL_USER_MAP:
        return why(-EPERM, CALL "MORTAL_CONTAIN_NAMESPACE: this user may not make namespaces of processes, and %s (%s): allow "
                           "user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
                           "kernel.apparmor_restrict_unprivileged_userns), or give it CAP_SYS_ADMIN",
                   control->start_detail == DETAIL_USER_MAP ? "has no rights in a user namespace of its own"
                                                            : "no user namespace to have that right in",
                   reason);
    default:
        return why(is_forbidden || error == -ENOSPC ? -EPERM : error == -ENOMEM ? -ENOMEM : -ENOTSUP,
                   CALL "MORTAL_CONTAIN_NAMESPACE: a namespace of processes could not be made (%s): look at sysctl "
                   "user.max_pid_namespaces, and for a filter of system calls", reason);
    }
}

/* Its namespaces ended with it. Of its control groups nobody holds the lock any more. */
void containment_sweep(const struct pool *pool) {
    char path[CGROUP_PATH_BYTES];
    if (atomic_load(&control_head(pool->region)->containment) == MORTAL_CONTAIN_CGROUP && cgroup_own(path) == 0)
        cgroup_sweep(path);
}
