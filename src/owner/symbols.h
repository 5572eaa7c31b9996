/* symbols.h - names for addresses, from the symbol tables of ELF files, static functions included */
#ifndef OWNER_SYMBOLS_H
#define OWNER_SYMBOLS_H

#include <mortal.h>

/* Fill in function and into of each frame whose module is known and has symbols. */
void symbols_name(mortal_obituary *obituary);

#endif
