// typed.wasm and typed64.wasm: functions of every kind of type that a host in Rust can give them, with addresses of 32 bits
// and of 64. They import nothing.
#include "counted_heap.h"

static void copy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; ++i) ((char *)to)[i] = ((const char *)from)[i];
}

static size_t length(const char *text) {
  size_t n = 0;
  while (text[n] != 0) ++n;
  return n;
}

static char *duplicate(const char *text) {
  char *out = malloc(length(text) + 1);
  if (out != NULL) copy(out, text, length(text) + 1);
  return out;
}

// ---- Numbers, and several results -----------------------------------------------------------------------------------

#define ECHO(name, type) EXPORT(echo_##name) type echo_##name(type value) { return value; }
ECHO(bool, bool) ECHO(i8, int8_t) ECHO(u8, uint8_t) ECHO(i16, int16_t) ECHO(u16, uint16_t) ECHO(i32, int32_t)
ECHO(u32, uint32_t) ECHO(i64, int64_t) ECHO(u64, uint64_t) ECHO(f32, float) ECHO(f64, double) ECHO(size, size_t)

// Divides; traps where b is 0.
EXPORT(divmod) void divmod(int a, int b, int *quotient, int *remainder) {
  if (b == 0) __builtin_trap();
  *quotient = a / b;
  *remainder = a % b;
}

// The larger one, with the smaller one behind it.
EXPORT(order) int order(int a, int *smaller, int b) {
  *smaller = a < b ? a : b;
  return a < b ? b : a;
}

EXPORT(increment) void increment(int *value) {
  if (value != NULL) ++*value;
}

// ---- Slices and how long they are -----------------------------------------------------------------------------------

// 1 … n in a new block.
EXPORT(iota) int *iota(int n) {
  int *out = n < 0 ? NULL : malloc((size_t)n * sizeof *out);
  for (int i = 0; out != NULL && i < n; ++i) out[i] = i + 1;
  return out;
}

// The same, which tells how long it is; or tells `lie`, if that is not 0.
EXPORT(counted_iota) int *counted_iota(int n, int lie, int *len) {
  *len = lie != 0 ? lie : n;
  return iota(n);
}

// n … 1 and a zero behind them.
EXPORT(countdown) int *countdown(int n) {
  int *out = malloc(((size_t)n + 1) * sizeof *out);
  for (int i = 0; out != NULL && i <= n; ++i) out[i] = n - i;
  return out;
}

// The bytes of a text, each repeated: 0, or 1 where it is empty, or 2 where there is no memory.
EXPORT(stretch) int stretch(const char *text, uint8_t **out, size_t *len) {
  size_t n = length(text);
  if (n == 0) return 1;
  if ((*out = malloc(2 * n)) == NULL) return 2;
  for (size_t i = 0; i < 2 * n; ++i) (*out)[i] = (uint8_t)text[i / 2];
  *len = 2 * n;
  return 0;
}

EXPORT(sum) double sum(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += values[i];
  return sum;
}

// Takes an array over and frees it.
EXPORT(consume) int consume(int *values, size_t n) {
  int sum = 0;
  for (size_t i = 0; i < n; ++i) sum += values[i];
  free(values);
  return sum;
}

// ---- Strings --------------------------------------------------------------------------------------------------------

EXPORT(echo_text) char *echo_text(const char *text) { return duplicate(text); }
EXPORT(length_or) int length_or(const char *text, int otherwise) { return text == NULL ? otherwise : (int)length(text); }
EXPORT(not_utf8) char *not_utf8(void) { return duplicate("ab\xff"); }
EXPORT(version) const char *version(void) { return "1.0"; }
EXPORT(text_or_null) char *text_or_null(bool there) { return there ? duplicate("there") : NULL; }

EXPORT(same_text) char *same_text(char *text) { return text; }

EXPORT(consume_text) int consume_text(char *text) {
  int n = (int)length(text);
  free(text);
  return n;
}

// A copy of n bytes, without a zero.
EXPORT(echo_bytes) char *echo_bytes(const char *text, size_t n) {
  char *out = malloc(n);
  if (out != NULL) copy(out, text, n);
  return out;
}

EXPORT(echo_units) uint16_t *echo_units(const uint16_t *text, size_t n) {
  return (uint16_t *)echo_bytes((const char *)text, 2 * n);
}

EXPORT(echo_wide) uint16_t *echo_wide(const uint16_t *text) {
  size_t n = 0;
  while (text[n] != 0) ++n;
  return echo_units(text, n + 1);
}

// Half of a pair of units.
EXPORT(not_utf16) uint16_t *not_utf16(void) { return echo_wide((const uint16_t[]){'a', 0xd800, 'b', 0}); }

// Traps when it has read the text.
EXPORT(trap_on) int trap_on(const char *text) {
  if (length(text) >= 0) __builtin_trap();
  return 0;
}

// The same block as the result and by the parameter.
EXPORT(twice_the_same) char *twice_the_same(char **out) { return *out = duplicate("same"); }

// ---- Structs, unions, enums -----------------------------------------------------------------------------------------

struct point { // 24 bytes, 4 of padding
  int32_t id;
  double x, y;
};

struct id { int32_t value; };
struct wrapped { struct { double value[1]; } inner; };
struct pair { float a, b; };
union number { int64_t integer; double real; };
enum colour { RED, GREEN = 4, BLUE };

EXPORT(move_point) void move_point(struct point *p, double dx, double dy) { p->x += dx, p->y += dy; }
EXPORT(move_points) void move_points(struct point *p, size_t n, double dx) {
  for (size_t i = 0; i < n; ++i) p[i].x += dx;
}

EXPORT(new_point) struct point *new_point(int32_t id, double x, double y) {
  struct point *p = malloc(sizeof *p);
  if (p != NULL) *p = (struct point){id, x, y};
  return p;
}

EXPORT(new_points) struct point *new_points(int n) {
  struct point *p = malloc((size_t)n * sizeof *p);
  for (int i = 0; p != NULL && i < n; ++i) p[i] = (struct point){i, i * 0.5, -i};
  return p;
}

EXPORT(origin) const struct point *origin(void) {
  static const struct point origin = {7, 0, 0};
  return &origin;
}

EXPORT(set_point) void set_point(int32_t id, struct point *out) { *out = (struct point){id, 1, 2}; }
EXPORT(open_point) int open_point(int32_t id, struct point **out) { return (*out = new_point(id, 3, 4)) == NULL; }
EXPORT(add_points) struct point add_points(struct point a, struct point b) {
  return (struct point){a.id + b.id, a.x + b.x, a.y + b.y};
}
EXPORT(next_id) struct id next_id(struct id id) { return (struct id){id.value + 1}; }
EXPORT(half) struct wrapped half(struct wrapped value) { return (struct wrapped){{{value.inner.value[0] / 2}}}; }
EXPORT(swap) struct pair swap(struct pair pair) { return (struct pair){pair.b, pair.a}; }
EXPORT(real_of) double real_of(const union number *number) { return number->real; }
EXPORT(after_red) enum colour after_red(enum colour colour) { return colour == RED ? GREEN : colour == GREEN ? BLUE : 9; }
EXPORT(small_after_red) uint8_t small_after_red(uint8_t colour) { return (uint8_t)after_red(colour); }

struct series { // with pointers, so that its layout depends on their width
  enum colour colour;
  char *name;
  uint8_t count;
  double *values;
  bool flags[3];
  struct series *next;
};

static void drop_series(struct series *series) {
  if (series == NULL) return;
  drop_series(series->next);
  free(series->name);
  free(series->values);
  free(series);
}

// A copy of it, with all that it points to; or NULL, and nothing is left.
EXPORT(echo_series) struct series *echo_series(const struct series *series) {
  struct series *out = malloc(sizeof *out);
  if (out == NULL) return NULL;
  *out = *series;
  out->name = series->name == NULL ? NULL : duplicate(series->name);
  out->values = (double *)echo_bytes((const char *)series->values, series->count * sizeof(double));
  out->next = series->next == NULL ? NULL : echo_series(series->next);
  bool complete = (out->name != NULL) == (series->name != NULL) && out->values != NULL &&
                  (out->next != NULL) == (series->next != NULL);
  return complete ? out : (drop_series(out), NULL);
}

// The same in a struct of the caller's: 0, or 1 where there is no memory.
EXPORT(echo_series_into) int echo_series_into(const struct series *series, struct series *out) {
  struct series *copy = echo_series(series);
  if (copy == NULL) return 1;
  *out = *copy;
  free(copy);
  return 0;
}

EXPORT(total) double total(const struct series *series) {
  return series == NULL ? 0 : sum(series->values, series->count) + total(series->next);
}

// The name is no UTF-8, and the colour no colour.
EXPORT(wrong_series) struct series *wrong_series(bool name, bool colour) {
  struct series one = {RED, "ok", 2, (double[]){1, 2}, {true, false, true}, NULL};
  struct series two = {colour ? 3 : RED, name ? "\xc3" : "ok", 2, (double[]){3, 4}, {false, true, false}, &one};
  return echo_series(&two);
}

// It points to itself.
EXPORT(ring) const struct series *ring(void) {
  static double values[1];
  static struct series ring = {RED, "ring", 1, values, {0}, &ring};
  return &ring;
}

// ---- Callbacks ------------------------------------------------------------------------------------------------------

EXPORT(each) void each(const int *values, int n, void (*function)(int)) {
  for (int i = 0; i < n; ++i) function(values[i]);
}

EXPORT(apply) double apply(double (*function)(int, double), int a, double b) { return function(a, b); }

static int (*listener)(int);
EXPORT(listen) void listen(int (*function)(int)) { listener = function; }
EXPORT(notify) int notify(int value) { return listener == NULL ? -1 : listener(value); }

// The same, holding a block meanwhile.
EXPORT(sort_points) void sort_points(struct point *p, int n, int (*compare)(const struct point *, const struct point *)) {
  for (int i = 1; i < n; ++i) {
    for (int j = i; j > 0 && compare(&p[j - 1], &p[j]) > 0; --j) {
      struct point other = p[j];
      p[j] = p[j - 1];
      p[j - 1] = other;
    }
  }
}

EXPORT(tell) int tell(int (*function)(const char *, size_t, const double *, size_t)) {
  return function("isola!", 5, (double[]){1, 2.5, 4}, 3);
}
EXPORT(ask) int ask(int (*function)(const char *)) { return function("domanda"); }
EXPORT(named) int named(char *(*function)(int)) {
  char *name = function(3);
  int n = name == NULL ? -1 : (int)length(name);
  free(name);
  return n;
}
static double twice(int a, double b) { return a * 2 + b; }
EXPORT(get_twice) double (*get_twice(void))(int, double) { return twice; }

// ---- Opaque pointers, and errors as numbers -------------------------------------------------------------------------

struct db { int sum, cursors; };
struct cursor { struct db *db; };
static int open_handles;

EXPORT(open_count) int open_count(void) { return open_handles; }

// 14 where the name is empty, 7 where there is no memory.
EXPORT(db_open) int db_open(const char *name, struct db **out) {
  if (*name == 0) return 14;
  if ((*out = malloc(sizeof **out)) == NULL) return 7;
  **out = (struct db){0, 0};
  ++open_handles;
  return 0;
}
EXPORT(db_new) struct db *db_new(void) {
  struct db *db = NULL;
  db_open("new", &db);
  return db;
}
EXPORT(db_add) int db_add(struct db *db, int value) { return db->sum += value; }

// What its sum was; -1 where a cursor still stands on it, which is a mistake: it stays open.
EXPORT(db_close) int db_close(struct db *db) {
  if (db->cursors > 0) return -1;
  int sum = db->sum;
  --open_handles;
  free(db);
  return sum;
}
// Takes it over.
EXPORT(db_merge) int db_merge(struct db *db, struct db *other) {
  db->sum += other->sum;
  db_close(other);
  return db->sum;
}
EXPORT(cursor_open) struct cursor *cursor_open(struct db *db) {
  struct cursor *cursor = malloc(sizeof *cursor);
  if (cursor == NULL) return NULL;
  cursor->db = db;
  ++db->cursors, ++open_handles;
  return cursor;
}
EXPORT(cursor_close) void cursor_close(struct cursor *cursor) {
  --cursor->db->cursors, --open_handles;
  free(cursor);
}
EXPORT(status) int status(int code) { return code; }
