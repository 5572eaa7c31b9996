/*
 * template.c - a module to begin with: copy it, then
 *
 *     cc -shared -fPIC -o words.so words.c
 *     mortal map ./words.so 'how many words are here' 'and here'
 *
 * The input is the item as a string; input_bytes counts its ending zero byte. A result is printed on standard output.
 * Return 0 if all went well. Anything else: the item failed, and the result, if there is one, says why.
 */
#include <mortal.h>

#include <stdio.h>
#include <string.h>

mortal_function mortal_main;

int mortal_main(mortal_task *task, const void *input, size_t input_bytes) {
    const char *item = input;
    char answer[32];
    unsigned words = 0;
    for (size_t i = 0; i + 1 < input_bytes; i++) {
        words += item[i] != ' ' && (i == 0 || item[i - 1] == ' ');
    }
    snprintf(answer, sizeof answer, "%u", words);
    return mortal_task_reply(task, answer, strlen(answer));
}
