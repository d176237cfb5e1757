/* What library.h includes. */
#pragma once

typedef struct handle handle;
typedef enum mode { MODE_A = 1, MODE_B = MODE_A << 3, MODE_ALL = (MODE_A | MODE_B) } mode;
