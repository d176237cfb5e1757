// demo.wasm: a WASI reactor with a little of everything that a host passes to a guest and gets back.
//
// malloc, calloc, realloc and free are exported through counting wrappers, so that a test can see that every block came
// back (live_blocks, live_bytes) and can make an allocation fail (set_malloc_budget).
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

EXPORT(malloc) void *guest_malloc(size_t size) { return spend_budget() ? count_in(malloc(size)) : NULL; }

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

EXPORT(free) void guest_free(void *block) {
  count_out(block);
  free(block);
}

// Number of blocks that were allocated and not yet freed.
EXPORT(live_blocks) int live_blocks(void) { return live_block_count; }

// Their usable bytes: what the allocator rounded the requests up to.
EXPORT(live_bytes) size_t live_bytes(void) { return live_byte_count; }

// Lets `n` more allocations succeed and makes every later one return NULL; a negative `n` lifts the limit.
EXPORT(set_malloc_budget) void set_malloc_budget(int n) { malloc_budget = n; }

// An array of `n` elements, NULL also where the size would not fit an address.
static void *new_array(int n, size_t element) {
  if (n < 0 || (size_t)n > SIZE_MAX / element) return NULL;
  return guest_malloc((size_t)n * element);
}

// ---- Arrays ---------------------------------------------------------------------------------------------------------

EXPORT(multiply_into) void multiply_into(const double *a, const double *b, double *out, int n) {
  for (int i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

// The products, element by element, in a new block that the caller frees.
EXPORT(multiply) double *multiply(const double *a, const double *b, int n) {
  double *out = new_array(n, sizeof *out);
  if (out != NULL) multiply_into(a, b, out, n);
  return out;
}

EXPORT(fill_f64) void fill_f64(double *out, int n, double value) {
  for (int i = 0; i < n; ++i) out[i] = value;
}

EXPORT(sum_f64) double sum_f64(const double *a, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i];
  return sum;
}

// Unsigned arithmetic underneath: wrapping is defined for it.
#define NEGATE(suffix, type, wide)                                                                                     \
  EXPORT(negate_##suffix) void negate_##suffix(type *a, int n) {                                                       \
    for (int i = 0; i < n; ++i) a[i] = (type)(-(wide)a[i]);                                                            \
  }
#define SCALE(suffix, type, wide)                                                                                      \
  EXPORT(scale_##suffix) void scale_##suffix(type *a, int n, type k) {                                                 \
    for (int i = 0; i < n; ++i) a[i] = (type)((wide)a[i] * (wide)k);                                                   \
  }
// 0, 1, 2, … in a new block that the caller frees.
#define IOTA(suffix, type)                                                                                             \
  EXPORT(iota_##suffix) type *iota_##suffix(int n) {                                                                   \
    type *a = new_array(n, sizeof *a);                                                                                 \
    if (a != NULL) for (int i = 0; i < n; ++i) a[i] = (type)i;                                                         \
    return a;                                                                                                          \
  }
// Small integers travel as i32, extended by the caller: echo_u8 narrows nothing, so a test sees what the host passed.
#define ECHO(suffix, type)                                                                                             \
  EXPORT(echo_##suffix) type echo_##suffix(type value) { return value; }
#define EVERY_SCALAR(X)                                                                                                \
  X(i8, int8_t, uint32_t) X(u8, uint8_t, uint32_t) X(i16, int16_t, uint32_t) X(u16, uint16_t, uint32_t)                \
  X(i32, int32_t, uint32_t) X(u32, uint32_t, uint32_t) X(i64, int64_t, uint64_t) X(u64, uint64_t, uint64_t)            \
  X(f32, float, float) X(f64, double, double)
#define FAMILY(suffix, type, wide)                                                                                     \
  NEGATE(suffix, type, wide) SCALE(suffix, type, wide) IOTA(suffix, type) ECHO(suffix, type)
EVERY_SCALAR(FAMILY)

// `n` bytes of the same value in a new block that the caller frees.
EXPORT(bytes) uint8_t *bytes(int n, int value) {
  uint8_t *block = new_array(n, 1);
  if (block != NULL) memset(block, value, (size_t)n);
  return block;
}

// ---- Strings --------------------------------------------------------------------------------------------------------

EXPORT(string_bytes) size_t string_bytes(const char *text) { return strlen(text); }

EXPORT(echo_string) char *echo_string(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = guest_malloc(size);
  return copy != NULL ? memcpy(copy, text, size) : NULL;
}

// Reads one code point at `text` into `*code` and returns its length in bytes. A byte that starts no valid sequence is a
// unit by itself, with a code that no character has. Never looks past the terminating zero.
static size_t decode(const unsigned char *text, uint32_t *code) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  unsigned char lead = text[0];
  size_t length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
  if (length == 1) return *code = lead, 1;
  uint32_t value = lead & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((text[i] & 0xc0) != 0x80) length = 0; // also stops at the terminator
    else value = value << 6 | (text[i] & 0x3f);
  }
  bool valid = length != 0 && value >= smallest[length] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  *code = valid ? value : UINT32_MAX;
  return valid ? length : 1;
}

static bool between(uint32_t code, uint32_t first, uint32_t last) { return code >= first && code <= last; }

enum { ZERO_WIDTH_JOINER = 0x200d };

static bool stays_behind_its_base(uint32_t c) {
  return c == ZERO_WIDTH_JOINER || between(c, 0x300, 0x36f) || between(c, 0x1ab0, 0x1aff) || between(c, 0x1dc0, 0x1dff) ||
         between(c, 0x20d0, 0x20ff) || between(c, 0xfe00, 0xfe0f) || between(c, 0xfe20, 0xfe2f) ||
         between(c, 0x1f3fb, 0x1f3ff) /* skin tones */ || between(c, 0xe0020, 0xe007f) /* tags */ ||
         between(c, 0xe0100, 0xe01ef);
}

static bool regional_indicator(uint32_t c) { return between(c, 0x1f1e6, 0x1f1ff); }

// Length in bytes of the character that a reader sees at `text`: a base, its marks, what a joiner adds, a flag's two halves.
static size_t cluster(const unsigned char *text) {
  uint32_t code, next;
  size_t length = decode(text, &code);
  for (bool first = true; text[length] != 0; first = false) {
    size_t step = decode(text + length, &next);
    bool flag = first && regional_indicator(code) && regional_indicator(next);
    bool joined = code == ZERO_WIDTH_JOINER && next != UINT32_MAX;
    if (!flag && !joined && !stays_behind_its_base(next)) break;
    length += step;
    code = next;
  }
  return length;
}

// The text backwards, in a new block that the caller frees; accents stay on their letters. Bytes that are not UTF-8 are
// kept, each by itself.
EXPORT(reverse) char *reverse(const char *utf8) {
  size_t size = strlen(utf8);
  char *out = guest_malloc(size + 1);
  if (out == NULL) return NULL;
  char *to = out + size;
  *to = 0;
  while (*utf8 != 0) {
    size_t length = cluster((const unsigned char *)utf8);
    to -= length;
    memcpy(to, utf8, length);
    utf8 += length;
  }
  return out;
}

// Bytes of all `n` strings together.
EXPORT(strings_bytes) size_t strings_bytes(const char *const *strings, int n) {
  size_t sum = 0;
  for (int i = 0; i < n; ++i) sum += strlen(strings[i]);
  return sum;
}

// Each of the `n` strings reversed: a new array of new strings, all for the caller to free.
EXPORT(reverse_all) char **reverse_all(const char *const *strings, int n) {
  char **out = new_array(n, sizeof *out);
  if (out == NULL) return NULL;
  for (int i = 0; i < n; ++i) {
    if ((out[i] = reverse(strings[i])) != NULL) continue;
    while (i > 0) guest_free(out[--i]);
    guest_free(out);
    return NULL;
  }
  return out;
}

// ---- Structs and callbacks ------------------------------------------------------------------------------------------

struct point { // offsets 0, 8, 16; size 24
  int32_t id;
  double x, y;
};

EXPORT(move_point) void move_point(struct point *p, double dx, double dy) {
  p->x += dx;
  p->y += dy;
}

EXPORT(new_point) struct point *new_point(int32_t id, double x, double y) {
  struct point *p = guest_malloc(sizeof *p);
  if (p != NULL) *p = (struct point){id, x, y};
  return p;
}

// A table index is what a function pointer is here: the host puts a function of type (f64) -> f64 in the exported table.
EXPORT(map_f64) void map_f64(double *a, int n, double (*function)(double)) {
  for (int i = 0; i < n; ++i) a[i] = function(a[i]);
}

static double twice(double value) { return 2 * value; }

// A guest function as a pointer, to hand back to map_f64.
EXPORT(get_twice) double (*get_twice(void))(double) { return twice; }

// ---- Output ---------------------------------------------------------------------------------------------------------

// No stdio: nothing is buffered, so the text is out when the function returns.
static void put(int descriptor, const char *text) {
  for (size_t left = strlen(text); left > 0;) {
    ssize_t written = write(descriptor, text, left);
    if (written <= 0) return;
    text += written;
    left -= (size_t)written;
  }
}

// Writes `text` as it is (no newline added) to standard output, complain to standard error.
EXPORT(say) void say(const char *text) { put(STDOUT_FILENO, text); }
EXPORT(complain) void complain(const char *text) { put(STDERR_FILENO, text); }

// ---- Ways to fail ---------------------------------------------------------------------------------------------------

// Traps where b is 0 and where the quotient of INT32_MIN and -1 does not fit.
EXPORT(divide) int32_t divide(int32_t a, int32_t b) {
  __asm__("local.get %1\n\tlocal.get %2\n\ti32.div_s\n\tlocal.set %0" : "=r"(a) : "r"(a), "r"(b));
  return a;
}

EXPORT(unreachable_now) void unreachable_now(void) { __builtin_trap(); }

static volatile int depth, bottom = -1;

// Called with n >= 0: recurses until the stack is used up. The volatile accesses keep it from becoming a loop.
EXPORT(recurse) __attribute__((noinline)) int recurse(int n) {
  if (n == bottom) return 0;
  depth = n;
  int deeper = recurse(n + 1);
  return deeper + depth;
}

// Loops until somebody stops it.
EXPORT(spin) void spin(void) {
  for (;;) depth = depth + 1;
}

// Pages that memory.grow inside the guest reports as the old size, -1 where it failed.
EXPORT(grow_pages) int grow_pages(int pages) { return (int)__builtin_wasm_memory_grow(0, (size_t)pages); }
