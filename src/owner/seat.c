#include "owner/seat.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "system/clock.h"
#include "system/memory.h"
#include "system/why.h"

/* ORD(*) once per pool; a signal handler sees the pool whole or not at all, and other threads take the lock. */

struct mortal_group {
    uint8_t place_only; /* a handle is a place in this table; what is there lies in the pool */
};

struct mortal_map {
    uint8_t place_only;
};

struct mortal_pool seat_table[SEATS];
static struct mortal_group group_places[SEATS * GROUPS_MAX];
static struct mortal_map map_places[SEATS * GROUPS_MAX]; /* an open map has the number of its runners' group */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t opening_lock = PTHREAD_MUTEX_INITIALIZER; /* what a process does with its first pool */
_Atomic uint32_t *seat_here;
static pid_t here_pid;

/* In a child the mutexes may be copies of locked ones and the pools are the parent's: none of that is touched again. */
static void inherit_nothing(void) {
    pthread_mutex_init(&table_lock, NULL);
    for (uint32_t i = 0; i < SEATS; i++) {
        lock_reset(&seat_table[i].lock);
        if (seat_table[i].state != SEAT_FREE)
            seat_table[i].state = SEAT_FOREIGN;
        seat_table[i].pool = NULL;
        atomic_store(&seat_table[i].signal_pool, NULL);
    }
}

/* Descriptors of the owner's end must not live on in a forked child: the supervisor would wait for its end too. */
static void close_links_in_child(void) {
    pthread_mutex_init(&opening_lock, NULL); /* another thread of the parent may have held it */
    if (seat_is_owner() || seat_here == NULL || getpid() == here_pid)
        return;
    for (uint32_t i = 0; i < SEATS; i++)
        if (seat_table[i].state != SEAT_FREE && seat_table[i].state != SEAT_FOREIGN && seat_table[i].pool != NULL)
            close(seat_table[i].pool->link_fd);
}

static void watch_forks(void) { (void)pthread_atfork(NULL, NULL, close_links_in_child); }

static int open_table(void) {
    spin_calibrate();
    if (seat_here != NULL && !seat_is_owner()) {
        inherit_nothing();
        seat_here = NULL;
    }
    if (seat_here == NULL) {
        seat_here = memory_wiped_in_children(PAGE_BYTES);
        if (seat_here == NULL)
            return -ENOMEM;
        atomic_store(seat_here, HERE_MAGIC);
        here_pid = getpid();
    }
    return 0;
}

int seat_table_open(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, watch_forks);
    pthread_mutex_lock(&opening_lock);
    int error = open_table();
    pthread_mutex_unlock(&opening_lock);
    return error;
}

static struct mortal_pool *find_free_seat(void) {
    for (uint32_t i = 0; i < SEATS; i++)
        if (seat_table[i].state == SEAT_FREE)
            return &seat_table[i];
    return NULL;
}

struct mortal_pool *seat_take(void) {
    static uint32_t nonces;
    pthread_mutex_lock(&table_lock);
    struct mortal_pool *taken = find_free_seat();
    if (taken != NULL) {
        taken->state = SEAT_OPENING;
        nonces = (nonces + 1) & GENERATION_MASK;
        taken->nonce = nonces == 0 ? ++nonces : nonces;
    }
    pthread_mutex_unlock(&table_lock);
    return taken;
}

uint32_t seat_number(const struct mortal_pool *seat) { return (uint32_t)(seat - seat_table); }

void seat_settle(struct mortal_pool *seat, struct pool *pool) {
    lock_enter(&seat->lock);
    lock_allow_favours(&seat->lock);
    seat->pool = pool;
    seat->state = SEAT_OPEN;
    atomic_store(&seat->signal_pool, pool);
    lock_leave(&seat->lock);
}

/* The caller holds the lock. A signal handler that got the pool just before on another thread may still write two words
 * of it: the pool's memory goes only after its processes have ended, which is far longer. */
void seat_shut(struct mortal_pool *seat) {
    atomic_store(&seat->signal_pool, NULL);
    seat->state = SEAT_CLOSING;
}

void seat_leave(struct mortal_pool *seat) {
    pthread_mutex_lock(&table_lock);
    seat->pool = NULL;
    seat->state = SEAT_FREE;
    pthread_mutex_unlock(&table_lock);
}

static int no_owner(const char *call) {
    return why(-EPERM, "%s: called in a process that was forked after the pool was opened, or inside a task: only the "
                       "process that opened a pool may use it; a forked child may open a pool of its own", call);
}

static __attribute__((noinline)) int not_open(struct mortal_pool *seat, const char *call) {
    int state = seat->state;
    lock_leave(&seat->lock);
    if (state == SEAT_CLOSING)
        return why(-ESHUTDOWN, "%s: another thread is closing the pool", call);
    return why(-EINVAL, "%s: this pool is closed, or was never opened", call);
}

static int lock_seat(struct mortal_pool *seat, const char *call, struct pool **pool) {
    if (seat->state == SEAT_FOREIGN)
        return no_owner(call);
    lock_enter(&seat->lock);
    if (seat->state != SEAT_OPEN)
        return not_open(seat, call);
    *pool = seat->pool;
    return 0;
}

static struct mortal_pool *seat_of(mortal_pool *handle) {
    uintptr_t offset = (uintptr_t)handle - (uintptr_t)seat_table;
    return handle != NULL && offset < sizeof seat_table && offset % sizeof *seat_table == 0 ? handle : NULL;
}

int seat_enter_slowly(mortal_pool *handle, const char *call, struct pool **pool) {
    struct mortal_pool *seat = seat_of(handle);
    if (seat == NULL)
        return why(-EINVAL, "%s: %s", call, handle == NULL ? "the pool is null" : "this is not a pool");
    if (seat_here != NULL && !seat_is_owner())
        return no_owner(call);
    return lock_seat(seat, call, pool);
}

struct pool *seat_peek(mortal_pool *handle) {
    struct mortal_pool *seat = seat_of(handle);
    return seat == NULL || !seat_is_owner() ? NULL : atomic_load(&seat->signal_pool);
}

static int enter_value(uint64_t place, uint64_t life, const char *what, const char *call, struct pool **pool) {
    uint64_t number = (place >> 32) - 1;
    if (place == 0 || number >= SEATS || life == 0)
        return why(-EINVAL, "%s: this is %s%s", call, place == 0 && life == 0 ? "no " : "not a ", what);
    if (seat_here == NULL)
        return why(-ESTALE, "%s: no pool is open", call);
    if (!seat_is_owner())
        return no_owner(call);
    struct mortal_pool *seat = &seat_table[number];
    int error = lock_seat(seat, call, pool);
    if (error != 0)
        return error == -EINVAL ? why(-ESTALE, "%s: the pool of this %s was closed", call, what) : error;
    if (seat->nonce == (uint32_t)(life >> LIFE_BITS_OF_VALUES))
        return 0;
    seat_unlock(*pool);
    return why(-ESTALE, "%s: the pool of this %s was closed", call, what);
}

int seat_enter_buffer(mortal_buffer buffer, const char *call, struct pool **pool, uint32_t *number) {
    int error = enter_value(buffer.place, buffer.life, "buffer", call, pool);
    if (error != 0)
        return error;
    *number = (uint32_t)buffer.place;
    const struct buffer *known = *number < (*pool)->buffers_used ? &(*pool)->buffers[*number] : NULL;
    if (known != NULL && known->life == (buffer.life & LIFE_MASK) && known->holders != 0 && !known->is_closed)
        return 0;
    bool made_up = known == NULL;
    seat_unlock(*pool);
    return made_up ? why(-EINVAL, "%s: this is not a buffer of this pool", call)
                   : why(-ESTALE, "%s: this buffer was closed", call);
}

int seat_enter_future_slowly(mortal_future future, const char *call, struct pool **pool, uint32_t *slot) {
    int error = enter_value(future.place, future.life, "future", call, pool);
    if (error != 0)
        return error;
    *slot = (uint32_t)future.place;
    if (seat_has_future(*pool, future))
        return 0;
    bool made_up = *slot >= (*pool)->slots_used;
    seat_unlock(*pool);
    return made_up ? why(-EINVAL, "%s: this is not a future of this pool", call)
                   : why(-ESTALE, "%s: this future was released", call);
}

int seat_enter_cell(mortal_cell cell, const char *call, struct pool **pool, uint32_t *index) {
    uint64_t number = (cell.place >> 32) - 1;
    *index = (uint32_t)cell.place;
    if (cell.place == 0 || number >= SEATS || cell.life == 0 || *index >= CELLS_MOST)
        return why(-EINVAL, "%s: %s", call, cell.place == 0 && cell.life == 0 ? "this is no cell: all zero"
                                                                              : "this is not a cell of this library");
    if (seat_here == NULL)
        return why(-ESTALE, "%s: no pool is open", call);
    if (!seat_is_owner())
        return no_owner(call);
    int error = lock_seat(&seat_table[number], call, pool);
    if (error == 0 && (*pool)->cells[*index].life == cell.life) /* which is never given twice */
        return 0;
    if (error == 0)
        seat_unlock(*pool);
    return error == 0 || error == -EINVAL ? why(-ESTALE, "%s: this cell, or its pool, was closed", call) : error;
}

mortal_cell seat_cell(const struct pool *pool, uint32_t index) {
    return (mortal_cell){.place = (uint64_t)(pool->seat_number + 1) << 32 | index, .life = pool->cells[index].life};
}

static int enter_place(uintptr_t place, bool is_map, const char *call, struct pool **pool, struct group **group) {
    const char *what = is_map ? "map" : "group";
    if (place >= SEATS * GROUPS_MAX)
        return why(-EINVAL, "%s: this is not a %s", call, what);
    if (seat_here != NULL && !seat_is_owner())
        return no_owner(call);
    int error = lock_seat(&seat_table[place / GROUPS_MAX], call, pool);
    if (error != 0)
        return error;
    *group = (*pool)->groups[place % GROUPS_MAX];
    if (*group != NULL && ((*group)->feed != NULL) == is_map)
        return 0;
    seat_unlock(*pool);
    return why(-EINVAL, "%s: this %s is closed, or was never opened", call, what);
}

int seat_enter_group(mortal_group *handle, const char *call, struct pool **pool, struct group **group) {
    if (handle == NULL)
        return why(-EINVAL, "%s: the group is null", call);
    return enter_place((uintptr_t)handle - (uintptr_t)group_places, false, call, pool, group);
}

int seat_enter_map(mortal_map *handle, const char *call, struct pool **pool, struct group **group) {
    if (handle == NULL)
        return why(-EINVAL, "%s: the map is null", call);
    return enter_place((uintptr_t)handle - (uintptr_t)map_places, true, call, pool, group);
}

mortal_group *seat_group_handle(const struct pool *pool, uint32_t number) {
    return &group_places[pool->seat_number * GROUPS_MAX + number];
}

mortal_map *seat_map_handle(const struct pool *pool, uint32_t number) {
    return &map_places[pool->seat_number * GROUPS_MAX + number];
}

mortal_buffer seat_buffer(const struct pool *pool, uint32_t number) {
    return (mortal_buffer){.place = pool->value_place | number,
                           .life = pool->value_life | (pool->buffers[number].life & LIFE_MASK)};
}
