#pragma once
#define va_start(list, last)
#define va_end(list)
#define va_copy(to, from)
#define va_arg(list, type)
