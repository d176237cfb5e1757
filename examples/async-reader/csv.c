#include "csv.h"
#include <stdlib.h>

struct input {
    csv_read read;
    void *context;
    unsigned char block[64];
    long length, at;
};

/* The next byte, -1 at the end, or -2 if reading failed. */
static int next(struct input *in) {
    if (in->at == in->length) {
        in->length = in->read(in->context, in->block, sizeof in->block);
        in->at = 0;
        if (in->length <= 0)
            return in->length == 0 ? -1 : -2;
    }
    return in->block[in->at++];
}

long csv_parse(csv_read read, csv_row row, void *context) {
    struct input in = {.read = read, .context = context};
    size_t capacity = 256, length = 0;
    char *text = malloc(capacity);
    long rows = 0;
    int fields = 0, quoted = 0, byte;
    for (;;) {
        byte = next(&in);
        if (byte == -2) {
            rows = -1;
            break;
        }
        if (length + 2 > capacity)
            text = realloc(text, capacity *= 2);
        if (byte == '"') {
            quoted = !quoted;
        } else if (byte == ',' && !quoted) {
            text[length++] = 0;
            fields++;
        } else if (byte == -1 || (byte == '\n' && !quoted)) {
            if (length > 0 || fields > 0) {
                text[length++] = 0;
                row(context, fields + 1, text, length);
                rows++;
            }
            length = 0;
            fields = 0;
            if (byte == -1)
                break;
        } else {
            text[length++] = byte;
        }
    }
    free(text);
    return rows;
}
