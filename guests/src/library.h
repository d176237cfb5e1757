/* A header in the manner of C libraries', for the tests of `header`: it is read as it is. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "library_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef LIBRARY_API
#  if defined(_WIN32)
#    define LIBRARY_API __declspec(dllimport)
#  elif defined(__GNUC__)
#    define LIBRARY_API __attribute__((visibility("default")))
#  else
#    define LIBRARY_API
#  endif
#endif

#define LIBRARY_VERSION "2." LIBRARY_STRING(LIBRARY_MINOR)
#define LIBRARY_STRING(x) LIBRARY_STRING_(x)
#define LIBRARY_STRING_(x) #x
#define LIBRARY_MINOR 7
#define LIBRARY_LIMIT (sizeof(struct flags) * 2 > 7 ? LIBRARY_LATER + 1 : 0)
#define LIBRARY_LATER ((unsigned char)-1)
#define LIBRARY_MAX(a, b) ((a) > (b) ? (a) : (b))
#define OF(arguments) arguments

/** Bit-fields. */
struct flags {
  unsigned kind : 3, level : 5;
  int balance : 6;
  _Bool on : 1;
  unsigned long long wide : 33;
};

/** What kind of value it is decides what the union holds. */
typedef struct value {
  int kind;
  union {
    int number;
    double real;
    const char *text;
  };
  struct { short left, right; };
} value;

typedef struct {
  uint16_t count;
  uint16_t items[];
} list;

LIBRARY_API extern int library_counter;
LIBRARY_API extern const char *library_name;
extern int library_missing;

LIBRARY_API int library_add OF((int a, int b));
LIBRARY_API int (library_flags_sum)(const struct flags *flags);
LIBRARY_API struct flags library_flags_make(unsigned kind, int balance);
LIBRARY_API double library_value_real(const value *of);
LIBRARY_API value library_value_make(int kind, double real);
LIBRARY_API int library_list_sum(const list *of);
LIBRARY_API int library_format(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
LIBRARY_API void library_print(FILE *to, const handle *what);
LIBRARY_API handle *library_open(int start);
LIBRARY_API int library_next(handle *of);
LIBRARY_API void library_close(handle *of);
LIBRARY_API int library_apply(int (*function)(void *data, int value), void *data, int value);
LIBRARY_API int *library_numbers(int count);
LIBRARY_API long double library_long(long double x);
LIBRARY_API int library_gone(void);
[[nodiscard]] LIBRARY_API mode library_mode(mode of);

static inline int library_twice(int x) { return LIBRARY_MAX(x, 0) * 2; }

#ifdef __cplusplus
}
#endif
#endif
