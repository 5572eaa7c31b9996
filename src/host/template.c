#include "host/template.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/host.h"
#include "host/modules.h"
#include "system/process.h"

static int say(int link_fd, int32_t detail, int32_t value) {
    struct template_ready ready = {.detail = detail, .value = value};
    return send(link_fd, &ready, sizeof ready, MSG_NOSIGNAL) == (ssize_t)sizeof ready ? 0 : HOST_EXIT_BROKEN;
}

int template_run(struct heritage *heritage, int link_fd) {
    const int keep[] = {link_fd, heritage->region.answers_fd};
    host_manners(heritage, keep, 2);
    prctl(PR_SET_NAME, "mortal-template");
    modules_settle(heritage);
    int status = heritage->preload(heritage->context, heritage->context_bytes);
    if (status != 0)
        return say(link_fd, DETAIL_STATUS, status);
    int threads = process_threads();
    if (threads > 1) /* they would not exist in the hosts, and their locks would be held there for ever */
        return say(link_fd, DETAIL_THREADS, threads);
    if (say(link_fd, DETAIL_NONE, 0) != 0)
        return HOST_EXIT_BROKEN;
    struct host_place place;
    while (recv(link_fd, &place, sizeof place, 0) == (ssize_t)sizeof place) {
        pid_t pid = process_fork(SIGCHLD, true, NULL);
        if (pid == 0) {
            close(link_fd);
            heritage->host_run(heritage, place);
        }
        if (send(link_fd, &pid, sizeof pid, MSG_NOSIGNAL) != (ssize_t)sizeof pid)
            break;
    }
    return 0;
}
