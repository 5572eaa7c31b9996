#include "leave.h"

#include "region/notes.h"

enum { INPUT_BYTES = 24, LINES = 3 };

static const char *const lines[LINES] = {"one", "two and a half", "three"};

static int clean(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return 0;
}

uint8_t leave_bit(uint64_t function, const void *input, size_t input_bytes)
{
    const uint8_t *bytes = input;
    if (function != (uintptr_t)clean || input_bytes != INPUT_BYTES || bytes[0] >= 8)
        return 0;
    for (size_t i = 1; i < INPUT_BYTES; i++)
        if (bytes[i] != bytes[0])
            return 0;
    return (uint8_t)(1u << bytes[0]);
}

static void leave_one(mortal_task *task, struct truth *truth, uint8_t number)
{
    uint8_t input[INPUT_BYTES];
    memset(input, number, sizeof input);
    truth->may_stand[task->slot] = (uint8_t)(truth->stands[task->slot] | 1u << number);
    CHECK_EQ(mortal_task_on_death(task, clean, input, sizeof input), 0);
    truth->stands[task->slot] = truth->may_stand[task->slot];
}

static void take_last_back(mortal_task *task, struct truth *truth, uint8_t number)
{
    truth->may_stand[task->slot] = (uint8_t)(truth->stands[task->slot] & ~(1u << number));
    CHECK_EQ(mortal_task_on_death(task, NULL, NULL, 0), 0);
    truth->stands[task->slot] = truth->may_stand[task->slot];
}

static void say(mortal_task *task, struct truth *truth, uint8_t number)
{
    truth->may_say[task->slot] = number;
    mortal_task_log(task, "%s", lines[number - 1]);
    mortal_task_progress(task, number, number * 10u);
    truth->said[task->slot] = number;
}

void leave(mortal_task *task, struct truth *truth)
{
    if (worker_self() != task->worker)
        return;
    leave_one(task, truth, 0);
    say(task, truth, 1);
    bool has_section = mortal_task_shield(task, true) == 0; /* else it was asked to stop */
    leave_one(task, truth, 1);
    say(task, truth, 2);
    take_last_back(task, truth, 1);
    if (has_section)
        CHECK_EQ(mortal_task_shield(task, false), 0);
    leave_one(task, truth, 2);
    say(task, truth, 3);
}

/* Which it is; 0: not whole. */
static uint32_t number_of(const struct note_line *line)
{
    for (uint32_t number = 1; number <= LINES; number++)
        if (line->bytes == strlen(lines[number - 1]) && memcmp(line->text, lines[number - 1], line->bytes) == 0)
            return number;
    return 0;
}

const char *leave_flaw(const struct region *r, uint32_t slot, uint64_t word, const struct truth *truth)
{
    const struct notes *notes = notes_of(r, word_life(word), word_worker(word));
    uint64_t done = 0, total = 0;
    uint32_t told = 0;
    if (progress_read(notes, word, slot, &done, &total) && (done == 0 || total != 10 * done))
        return "its progress is not whole";
    if (done != truth->said[slot] && done != truth->may_say[slot])
        return "its progress is not what it told last";
    for (uint32_t i = 0; i < NOTE_LINES; i++) {
        const struct note_line *line = &notes->line[i];
        if (atomic_load(&line->word) != word || line->slot != slot)
            continue;
        uint32_t number = number_of(line);
        if (number == 0 || number > truth->may_say[slot])
            return "a line is not whole, or not said yet";
        told |= 1u << number;
    }
    for (uint32_t number = 1; number <= truth->said[slot]; number++)
        if ((told >> number & 1) == 0)
            return "a line that it said is missing";
    return NULL;
}
