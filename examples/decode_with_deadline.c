/*
 * decode_with_deadline.c - pictures from strangers: a deadline for each, and no more in memory than fits
 *
 *     decode_with_deadline FILE.png ...
 *
 * The files are submitted one by one, however many there are: when 16 wait already, mortal_pool_submit() waits. A
 * decompression bomb, or a bug that hangs the decoder, costs half a second and one process.
 */
#include <mortal.h>
#include <png.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct size {
    unsigned width, height;
};

static int decode(mortal_task *task, const void *path, size_t path_bytes) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    (void)path_bytes;
    if (png_image_begin_read_from_file(&image, path)) {
        image.format = PNG_FORMAT_RGBA;
        void *pixels = malloc(PNG_IMAGE_SIZE(image));
        int is_decoded = pixels && png_image_finish_read(&image, NULL, pixels, 0, NULL);
        free(pixels);
        if (is_decoded) {
            return mortal_task_reply(task, &(struct size){image.width, image.height}, sizeof(struct size));
        }
    }
    mortal_task_reply(task, image.message, strlen(image.message)); /* a failed task may say why */
    png_image_free(&image);
    return 1;
}

static void report(const mortal_verdict *verdict) {
    const char *path = verdict->tag;
    char text[128];
    if (verdict->outcome == MORTAL_DONE) {
        const struct size *size = verdict->result;
        printf("%s: %ux%u\n", path, size->width, size->height);
        return;
    }
    mortal_verdict_text(verdict, text, sizeof text);
    printf("%s: %s%s%.*s\n", path, text, verdict->result ? ": " : "", (int)verdict->result_bytes,
           verdict->result ? (const char *)verdict->result : "");
}

static void harvest(mortal_group *group, uint64_t timeout_ns) {
    mortal_verdict verdict;
    while (mortal_group_next(group, timeout_ns, &verdict) == 0) {
        report(&verdict);
        mortal_future_release(verdict.future);
    }
}

int main(int argc, char **argv) {
    mortal_pool *pool;
    mortal_group *group;
    mortal_pool_options options = {.size = sizeof options, .queue_tasks = 16};
    if (mortal_pool_open(&pool, &options) || mortal_group_open(&group, pool)) {
        fprintf(stderr, "decode_with_deadline: %s\n", mortal_why());
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        mortal_task_options task = {.size = sizeof task, .group = group, .tag = argv[i], .deadline_ns = 500000000};
        mortal_future future; /* it comes back in the verdict */
        if (mortal_pool_submit(pool, decode, argv[i], strlen(argv[i]) + 1, &task, &future)) {
            fprintf(stderr, "%s: %s\n", argv[i], mortal_why());
        }
        harvest(group, 0);
    }
    harvest(group, MORTAL_FOREVER);
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0;
}
