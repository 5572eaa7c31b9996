#include "picture.h"

enum piece { CLAIMS, ARENA, CONTROL, RETURNED, FATE_LOG, BERTHS, CARES, FATES };

static uint8_t *claims_base(const struct region *r) { return r->claims; }
static uint8_t *control_base(const struct region *r) { return r->control; }
static uint8_t *arena_base(const struct region *r) { return arena_of(r, LIFE); }

/* Hosts can write all of the claims and their arena; of the control the parts that recovery touches. */
void picture_plan(struct stage *stage)
{
    const struct geometry *g = &stage->owner.g;
    const struct piece_of_region pieces[PIECES] = {
        [CLAIMS] = {claims_base, 0, g->claims_bytes},
        [ARENA] = {arena_base, 0, g->arena_heap + RESULTS_BYTES},
        [CONTROL] = {control_base, 0, offsetof(struct control_head, requests)},
        [RETURNED] = {control_base, offsetof(struct control_head, returned), SLOTS * sizeof(uint64_t)},
        [FATE_LOG] = {control_base, offsetof(struct control_head, fate_log), SLOTS * 4 * sizeof(uint32_t)},
        [BERTHS] = {control_base, g->control_berths, g->control_logs - g->control_berths},
        [CARES] = {control_base, g->control_cares, SLOTS * sizeof(struct care)},
        [FATES] = {control_base, g->control_fates, SLOTS * sizeof(struct fate)},
    };
    memcpy(stage->pieces, pieces, sizeof pieces);
    for (size_t i = 0; i < PIECES; i++)
        stage->picture_bytes += pieces[i].bytes;
}

static uint8_t *in_region(const struct stage *stage, size_t piece, const struct region *region)
{
    return stage->pieces[piece].base(region) + stage->pieces[piece].offset;
}

static size_t in_picture(const struct stage *stage, enum piece piece)
{
    size_t at = 0;
    for (size_t i = 0; i < (size_t)piece; i++)
        at += stage->pieces[i].bytes;
    return at;
}

void picture_take(const struct stage *stage, const struct region *region, uint8_t *picture)
{
    for (size_t i = 0; i < PIECES; picture += stage->pieces[i++].bytes)
        memcpy(picture, in_region(stage, i, region), stage->pieces[i].bytes);
}

void picture_show(struct stage *stage, const uint8_t *picture)
{
    for (size_t i = 0; i < PIECES; picture += stage->pieces[i++].bytes)
        memcpy(in_region(stage, i, &stage->copy), picture, stage->pieces[i].bytes);
}

bool picture_is_of(const struct stage *stage, const uint8_t *picture, const struct region *region)
{
    for (size_t i = 0; i < PIECES; picture += stage->pieces[i++].bytes)
        if (memcmp(picture, in_region(stage, i, region), stage->pieces[i].bytes) != 0)
            return false;
    return true;
}

void picture_forget_times(const struct stage *stage, uint8_t *picture)
{
    uint8_t *arena = picture + in_picture(stage, ARENA);
    for (size_t worker = 0; worker < WORKERS; worker++)
        memset(arena + sizeof(struct host_head) + worker * sizeof(struct desk) + offsetof(struct desk, started_ns), 0, 8);
    for (size_t slot = 0; slot < SLOTS; slot++) /* the second line of a cell has nothing else */
        memset(arena + stage->owner.g.arena_cells + slot * sizeof(struct cell) + LINE, 0, sizeof(struct cell) - LINE);
}

/* Not for enemies: a multiply and a rotation for each eight bytes. */
uint64_t hash_of(uint64_t seed, const void *bytes, size_t count)
{
    uint64_t hash = seed ^ 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < count; i += 8) {
        uint64_t eight;
        memcpy(&eight, (const uint8_t *)bytes + i, sizeof eight);
        hash = (hash ^ eight) * 0xff51afd7ed558ccdu;
        hash = hash << 29 | hash >> 35;
    }
    return hash;
}

uint64_t picture_hash(const struct stage *stage, const uint8_t *picture)
{
    return hash_of(1, picture, stage->picture_bytes);
}

bool picture_answers_agree(const struct stage *stage, const uint8_t *a, const uint8_t *b)
{
    size_t arena = in_picture(stage, ARENA);
    return memcmp(a + arena, b + arena, stage->pieces[ARENA].bytes) == 0;
}

bool picture_agrees(const struct stage *stage, const uint8_t *a, const uint8_t *b)
{
    size_t words = stage->owner.g.claim_words, cares = in_picture(stage, CARES);
    return memcmp(a + words, b + words, stage->owner.g.claims_bytes - words) == 0 &&
           memcmp(a + cares, b + cares, stage->picture_bytes - cares) == 0 && picture_answers_agree(stage, a, b);
}
