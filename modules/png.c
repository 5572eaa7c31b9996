/*
 * png.c - decodes PNG files to the last pixel (libpng)
 *
 *     mortal map --deadline 2s png FILE ...      "48x48 8 bit 1c291ca3": size, depth, Adler-32 of the RGBA pixels
 *
 * A damaged file fails and says why. There is no limit on the size of a picture, because none is right: a file of 125
 * kilobytes can be four gigabytes of pixels, and so can be an honest map of a city. The deadline tells them apart.
 *
 * SPDX-License-Identifier: MIT
 */
#include <mortal.h>
#include <png.h>
#include <zlib.h>

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mortal_function mortal_main;

struct picture {
    FILE *file;
    png_structp reader;
    png_infop info;
    png_bytep pixels;
    png_bytepp rows;
    size_t row_bytes;
    char reason[192];
};

/* libpng's way to fail: its default prints to standard error. */
static void fail(png_structp reader, png_const_charp what) {
    struct picture *picture = png_get_error_ptr(reader);
    snprintf(picture->reason, sizeof picture->reason, "%s", what);
    png_longjmp(reader, 1);
}

static void ignore(png_structp reader, png_const_charp what) {
    (void)reader;
    (void)what;
}

static void want_rgba(png_structp reader, png_infop info) {
    png_set_expand(reader);
    png_set_strip_16(reader);
    png_set_gray_to_rgb(reader);
    png_set_add_alpha(reader, 0xff, PNG_FILLER_AFTER);
    png_set_interlace_handling(reader);
    png_read_update_info(reader, info);
}

/* Jumps out through fail() if anything is wrong with the file. */
static void decode(struct picture *picture) {
    png_init_io(picture->reader, picture->file);
    png_read_info(picture->reader, picture->info);
    want_rgba(picture->reader, picture->info);
    png_uint_32 height = png_get_image_height(picture->reader, picture->info);
    picture->row_bytes = png_get_rowbytes(picture->reader, picture->info);
    picture->pixels = malloc(picture->row_bytes * height);
    picture->rows = calloc(height, sizeof *picture->rows);
    if (!picture->pixels || !picture->rows) {
        png_error(picture->reader, "not enough memory for the picture");
    }
    for (png_uint_32 y = 0; y < height; y++) {
        picture->rows[y] = picture->pixels + y * picture->row_bytes;
    }
    png_read_image(picture->reader, picture->rows);
    png_read_end(picture->reader, NULL);
}

static void describe(const struct picture *picture, int depth, char *text, size_t text_bytes) {
    png_uint_32 width = png_get_image_width(picture->reader, picture->info);
    png_uint_32 height = png_get_image_height(picture->reader, picture->info);
    uLong sum = adler32_z(adler32_z(0, NULL, 0), picture->pixels, picture->row_bytes * height);
    snprintf(text, text_bytes, "%lux%lu %d bit %08lx", (unsigned long)width, (unsigned long)height, depth, sum);
}

/* The depth is that of the file: byte 24, in the header chunk, which decode() has checked; after want_rgba it is 8. */
static int depth_of(FILE *file) {
    return fseek(file, 24, SEEK_SET) == 0 ? getc(file) : 0;
}

static int read_picture(struct picture *picture, const char *path) {
    picture->file = fopen(path, "re");
    if (!picture->file) {
        snprintf(picture->reason, sizeof picture->reason, "%s", strerror(errno));
        return 1;
    }
    picture->reader = png_create_read_struct(PNG_LIBPNG_VER_STRING, picture, fail, ignore);
    picture->info = picture->reader ? png_create_info_struct(picture->reader) : NULL;
    if (!picture->info) {
        snprintf(picture->reason, sizeof picture->reason, "%s", strerror(ENOMEM));
        return 1;
    }
    if (setjmp(png_jmpbuf(picture->reader))) {
        return 1;
    }
    decode(picture);
    return 0;
}

int mortal_main(mortal_task *task, const void *input, size_t input_bytes) {
    struct picture picture = {0}; /* decode() changes it after setjmp: read_picture() gets its address, which is safe */
    char text[256];
    (void)input_bytes; /* a string: see the README beside this file */
    int status = read_picture(&picture, input);
    if (status == 0) {
        describe(&picture, depth_of(picture.file), text, sizeof text);
    } else {
        snprintf(text, sizeof text, "%s", picture.reason);
    }
    mortal_task_reply(task, text, strlen(text));
    png_destroy_read_struct(picture.reader ? &picture.reader : NULL, &picture.info, NULL);
    free(picture.rows);
    free(picture.pixels);
    if (picture.file) {
        fclose(picture.file);
    }
    return status;
}
