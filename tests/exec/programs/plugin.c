/* A module with one function; PLUGIN_ANSWER is what tells one from the other. */
#include <mortal.h>

int plugin_answer(mortal_task *task, const void *input, size_t input_bytes);

static int answer; /* by a constructor: it has to have run where the function does */

__attribute__((constructor)) static void prepare(void)
{
    answer = PLUGIN_ANSWER;
}

int plugin_answer(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return answer;
}
