/*
 * process_code() lists where code is, in order and without overlap: functions of this program, of libraries and in memory
 * made executable since are inside; data, heap, stack and null are not.
 */
#include "unit.h"

#include <sys/mman.h>

#include "system/process.h"

static struct code_range *ranges;
static int count;

static void look_again(void)
{
    free(ranges);
    ranges = NULL;
    count = process_code(&ranges);
    CHECK(count > 0 && ranges != NULL);
    for (int i = 0; i < count; i++) {
        CHECK(ranges[i].start < ranges[i].end);
        CHECK(i == 0 || ranges[i - 1].end <= ranges[i].start);
    }
}

static bool is_code(uintptr_t address)
{
    for (int i = 0; i < count; i++)
        if (address >= ranges[i].start && address < ranges[i].end)
            return true;
    return false;
}

#define IS_CODE(what) is_code((uintptr_t)(what))

void test(void)
{
    static int data;
    static const int constant = 1;
    int local = 0;
    int *heap = malloc(sizeof *heap);
    CHECK(heap != NULL);
    look_again();
    CHECK(IS_CODE(test));
    CHECK(IS_CODE(process_code));
    CHECK(IS_CODE(look_again));
    CHECK(IS_CODE(qsort)); /* of a shared library */
    CHECK(!IS_CODE(&data) && !IS_CODE(&constant) && !IS_CODE(&local) && !IS_CODE(heap));
    CHECK(!IS_CODE(0) && !is_code(UINTPTR_MAX));
    free(heap);

    /* More ranges than the first piece of memory for them holds; and what was unmapped is gone. */
    enum { PIECES = 100 };
    uint8_t *memory = mmap(NULL, (2ull * PIECES + 1) * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (int i = 0; i < PIECES; i++)
        CHECK_EQ(mprotect(memory + (2ull * (unsigned)i + 1) * PAGE_BYTES, PAGE_BYTES, PROT_READ | PROT_EXEC), 0);
    look_again();
    CHECK(count >= PIECES);
    for (int i = 0; i < 2 * PIECES; i++)
        CHECK_EQ(IS_CODE(memory + (unsigned)i * PAGE_BYTES + 1), i % 2 == 1);
    munmap(memory, (2ull * PIECES + 1) * PAGE_BYTES);
    look_again();
    CHECK(!IS_CODE(memory + PAGE_BYTES));
    CHECK(IS_CODE(test));
    free(ranges);
}
