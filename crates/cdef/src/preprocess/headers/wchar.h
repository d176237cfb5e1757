#pragma once
#include <stdio.h>
typedef struct __mbstate_t { unsigned __opaque1, __opaque2; } mbstate_t;
#define WEOF 0xffffffffU
