/* A reader of comma-separated values that asks for its input block by block. */
#include <stddef.h>

/* Fills a buffer with at most `size` bytes of input. Returns how many there are, 0 at the end, or -1. */
typedef long (*csv_read)(void *context, unsigned char *buffer, size_t size);

/* What is done with a row: its fields, one after the other, each ended by a zero. */
typedef void (*csv_row)(void *context, int fields, const char *text, size_t length);

/* Reads everything. Returns the number of rows, or -1 if reading failed. */
long csv_parse(csv_read read, csv_row row, void *context);
