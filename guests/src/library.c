// The library of library.h.
#include "library.h"
#include <stdlib.h>

int library_counter = 40;
const char *library_name = "library";
struct handle { int at; };

int library_add(int a, int b) { return a + b + 0 * library_counter++; }
int library_flags_sum(const struct flags *f) { return (int)(f->kind + f->level + f->on + f->wide) + f->balance; }
struct flags library_flags_make(unsigned kind, int balance) {
  struct flags made = { .kind = kind, .level = 17, .balance = balance, .on = 1, .wide = 0x123456789 };
  return made;
}
double library_value_real(const value *of) { return of->kind == 1 ? of->number : of->real + of->left - of->right; }
value library_value_make(int kind, double real) { return (value){ .kind = kind, .real = real, .left = -3, .right = 4 }; }
int library_list_sum(const list *of) {
  int sum = 0;
  for (int i = 0; i < of->count; i++) sum += of->items[i];
  return sum;
}
int library_format(char *out, size_t size, const char *format, ...) {
  size_t at = 0;
  for (; at + 1 < size && format[at]; at++) out[at] = format[at];
  if (size) out[at] = 0;
  return (int)at;
}
void library_print(FILE *to, const handle *what) { (void)to, (void)what; }
handle *library_open(int start) {
  handle *made = malloc(sizeof *made);
  if (made) made->at = start;
  return made;
}
int library_next(handle *of) { return of->at++; }
void library_close(handle *of) { free(of); }
int library_apply(int (*function)(void *data, int value), void *data, int value) { return function(data, value); }
int *library_numbers(int count) {
  int *made = malloc(sizeof(int) * (size_t)count);
  for (int i = 0; made && i < count; i++) made[i] = i * i;
  return made;
}
long double library_long(long double x) { return x; }
mode library_mode(mode of) { return of == MODE_A ? MODE_B : MODE_A; }
