/*
 * picture.h - what a death leaves: every byte that a host can write, and all that recovery reads or writes, packed
 */
#ifndef STEP_PICTURE_H
#define STEP_PICTURE_H

#include "stage.h"

void     picture_plan(struct stage *stage);
void     picture_take(const struct stage *stage, const struct region *region, uint8_t *picture);
void     picture_show(struct stage *stage, const uint8_t *picture); /* in the copy */
bool     picture_is_of(const struct stage *stage, const uint8_t *picture, const struct region *region);
void     picture_forget_times(const struct stage *stage, uint8_t *picture); /* they differ from run to run */
uint64_t picture_hash(const struct stage *stage, const uint8_t *picture);
uint64_t hash_of(uint64_t seed, const void *bytes, size_t count); /* count: a multiple of 8 */

/* Do they agree in all that is truth: words, cares, fates, answers? Bells, logs and tables are hints. */
bool picture_agrees(const struct stage *stage, const uint8_t *a, const uint8_t *b);
bool picture_answers_agree(const struct stage *stage, const uint8_t *a, const uint8_t *b);

#endif
