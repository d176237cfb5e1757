#pragma once
#define complex _Complex
#define I (__extension__ (0.0f + 1.0fi))
