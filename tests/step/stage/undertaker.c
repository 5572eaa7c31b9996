#include "undertaker.h"

#include "leave.h"
#include "system/clock.h"

#include <limits.h>

void undertaker_open(struct undertaker *u, struct region *region)
{
    CHECK(region->g.berths <= BERTHS_MOST && region->g.lives <= LIVES_MOST);
    struct supervisor *s = &u->supervisor;
    memset(s, 0, sizeof *s);
    memset(u->hosts, 0, sizeof u->hosts);
    memset(u->watches, 0, sizeof u->watches);
    memset(u->life_berth, 0, sizeof u->life_berth);
    static struct heritage without_breaker = {.cleanup_ns = NEVER, .start_ns = NEVER / 4};
    memset(u->cleaned, 0, sizeof u->cleaned);
    u->flaw = NULL;
    s->uncleans = u->uncleans;
    s->unclean_room = UNCLEAN_MOST;
    s->region = region;
    s->heritage = &without_breaker;
    s->hosts = u->hosts;
    s->positions = u->positions;
    s->life_berth = u->life_berth;
    s->returned = u->returned;
    s->dead_lives = u->dead_lives;
    s->template_link = -1;
    s->quitting = true; /* no new hosts */
    for (uint32_t i = 0; i < region->g.berths; i++)
        u->hosts[i] = (struct host_record){.life = NO_LIFE, .position = NO_POSITION, .lost_worker = NO_WORKER,
                                           .watches = u->watches[i]};
    /* As if the kill had been sent already: nobody shall send one here. No process ever has that number. */
    const struct {
        uint32_t        berth, life, position;
        enum host_state state;
    } lives[] = {{BERTH, LIFE, 0, HOST_DYING},
                 {OTHER_BERTH, OTHER_LIFE, 1, HOST_ACTIVE},
                 {STANDBY_BERTH, STANDBY_LIFE, NO_POSITION, HOST_STANDBY}};
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        struct host_record *host = &u->hosts[lives[i].berth];
        host->state = lives[i].state;
        host->pid = INT_MAX;
        host->life = lives[i].life;
        host->position = lives[i].position;
        if (host->position != NO_POSITION)
            u->positions[host->position] = lives[i].berth;
        u->life_berth[host->life] = (uint16_t)(lives[i].berth + 1);
    }
}

void undertaker_condemn(struct undertaker *u, const struct stage *stage, enum sentence sentence)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (sentence != SENTENCE_NONE && stage->parts[slot].is_tested && !stage->parts[slot].lives_on)
            condemn(&u->supervisor, slot, stage->parts[slot].generation, sentence);
}

/* What cleanup_run() does in a host, but for the call. */
void undertaker_run_errand(struct undertaker *u)
{
    struct region *r = u->supervisor.region;
    uint32_t number = atomic_load(&berth_of(r, CLEANER_BERTH)->errand);
    const struct errand *errand = &control_head(r)->errands[errand_place(number)];
    uint64_t word = errand->slot < SLOTS ? atomic_load(claim_of(r, errand->slot)) : 0;
    uint8_t  bit = leave_bit(errand->function, errand->input, errand->input_bytes);
    if (errand->slot >= SLOTS || bit == 0)
        u->flaw = "a clean-up is not whole";
    else if (!phase_is_running(word_phase(word)) || word_with_phase(word, SLOT_RUNNING) != errand->word)
        u->flaw = "a task is settled before it is cleaned up after";
    else if (u->cleaned[errand->slot] != 0 && bit >= (u->cleaned[errand->slot] & -u->cleaned[errand->slot]))
        u->flaw = "a clean-up is run twice, or before one that was left later";
    else
        u->cleaned[errand->slot] |= bit;
    atomic_store(&desk_of(r, CLEANER_LIFE, 0)->errand, (uint64_t)number << 32);
}

void undertaker_meet_cleaner(struct undertaker *u)
{
    u->hosts[CLEANER_BERTH] = (struct host_record){.state = HOST_STANDBY, .pid = INT_MAX, .life = CLEANER_LIFE,
                                                   .position = NO_POSITION, .lost_worker = NO_WORKER,
                                                   .blamed_worker = NO_WORKER, .watches = u->watches[CLEANER_BERTH]};
    atomic_store(&berth_of(u->supervisor.region, CLEANER_BERTH)->errand, 0);
    atomic_store(&desk_of(u->supervisor.region, CLEANER_LIFE, 0)->errand, 0);
}

void undertaker_end_cleaner(struct undertaker *u)
{
    u->hosts[CLEANER_BERTH] = (struct host_record){.life = NO_LIFE, .position = NO_POSITION, .lost_worker = NO_WORKER,
                                                   .watches = u->watches[CLEANER_BERTH]};
}

void undertaker_clean(struct undertaker *u)
{
    struct supervisor        *s = &u->supervisor;
    const struct host_record *cleaner = &u->hosts[CLEANER_BERTH];
    if (s->unclean_count == 0)
        return;
    if (cleaner->state == HOST_EMPTY)
        undertaker_meet_cleaner(u);
    for (unsigned turns = 0; s->unclean_count != 0 && turns < UNCLEAN_MOST * CLEANUPS; turns++) {
        (void)cleanup_turn(s, clock_ns());
        if (cleaner->state == HOST_CLEANING)
            undertaker_run_errand(u);
    }
    if (s->unclean_count != 0)
        u->flaw = "clean-ups are never over";
    undertaker_end_cleaner(u);
}

void undertaker_bury(struct undertaker *u, const struct death *death)
{
    death_bury(&u->supervisor, BERTH, death);
    death_rally(&u->supervisor);
    undertaker_clean(u);
}

void undertaker_reap(struct undertaker *u, pid_t pid, bool asked)
{
    u->hosts[BERTH].pid = pid;
    u->hosts[BERTH].asked = asked;
    death_reap(&u->supervisor);
    CHECK_EQ(u->hosts[BERTH].state, HOST_EMPTY);
    undertaker_clean(u);
}
