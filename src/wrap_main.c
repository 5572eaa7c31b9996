/*
 * wrap_main.c - for programs that would rather be linked otherwise than changed: mortal_host_main() before main
 *
 * With -Wl,--wrap=main the C library's start code calls this instead of main, after all constructors. A constructor
 * here would run before those of the program, and tasks would see objects that were never constructed.
 */
#include <mortal.h>

int __real_main(int argc, char **argv, char **environment);
int __wrap_main(int argc, char **argv, char **environment);

int __wrap_main(int argc, char **argv, char **environment) {
    mortal_host_main();
    return __real_main(argc, argv, environment);
}
