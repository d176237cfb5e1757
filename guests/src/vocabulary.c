// vocabulary.wasm: a WASI reactor with every kind of thing that C says in a declaration: for each an echo (in, and out
// unchanged), a writer (into what the caller passes), a maker (a new block for the caller to free) or a keeper (takes what
// it is given). tests/js/marshal/vocabulary.mjs has the declarations.
//
// malloc, calloc, realloc and free count, as in demo.c: every block that a function here makes or frees goes through them.
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#define EXPORT(name) __attribute__((export_name(#name)))

// ---- The heap, counted ----------------------------------------------------------------------------------------------

static int live_block_count;
static size_t live_byte_count;
static int malloc_budget = -1; // how many more allocations may succeed; negative: no limit

static bool spend_budget(void) {
  if (malloc_budget == 0) return false;
  if (malloc_budget > 0) --malloc_budget;
  return true;
}

static void *count_in(void *block) {
  if (block != NULL) {
    ++live_block_count;
    live_byte_count += malloc_usable_size(block);
  }
  return block;
}

static void count_out(void *block) {
  if (block == NULL) return;
  --live_block_count;
  live_byte_count -= malloc_usable_size(block);
}

// What malloc gives is not zero, so that a test sees what nobody wrote.
EXPORT(malloc) void *guest_malloc(size_t size) {
  if (!spend_budget()) return NULL;
  void *block = count_in(malloc(size));
  return block != NULL ? memset(block, 0xa5, size) : NULL;
}

EXPORT(calloc) void *guest_calloc(size_t count, size_t size) {
  return spend_budget() ? count_in(calloc(count, size)) : NULL;
}

EXPORT(realloc) void *guest_realloc(void *block, size_t size) {
  if (!spend_budget()) return NULL;
  count_out(block);
  void *moved = realloc(block, size);
  count_in(moved != NULL ? moved : block); // a failed realloc leaves the old block alive
  return moved;
}

static int other_freed;

// What is freed is spoiled, so that a test sees what reads it afterwards.
EXPORT(free) void guest_free(void *block) {
  if (block == NULL) return;
  count_out(block);
  memset(block, 0xdd, malloc_usable_size(block));
  free(block);
}

// A library's own function to free with, and how often it was called.
EXPORT(other_free) void other_free(void *block) {
  if (block != NULL) ++other_freed;
  guest_free(block);
}
EXPORT(other_frees) int other_frees(void) { return other_freed; }

EXPORT(live_blocks) int live_blocks(void) { return live_block_count; }
EXPORT(live_bytes) size_t live_bytes(void) { return live_byte_count; }

// Lets `n` more allocations succeed and makes every later one return NULL; a negative `n` lifts the limit.
EXPORT(set_malloc_budget) void set_malloc_budget(int n) { malloc_budget = n; }

static void *new_array(int n, size_t element) {
  if (n < 0 || (size_t)n > SIZE_MAX / element) return NULL;
  return guest_malloc((size_t)n * element);
}

static char *new_string(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = guest_malloc(size);
  return copy != NULL ? memcpy(copy, text, size) : NULL;
}

// ---- Records, and where C puts their fields -------------------------------------------------------------------------

enum colour { RED, GREEN = 4, BLUE };
enum small { SMALL_NONE, SMALL_SOME = -3 };

struct scalars {
  bool flag;
  int8_t i8;
  uint16_t u16;
  int32_t i32;
  uint8_t u8;
  int64_t i64;
  float f32;
  double f64;
  size_t size;
  long offset;
  enum colour colour;
  uint64_t u64;
  int16_t i16;
  uint32_t u32;
};
struct pair { int32_t a, b; };
struct point { int32_t id; double x, y; };
struct nested {
  uint8_t tag;
  struct point at;
  int16_t grid[2][3];
  struct pair pairs[2];
  char name[7];
  bool last;
};
struct node { int32_t value; struct node *next; };
union number { int32_t i; float f; uint8_t bytes[5]; };
struct tagged { uint8_t kind; union number value; uint8_t after; };
union wide { double d; struct pair pair; };
struct __attribute__((packed)) packed { uint8_t a; int32_t b; double c; uint16_t d; };
struct holds_packed { uint8_t a; struct packed packed; uint32_t b; };
struct person { char *name; int32_t age; double *scores; size_t score_count; };
struct wrapped { double value; };
struct deep { struct { int16_t only[1]; } inner; };
struct one_pointer { const char *text; };
struct crowd { uint8_t count; struct person people[2]; struct pair *favourite; };
struct anonymous { int32_t kind; union { int32_t whole; float part; }; struct { int8_t low, high; }; };

#define AT(type, field) offsetof(type, field)
static const int16_t layouts[][20] = {
  {sizeof(struct scalars), _Alignof(struct scalars), AT(struct scalars, flag), AT(struct scalars, i8),
   AT(struct scalars, u16), AT(struct scalars, i32), AT(struct scalars, u8), AT(struct scalars, i64),
   AT(struct scalars, f32), AT(struct scalars, f64), AT(struct scalars, size), AT(struct scalars, offset),
   AT(struct scalars, colour), AT(struct scalars, u64), AT(struct scalars, i16), AT(struct scalars, u32), -1},
  {sizeof(struct pair), _Alignof(struct pair), AT(struct pair, a), AT(struct pair, b), -1},
  {sizeof(struct point), _Alignof(struct point), AT(struct point, id), AT(struct point, x), AT(struct point, y), -1},
  {sizeof(struct nested), _Alignof(struct nested), AT(struct nested, tag), AT(struct nested, at), AT(struct nested, grid),
   AT(struct nested, pairs), AT(struct nested, name), AT(struct nested, last), -1},
  {sizeof(struct node), _Alignof(struct node), AT(struct node, value), AT(struct node, next), -1},
  {sizeof(union number), _Alignof(union number), AT(union number, i), AT(union number, f), AT(union number, bytes), -1},
  {sizeof(struct tagged), _Alignof(struct tagged), AT(struct tagged, kind), AT(struct tagged, value),
   AT(struct tagged, after), -1},
  {sizeof(union wide), _Alignof(union wide), AT(union wide, d), AT(union wide, pair), -1},
  {sizeof(struct packed), _Alignof(struct packed), AT(struct packed, a), AT(struct packed, b), AT(struct packed, c),
   AT(struct packed, d), -1},
  {sizeof(struct holds_packed), _Alignof(struct holds_packed), AT(struct holds_packed, a), AT(struct holds_packed, packed),
   AT(struct holds_packed, b), -1},
  {sizeof(struct person), _Alignof(struct person), AT(struct person, name), AT(struct person, age),
   AT(struct person, scores), AT(struct person, score_count), -1},
  {sizeof(struct wrapped), _Alignof(struct wrapped), AT(struct wrapped, value), -1},
  {sizeof(struct deep), _Alignof(struct deep), AT(struct deep, inner), -1},
  {sizeof(struct one_pointer), _Alignof(struct one_pointer), AT(struct one_pointer, text), -1},
  {sizeof(struct crowd), _Alignof(struct crowd), AT(struct crowd, count), AT(struct crowd, people),
   AT(struct crowd, favourite), -1},
  {sizeof(struct anonymous), _Alignof(struct anonymous), AT(struct anonymous, kind), AT(struct anonymous, whole),
   AT(struct anonymous, part), AT(struct anonymous, low), AT(struct anonymous, high), -1},
};

// Size, alignment and the fields' offsets of the records above, by their order; -1 behind the last.
EXPORT(layout) int layout(int record, int index) { return layouts[record][index]; }

// ---- Records by pointer ---------------------------------------------------------------------------------------------

#define ECHO_POINTER(name, type)                                                                                       \
  EXPORT(copy_##name) type *copy_##name(const type *from) {                                                            \
    if (from == NULL) return NULL;                                                                                     \
    type *to = guest_malloc(sizeof *to);                                                                               \
    if (to != NULL) memcpy(to, from, sizeof *to);                                                                      \
    return to;                                                                                                         \
  }                                                                                                                    \
  EXPORT(write_##name) void write_##name(type *to, const type *from) { memcpy(to, from, sizeof *to); }                 \
  EXPORT(echo_##name) type echo_##name(type value) { return value; }
ECHO_POINTER(scalars, struct scalars)
ECHO_POINTER(pair, struct pair)
ECHO_POINTER(point, struct point)
ECHO_POINTER(nested, struct nested)
ECHO_POINTER(number, union number)
ECHO_POINTER(tagged, struct tagged)
ECHO_POINTER(wide, union wide)
ECHO_POINTER(packed, struct packed)
ECHO_POINTER(holds_packed, struct holds_packed)
ECHO_POINTER(wrapped, struct wrapped)
ECHO_POINTER(deep, struct deep)
ECHO_POINTER(one_pointer, struct one_pointer)
ECHO_POINTER(anonymous, struct anonymous)

EXPORT(double_pair) void double_pair(struct pair *p) {
  if (p == NULL) return;
  p->a *= 2;
  p->b *= 2;
}

EXPORT(sum_pairs) int sum_pairs(const struct pair *pairs, int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += pairs[i].a + pairs[i].b;
  return sum;
}

EXPORT(swap_pairs) void swap_pairs(struct pair *pairs, int n) {
  for (int i = 0; i < n; ++i) pairs[i] = (struct pair){pairs[i].b, pairs[i].a};
}

// (0, 0), (1, -1), … in a new block.
EXPORT(new_pairs) struct pair *new_pairs(int n) {
  struct pair *pairs = new_array(n, sizeof *pairs);
  if (pairs != NULL) for (int i = 0; i < n; ++i) pairs[i] = (struct pair){i, -i};
  return pairs;
}

static struct pair shared_pair = {10, 20};

// A struct of the guest's own, which nobody may free.
EXPORT(get_shared_pair) struct pair *get_shared_pair(void) { return &shared_pair; }

// A structure of `struct pair *`: each a new block, as is the array.
EXPORT(new_pair_pointers) struct pair **new_pair_pointers(int n) {
  struct pair **out = new_array(n, sizeof *out);
  if (out == NULL) return NULL;
  for (int i = 0; i < n; ++i) {
    if ((out[i] = guest_malloc(sizeof **out)) == NULL) {
      while (i > 0) guest_free(out[--i]);
      guest_free(out);
      return NULL;
    }
    *out[i] = (struct pair){i, 10 * i};
  }
  return out;
}

EXPORT(sum_pair_pointers) int sum_pair_pointers(struct pair *const *pairs, int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) if (pairs[i] != NULL) sum += pairs[i]->a + pairs[i]->b;
  return sum;
}

// By value, between other arguments; fields of all that come to one number.
EXPORT(mix) double mix(int a, struct point p, double b, struct wrapped w, struct deep d, struct pair q) {
  return a + 10.0 * p.id + 100 * p.x + 1000 * p.y + b + w.value + d.inner.only[0] + q.a * q.b;
}

// By value: the callee's own copy, so the caller's is as before.
EXPORT(spoil_pair) int spoil_pair(struct pair p) {
  volatile struct pair *own = &p;
  own->a = own->b = -1;
  return own->a;
}

// ---- Lists ----------------------------------------------------------------------------------------------------------

EXPORT(free_list) void free_list(struct node *list) {
  while (list != NULL) {
    struct node *next = list->next;
    guest_free(list);
    list = next;
  }
}

// n, n - 1, … 1
EXPORT(new_list) struct node *new_list(int n) {
  struct node *list = NULL;
  for (int i = 1; i <= n; ++i) {
    struct node *node = guest_malloc(sizeof *node);
    if (node == NULL) {
      free_list(list);
      return NULL;
    }
    *node = (struct node){i, list};
    list = node;
  }
  return list;
}

EXPORT(sum_list) int sum_list(const struct node *list) {
  int sum = 0;
  for (; list != NULL; list = list->next) sum += list->value;
  return sum;
}

// In place; returns what was the last.
EXPORT(reverse_list) struct node *reverse_list(struct node *list) {
  struct node *reversed = NULL;
  while (list != NULL) {
    struct node *next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

// ---- Records with pointers ------------------------------------------------------------------------------------------

EXPORT(free_person) void free_person(struct person *p) {
  if (p == NULL) return;
  guest_free(p->name);
  guest_free(p->scores);
  guest_free(p);
}

// Three blocks: the struct, a copy of the name, and the scores 0, 0.5, 1, …
EXPORT(new_person) struct person *new_person(const char *name, int age, int scores) {
  struct person *p = guest_malloc(sizeof *p);
  if (p == NULL) return NULL;
  *p = (struct person){name == NULL ? NULL : new_string(name), age, new_array(scores, sizeof(double)), (size_t)scores};
  if ((name != NULL && p->name == NULL) || p->scores == NULL) {
    free_person(p);
    return NULL;
  }
  for (int i = 0; i < scores; ++i) p->scores[i] = i / 2.0;
  return p;
}

// The age, the name's length and the sum of the scores together.
EXPORT(weigh_person) double weigh_person(const struct person *p) {
  double sum = p->age + (p->name == NULL ? 0 : (double)strlen(p->name));
  for (size_t i = 0; i < p->score_count; ++i) sum += p->scores[i];
  return sum;
}

EXPORT(weigh_crowd) double weigh_crowd(const struct crowd *c) {
  double sum = c->favourite == NULL ? 0 : c->favourite->a * c->favourite->b;
  for (int i = 0; i < c->count; ++i) sum += weigh_person(&c->people[i]);
  return sum;
}

// One year older, half of each score; the name in capitals, in a block that takes the old one's place.
EXPORT(age_person) int age_person(struct person *p) {
  if (p->name != NULL) {
    char *name = new_string(p->name);
    if (name == NULL) return -1;
    for (char *c = name; *c != 0; ++c) if (*c >= 'a' && *c <= 'z') *c -= 'a' - 'A';
    guest_free(p->name);
    p->name = name;
  }
  ++p->age;
  for (size_t i = 0; i < p->score_count; ++i) p->scores[i] /= 2;
  return 0;
}

// ---- Numbers: as they are, by pointer, by callback ------------------------------------------------------------------

#define EVERY_SCALAR(X)                                                                                                \
  X(i8, int8_t) X(u8, uint8_t) X(i16, int16_t) X(u16, uint16_t) X(i32, int32_t) X(u32, uint32_t) X(i64, int64_t)       \
  X(u64, uint64_t) X(f32, float) X(f64, double) X(bool, bool) X(size, size_t) X(long, long) X(colour, enum colour)

#define SCALAR(suffix, type)                                                                                           \
  EXPORT(echo_##suffix) type echo_##suffix(type value) { return value; }                                               \
  EXPORT(put_##suffix) void put_##suffix(type *to, type value) { if (to != NULL) *to = value; }                        \
  EXPORT(get_##suffix) type get_##suffix(const type *from) { return *from; }                                           \
  /* *to = value, and what was there. */                                                                               \
  EXPORT(swap_##suffix) type swap_##suffix(type *to, type value) {                                                     \
    type old = *to;                                                                                                    \
    *to = value;                                                                                                       \
    return old;                                                                                                        \
  }                                                                                                                    \
  EXPORT(new_##suffix) type *new_##suffix(type value) {                                                                \
    type *to = guest_malloc(sizeof *to);                                                                               \
    if (to != NULL) *to = value;                                                                                       \
    return to;                                                                                                         \
  }                                                                                                                    \
  EXPORT(reverse_##suffix) void reverse_##suffix(type *a, int n) {                                                     \
    for (int i = 0; i < n / 2; ++i) {                                                                                  \
      type old = a[i];                                                                                                 \
      a[i] = a[n - 1 - i];                                                                                             \
      a[n - 1 - i] = old;                                                                                              \
    }                                                                                                                  \
  }                                                                                                                    \
  EXPORT(apply_##suffix) type apply_##suffix(type (*function)(type), type value) { return function(value); }
EVERY_SCALAR(SCALAR)

// ---- Bytes ----------------------------------------------------------------------------------------------------------

EXPORT(same) void *same(void *p) { return p; }

EXPORT(copy_bytes) void *copy_bytes(const void *from, size_t n) {
  void *to = guest_malloc(n);
  return to != NULL ? memcpy(to, from, n) : NULL;
}

EXPORT(write_bytes) void write_bytes(void *to, const void *from, size_t n) { memcpy(to, from, n); }

EXPORT(fill_bytes) void fill_bytes(void *to, int value, size_t n) { memset(to, value, n); }

EXPORT(sum_bytes) int sum_bytes(const void *from, size_t n) {
  int sum = 0;
  for (size_t i = 0; i < n; ++i) sum += ((const uint8_t *)from)[i];
  return sum;
}

static size_t any_size;
EXPORT(set_any_size) void set_any_size(size_t n) { any_size = n; }
// As a function that takes a struct of that many bytes by value and returns it: through addresses.
EXPORT(echo_any) void echo_any(void *result, const void *argument) { memcpy(result, argument, any_size); }

// ---- Strings --------------------------------------------------------------------------------------------------------

EXPORT(copy_string) char *copy_string(const char *text) { return text == NULL ? NULL : new_string(text); }
EXPORT(string_length) size_t string_length(const char *text) { return text == NULL ? SIZE_MAX : strlen(text); }
EXPORT(string_byte) int string_byte(const char *text, int i) { return (unsigned char)text[i]; }

EXPORT(length_utf16) size_t length_utf16(const char16_t *text) {
  size_t length = 0;
  while (text[length] != 0) ++length;
  return length;
}
EXPORT(unit_utf16) int unit_utf16(const char16_t *text, int i) { return text[i]; }
EXPORT(copy_utf16) char16_t *copy_utf16(const char16_t *text) {
  return text == NULL ? NULL : copy_bytes(text, 2 * (length_utf16(text) + 1));
}
EXPORT(copy_utf16_units) char16_t *copy_utf16_units(const char16_t *text, size_t n) { return copy_bytes(text, 2 * n); }

static const char *const names[] = {"zero", "one", "two", "three", NULL};

// A string of the guest's own; NULL past the last.
EXPORT(name_of) const char *name_of(int i) { return i >= 0 && i < 4 ? names[i] : NULL; }
// All of them, with a NULL at the end.
EXPORT(all_names) const char *const *all_names(void) { return names; }

// snprintf's contract: at most `capacity` bytes with the zero, and the length that all would have had.
EXPORT(format) int format(char *to, int capacity, int number) {
  char digits[12];
  int count = 0;
  unsigned rest = number < 0 ? 0u - (unsigned)number : (unsigned)number;
  do digits[count++] = (char)('0' + rest % 10); while ((rest /= 10) != 0);
  if (number < 0) digits[count++] = '-';
  for (int i = 0; i < count && i + 1 < capacity; ++i) to[i] = digits[count - 1 - i];
  if (capacity > 0) to[count < capacity ? count : capacity - 1] = 0;
  return count;
}

// In place.
EXPORT(upper) void upper(char *text) {
  for (; *text != 0; ++text) if (*text >= 'a' && *text <= 'z') *text -= 'a' - 'A';
}

// The same pointer, further on: into the argument.
EXPORT(skip) char *skip(char *text, int n) { return text + n; }

EXPORT(join) char *join(const char *const *strings, int n, const char *separator) {
  size_t size = 1;
  for (int i = 0; i < n; ++i) size += (strings[i] == NULL ? 1 : strlen(strings[i])) + strlen(separator);
  char *out = guest_malloc(size), *to = out;
  if (out == NULL) return NULL;
  for (int i = 0; i < n; ++i) {
    const char *text = strings[i] == NULL ? "-" : strings[i];
    if (i > 0) to = (char *)memcpy(to, separator, strlen(separator)) + strlen(separator);
    to = (char *)memcpy(to, text, strlen(text)) + strlen(text);
  }
  *to = 0;
  return out;
}

// `n` new strings, "zero", "one", …, and a NULL behind the last.
EXPORT(new_names) char **new_names(int n) {
  char **out = new_array(n + 1, sizeof *out);
  if (out == NULL) return NULL;
  for (int i = 0; i < n; ++i) {
    if ((out[i] = new_string(names[i % 4])) != NULL) continue;
    while (i > 0) guest_free(out[--i]);
    guest_free(out);
    return NULL;
  }
  out[n] = NULL;
  return out;
}

// In place: every second string is another block, in capitals, and the old one is freed; the third becomes NULL.
EXPORT(replace_strings) void replace_strings(char **strings, int n) {
  for (int i = 0; i < n; ++i) {
    if (i % 2 == 1) {
      char *copy = new_string(strings[i]);
      if (copy == NULL) continue;
      upper(copy);
      guest_free(strings[i]);
      strings[i] = copy;
    } else if (i == 2) {
      guest_free(strings[i]);
      strings[i] = NULL;
    }
  }
}

// Reads two arrays and changes nothing: how many pairs of strings are the same.
EXPORT(count_same) int count_same(char **a, const char *const *b, int n) {
  int count = 0;
  for (int i = 0; i < n; ++i) count += strcmp(a[i], b[i]) == 0;
  return count;
}

// Fills in `n` new strings.
EXPORT(write_names) void write_names(char **to, int n) {
  for (int i = 0; i < n; ++i) to[i] = new_string(names[i % 4]);
}

// ---- Lengths --------------------------------------------------------------------------------------------------------

EXPORT(iota) int32_t *iota(int n) {
  int32_t *a = new_array(n, sizeof *a);
  if (a != NULL) for (int i = 0; i < n; ++i) a[i] = i;
  return a;
}

// from, from + 1, … to - 1; how many there are goes to `count`. NULL and 0 where there is none.
EXPORT(range) int32_t *range(int from, int to, size_t *count) {
  *count = from < to ? (size_t)(to - from) : 0;
  if (*count == 0) return NULL;
  int32_t *a = new_array(to - from, sizeof *a);
  if (a == NULL) *count = 0;
  else for (int i = from; i < to; ++i) a[i - from] = i;
  return a;
}

// The same, both by out-parameter; -1 where memory is out.
EXPORT(range_into) int range_into(int from, int to, int32_t **out, int *count) {
  size_t n;
  *out = range(from, to, &n);
  *count = (int)n;
  return from < to && *out == NULL ? -1 : 0;
}

// 1, 2, … n, and `end`.
EXPORT(until) int32_t *until(int n, int32_t end) {
  int32_t *a = new_array(n + 1, sizeof *a);
  if (a == NULL) return NULL;
  for (int i = 0; i < n; ++i) a[i] = i + 1;
  a[n] = end;
  return a;
}

EXPORT(count_until) int count_until(const int32_t *a, int32_t end) {
  int n = 0;
  while (a[n] != end) ++n;
  return n;
}

EXPORT(count_strings) int count_strings(const char *const *strings) {
  int n = 0;
  while (strings[n] != NULL) ++n;
  return n;
}

// As many as fit of 1, 2, 3, … up to `available`; `*n` is the capacity, and then how many there are.
EXPORT(take) void take(int32_t *to, int *n, int available) {
  if (*n > available) *n = available;
  for (int i = 0; i < *n; ++i) to[i] = i + 1;
}

// ---- Callbacks ------------------------------------------------------------------------------------------------------

EXPORT(sort) void sort(int32_t *a, int n, int (*compare)(const int32_t *, const int32_t *)) {
  qsort(a, (size_t)n, sizeof *a, (int (*)(const void *, const void *))compare);
}

EXPORT(sort_any) void sort_any(void *a, size_t n, size_t size, int (*compare)(const void *, const void *)) {
  qsort(a, n, size, compare);
}

// Until one returns something other than 0, which is the result.
EXPORT(each_string) int each_string(const char *const *strings, int n, int (*f)(void *user, const char *text, int i),
                                    void *user) {
  for (int i = 0; i < n; ++i) {
    int result = f(user, strings[i], i);
    if (result != 0) return result;
  }
  return 0;
}

EXPORT(each_pair) void each_pair(struct pair *pairs, int n, void (*f)(struct pair *pair)) {
  for (int i = 0; i < n; ++i) f(&pairs[i]);
}

// As sqlite3_exec calls: columns and values as arrays of strings.
EXPORT(each_row) int each_row(int rows, int (*f)(void *user, int columns, char **values, char **titles), void *user) {
  char *titles[] = {"id", "name"}, number[12];
  for (int i = 0; i < rows; ++i) {
    format(number, 12, i);
    char *values[] = {number, i == 1 ? NULL : (char *)names[i % 4]};
    if (f(user, 2, values, titles) != 0) return i + 1;
  }
  return 0;
}

EXPORT(map_pair) struct pair map_pair(struct pair p, struct pair (*f)(struct pair)) { return f(p); }
EXPORT(map_wrapped) struct wrapped map_wrapped(struct wrapped w, struct wrapped (*f)(struct wrapped)) { return f(w); }

static int length_of_taken(char *text) {
  if (text == NULL) return -1;
  int length = (int)strlen(text);
  guest_free(text);
  return length;
}

// What the callback returns is the guest's, which frees it; its length is the result.
EXPORT(length_of_made) int length_of_made(char *(*make)(int), int argument) { return length_of_taken(make(argument)); }

// The callback fills in what it is given.
EXPORT(sum_filled) int sum_filled(void (*fill)(int32_t *a, int n), int n) {
  int32_t a[16];
  if (n > 16) return -1;
  for (int i = 0; i < n; ++i) a[i] = -100;
  fill(a, n);
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i];
  return sum;
}

// The callback puts a string there, which is the guest's from then on.
EXPORT(ask) int ask(void (*f)(char **answer)) {
  char *answer = NULL;
  f(&answer);
  return length_of_taken(answer);
}

// The callback is given a new string, which is its own; the result is what it makes of that.
EXPORT(hand_over) int hand_over(char *(*f)(char *text), const char *text) {
  char *copy = new_string(text);
  return copy == NULL ? -2 : length_of_taken(f(copy));
}

EXPORT(name_wrapped) int name_wrapped(char *(*f)(struct wrapped), double value) {
  return length_of_taken(f((struct wrapped){value}));
}

EXPORT(call_void) void call_void(void (*f)(void)) { f(); }
EXPORT(is_null) int is_null(void *p) { return p == NULL; }
EXPORT(function_is_null) int function_is_null(void (*f)(void)) { return f == NULL; }

static int (*stored)(int);
EXPORT(store_callback) void store_callback(int (*f)(int)) { stored = f; }
EXPORT(call_stored) int call_stored(int argument) { return stored == NULL ? -1 : stored(argument); }

static int thrice(int n) { return 3 * n; }
// A function of the guest's, as a pointer.
EXPORT(get_thrice) int (*get_thrice(void))(int) { return thrice; }

struct listener { int (*function)(void *user, int event); void *user; };
EXPORT(notify) int notify(const struct listener *listener, int event) {
  return listener->function == NULL ? -1 : listener->function(listener->user, event);
}

// Calls back as deep as told: f(depth), f(depth - 1), …, by way of the host.
EXPORT(descend) int descend(int depth, int (*f)(int)) { return depth == 0 ? 0 : 1 + f(depth - 1); }

// ---- Handles --------------------------------------------------------------------------------------------------------

struct counter { uint32_t magic; int value, cursors; };
struct cursor { uint32_t magic; struct counter *of; };
enum { COUNTER = 0xc0de, CURSOR = 0xbeef };

static int open_counters, open_cursors, bad_closes, orphans;

EXPORT(counter_open) struct counter *counter_open(int start) {
  struct counter *c = guest_malloc(sizeof *c);
  if (c == NULL) return NULL;
  *c = (struct counter){COUNTER, start, 0};
  ++open_counters;
  return c;
}

// 0, or 1 where it is none (or was closed before).
EXPORT(counter_close) int counter_close(struct counter *c) {
  if (c == NULL || c->magic != COUNTER) return ++bad_closes, 1;
  orphans += c->cursors;
  c->magic = 0;
  --open_counters;
  guest_free(c);
  return 0;
}

EXPORT(counter_next) int counter_next(struct counter *c) { return c->magic == COUNTER ? c->value++ : -1; }

// 0, or 7 where memory is out, 21 where `start` is negative: then with a handle that says so, and is to be closed too.
EXPORT(counter_open_into) int counter_open_into(int start, struct counter **out) {
  *out = counter_open(start);
  return *out == NULL ? 7 : start < 0 ? 21 : 0;
}

// Needs its counter until it is closed.
EXPORT(cursor_open) struct cursor *cursor_open(struct counter *c) {
  struct cursor *cursor = guest_malloc(sizeof *cursor);
  if (cursor == NULL) return NULL;
  *cursor = (struct cursor){CURSOR, c};
  ++c->cursors;
  ++open_cursors;
  return cursor;
}

EXPORT(cursor_close) void cursor_close(struct cursor *cursor) {
  if (cursor == NULL || cursor->magic != CURSOR) { ++bad_closes; return; }
  cursor->magic = 0;
  if (cursor->of->magic == COUNTER) --cursor->of->cursors;
  --open_cursors;
  guest_free(cursor);
}

EXPORT(cursor_next) int cursor_next(struct cursor *cursor) { return counter_next(cursor->of); }
// The counter itself, borrowed.
EXPORT(cursor_counter) struct counter *cursor_counter(struct cursor *cursor) { return cursor->of; }

EXPORT(counters_open) int counters_open(void) { return open_counters; }
EXPORT(cursors_open) int cursors_open(void) { return open_cursors; }
EXPORT(wrong_closes) int wrong_closes(void) { return bad_closes; }
EXPORT(orphaned) int orphaned(void) { return orphans; }

// ---- What the guest takes over --------------------------------------------------------------------------------------

EXPORT(eat) void eat(void *block) { guest_free(block); }
EXPORT(eat_string) int eat_string(char *text) {
  if (text == NULL) return -1;
  int length = (int)strlen(text);
  guest_free(text);
  return length;
}
EXPORT(eat_doubles) double eat_doubles(double *a, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i];
  guest_free(a);
  return sum;
}
EXPORT(eat_strings) int eat_strings(char **strings, int n) {
  int length = 0;
  for (int i = 0; i < n; ++i) length += eat_string(strings[i]);
  guest_free(strings);
  return length;
}
EXPORT(eat_pair) int eat_pair(struct pair *p) {
  if (p == NULL) return -1;
  int sum = p->a + p->b;
  guest_free(p);
  return sum;
}

static char *kept_text;
EXPORT(keep_string) void keep_string(char *text) {
  guest_free(kept_text);
  kept_text = text;
}
EXPORT(kept_string) const char *kept_string(void) { return kept_text; }

// ---- Success and failure --------------------------------------------------------------------------------------------

EXPORT(status_of) int status_of(int code) { return code; }

// The code; with a message in a new block unless that is 0.
EXPORT(fail_with) int fail_with(int code, char **message) {
  if (message != NULL) *message = code == 0 ? NULL : new_string(names[code & 3]);
  return code;
}

// Writes n numbers from 1, but stops at `bad`, with -1.
EXPORT(write_until_bad) int write_until_bad(double *to, int n, int bad) {
  for (int i = 0; i < n; ++i) {
    if (i == bad) return -1;
    to[i] = i + 1;
  }
  return 0;
}

// A new string each; with `fail`, no second one, and -1.
EXPORT(make_two) int make_two(char **first, char **second, int fail) {
  *first = new_string("first");
  *second = fail ? NULL : new_string("second");
  return *first == NULL || *second == NULL ? -1 : 0;
}

// Makes the first of two, then traps.
EXPORT(make_and_trap) int make_and_trap(char **first, char **second) {
  *second = NULL;
  *first = NULL;
  __builtin_trap();
}

EXPORT(trap) void trap(void) { __builtin_trap(); }
EXPORT(trap_with) int trap_with(const char *text, double *a, int n) {
  if (text != NULL && n > 0) a[0] = 42;
  __builtin_trap();
}

// Pages that memory.grow inside the guest reports as the old size, -1 where it failed.
EXPORT(grow_pages) int grow_pages(int pages) { return (int)__builtin_wasm_memory_grow(0, (size_t)pages); }
EXPORT(sum_after_growth) double sum_after_growth(const double *a, int n, int pages) {
  if (grow_pages(pages) < 0) return -1;
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i];
  return sum;
}
