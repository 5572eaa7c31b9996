/*
 * line_server.c - an event loop whose clients may leave: then the work they asked for is killed
 *
 *     line_server PATH       a unix socket; try it with: nc -U PATH
 *
 * Each line is a number, each answer its smallest factor: at once for most, after minutes for a large prime. One task a
 * client. The loop itself never waits: tasks end in a group, whose descriptor epoll watches like any other.
 */
#include <mortal.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_CLIENTS = 64 };

struct client {
    int fd; /* 0: this place is free */
    bool is_busy;
    mortal_future future;
    size_t used;
    char line[64];
};

static mortal_pool *pool;
static mortal_group *group;
static struct client clients[MOST_CLIENTS];
static int loop;

static int factor(mortal_task *task, const void *input, size_t input_bytes) {
    uint64_t number = *(const uint64_t *)input, divisor = 2;
    (void)input_bytes;
    while (divisor <= number / divisor && number % divisor) {
        divisor++;
    }
    divisor = divisor <= number / divisor ? divisor : number;
    return mortal_task_reply(task, &divisor, sizeof divisor);
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "line_server: %s: %s\n", what, why);
    exit(1);
}

static void watch(int fd, void *who) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event)) {
        fail("cannot watch", strerror(errno));
    }
}

static int listen_on(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof address.sun_path) {
        fail(path, strerror(ENAMETOOLONG));
    }
    memcpy(address.sun_path, path, strlen(path));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) {
        fail(path, strerror(errno));
    }
    return fd;
}

static void say(const struct client *client, const char *text) {
    send(client->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT); /* who does not read gets no answer */
}

static void welcome(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    for (struct client *client = clients; fd > 0 && client < clients + MOST_CLIENTS; client++) {
        if (client->fd == 0) {
            *client = (struct client){.fd = fd};
            watch(fd, client);
            return;
        }
    }
    if (fd > 0) {
        close(fd);
    }
}

/* The kill is only asked for here: the loop has other clients. Once released, the future never comes back. */
static void part(struct client *client) {
    if (client->is_busy) {
        printf("a client left: its task is killed\n");
        fflush(stdout);
        mortal_future_kill(client->future, 0, 0, NULL);
        mortal_future_release(client->future);
    }
    close(client->fd);
    client->fd = 0;
}

static void begin(struct client *client) {
    uint64_t number = strtoull(client->line, NULL, 10);
    mortal_task_options task = {.size = sizeof task, .group = group, .tag = client};
    if (number < 2) {
        say(client, "a number from 2, please\n");
    } else if (client->is_busy) {
        say(client, "one at a time, please\n");
    } else if (mortal_pool_try_submit(pool, factor, &number, sizeof number, &task, &client->future)) {
        say(client, "busy, try again\n");
    } else {
        client->is_busy = true;
    }
}

static void listen_to(struct client *client) {
    ssize_t count = recv(client->fd, client->line + client->used, sizeof client->line - 1 - client->used, MSG_DONTWAIT);
    if (count <= 0) {
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            part(client);
        }
        return;
    }
    client->used += (size_t)count;
    client->line[client->used] = '\0';
    char *feed;
    while ((feed = strchr(client->line, '\n')) != NULL) {
        *feed = '\0';
        begin(client);
        memmove(client->line, feed + 1, client->used - (size_t)(feed + 1 - client->line) + 1);
        client->used = strlen(client->line);
    }
    if (client->used == sizeof client->line - 1) {
        part(client); /* no number is that long */
    }
}

static void answer(void) {
    mortal_verdict verdict;
    char text[64];
    while (mortal_group_next(group, 0, &verdict) == 0) {
        struct client *client = verdict.tag;
        if (verdict.outcome == MORTAL_DONE) {
            snprintf(text, sizeof text, "%" PRIu64 "\n", *(const uint64_t *)verdict.result);
        } else {
            snprintf(text, sizeof text, "%s\n", mortal_outcome_name(verdict.outcome));
        }
        say(client, text);
        client->is_busy = false;
        mortal_future_release(verdict.future);
    }
}

int main(int argc, char **argv) {
    int listener, group_fd;
    struct epoll_event event;
    if (argc != 2) {
        fprintf(stderr, "usage: line_server PATH\n");
        return 2;
    }
    if (mortal_pool_open(&pool, NULL) || mortal_group_open(&group, pool) || mortal_group_fd(group, &group_fd)) {
        fail("cannot start", mortal_why());
    }
    loop = epoll_create1(EPOLL_CLOEXEC);
    listener = listen_on(argv[1]);
    watch(listener, &listener);
    watch(group_fd, group);
    for (;;) {
        if (epoll_wait(loop, &event, 1, -1) != 1) {
            continue;
        }
        if (event.data.ptr == &listener) {
            welcome(listener);
        } else if (event.data.ptr == group) {
            answer();
        } else {
            listen_to(event.data.ptr);
        }
    }
}
