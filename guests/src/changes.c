// changes.wasm and changes64.wasm: functions that change a part of what they are given and leave the rest alone, or have
// a callback do so. They import nothing.
#include "counted_heap.h"

static size_t length(const char *text) {
  size_t n = 0;
  while (text[n] != 0) ++n;
  return n;
}

// Makes and frees blocks of many sizes, with other contents, so that what was freed too early is spoiled.
static void spoil(void) {
  for (size_t n = 16; n <= 256; n *= 2) {
    char *block = malloc(n);
    for (size_t i = 0; block != NULL && i < n; ++i) block[i] = 'Z';
    free(block);
  }
}

// ---- Opaque things --------------------------------------------------------------------------------------------------

typedef struct thing { int value; } thing;
static int opened, closed;
EXPORT(thing_open) int thing_open(int value, thing **out) {
  *out = malloc(sizeof(thing));
  (*out)->value = value;
  return ++opened, 0;
}
EXPORT(thing_value) int thing_value(const thing *t) { return t->value; }
EXPORT(thing_close) int thing_close(thing *t) { return free(t), ++closed, 7; }
EXPORT(things_open) int things_open(void) { return opened - closed; }

// ---- Structs with pointers in them ----------------------------------------------------------------------------------

struct job {
  int (*step)(void *user, int n);
  void *user;
  const char *name;
  char *text;
  const int *given;
  int *work;
  void *bytes;
  size_t size;
  thing *thing;
  double result;
};
// Fills the buffer, counts the work up, and calls the step; everything else stays.
EXPORT(run_job) int run_job(struct job *job) {
  for (size_t i = 0; i < job->size; ++i) ((unsigned char *)job->bytes)[i] = (unsigned char)(i + 1);
  if (job->work != NULL) job->work[1] += 10;
  job->result = job->step == NULL ? -1 : job->step(job->user, 3);
  return job->thing == NULL ? 0 : job->thing->value;
}
EXPORT(run_jobs) int run_jobs(struct job *jobs, int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += run_job(&jobs[i]);
  return sum;
}
EXPORT(run_job_within) int run_job_within(struct job **job) { return run_job(*job); }
// Only reads the struct, but writes where it points to.
EXPORT(fill_job) void fill_job(const struct job *job) {
  for (size_t i = 0; i < job->size; ++i) ((unsigned char *)job->bytes)[i] = 9;
  if (job->work != NULL) job->work[0] = 99;
}
EXPORT(fill_job_value) void fill_job_value(struct job job) { fill_job(&job); }
// Replaces everything.
EXPORT(reset_job) void reset_job(struct job *job) {
  static const int numbers[] = {7, 8, 9};
  *job = (struct job){.name = "reset", .given = numbers, .size = 3, .result = 0.5};
}
EXPORT(shout) void shout(struct job *job) {
  for (char *c = job->text; *c != 0; ++c) *c -= *c >= 'a' && *c <= 'z' ? 32 : 0;
}

struct node { int value; struct node *next; };
EXPORT(add_to_all) int add_to_all(struct node *node, int n) {
  int count = 0;
  for (; node != NULL; node = node->next) node->value += n, ++count;
  return count;
}
EXPORT(cut) void cut(struct node *node) { node->next = NULL; }
EXPORT(close_ring) void close_ring(struct node *node) { node->next->next = node->next; }

struct inner { const char *text; int n; };
struct outer { struct inner parts[2]; union { int *numbers; double number; } choice; };
EXPORT(touch_outer) void touch_outer(struct outer *outer) { outer->parts[1].n = 5; }
EXPORT(touch_choice) void touch_choice(struct outer *outer) { outer->choice.numbers[0] = 42; }

EXPORT(swap_things) void swap_things(thing **things) {
  thing *first = things[0];
  things[0] = things[1], things[1] = first;
}
EXPORT(swap_rows) void swap_rows(int **rows) {
  int *first = rows[0];
  rows[0] = rows[1], rows[1] = first;
  rows[0][0] = -1;
}
EXPORT(fill_each) void fill_each(void *const *buffers, int n, size_t size) {
  for (int i = 0; i < n; ++i) for (size_t at = 0; at < size; ++at) ((unsigned char *)buffers[i])[at] = (unsigned char)(i + 1);
}
EXPORT(double_in_place) void double_in_place(int *numbers, int n) { for (int i = 0; i < n; i += 2) numbers[i] *= 2; }

struct item { char *name; int n; };
struct holder { struct item *item; };
struct wide_holder { struct item *item; int n; };
static void rename(struct item *item) {
  char *name = malloc(4);
  name[0] = 'n', name[1] = 'e', name[2] = 'w', name[3] = 0;
  free(item->name);
  item->name = name;
  ++item->n;
}
// The names are owned: an old one is freed.
EXPORT(rename_one) void rename_one(struct holder holder) { rename(holder.item); }
EXPORT(rename_wide) void rename_wide(struct wide_holder holder) { rename(holder.item); }
EXPORT(rename_behind) void rename_behind(struct wide_holder *holder) { rename(holder->item); }
EXPORT(rename_and_trap) void rename_and_trap(struct wide_holder holder) { rename(holder.item), __builtin_trap(); }
EXPORT(rename_one_and_trap) void rename_one_and_trap(struct holder holder) { rename(holder.item), __builtin_trap(); }

struct numbers { int n; int *a; };
// Counts its own variable down.
EXPORT(drain) void drain(struct numbers numbers) {
  for (volatile struct numbers *own = &numbers; own->n > 0; --own->n) *own->a++ = 8;
}
EXPORT(numbers) int *numbers(int n) {
  int *out = malloc((size_t)n * sizeof *out);
  for (int i = 0; out != NULL && i < n; ++i) out[i] = i;
  return out;
}
EXPORT(touch_numbers) int touch_numbers(struct numbers *numbers) { return numbers->a[0] = 50, numbers->n; }

// ---- Callbacks ------------------------------------------------------------------------------------------------------

struct state { const char *name; int n; int *numbers; size_t count; struct inner inner; };
// How often the name and the numbers stayed where they are.
EXPORT(visit) int visit(void (*function)(struct state *state), const char *name, int *numbers, size_t count, int times) {
  int same = 0;
  for (int i = 0; i < times; ++i) {
    struct state state = {name, i, numbers, count, {name, i}};
    function(&state);
    same += state.name == name && state.numbers == numbers && state.inner.text == name;
  }
  return same;
}
EXPORT(visit_last) int visit_last(void (*function)(struct state *state), const char *name) {
  struct state state = {name, 1, NULL, 0, {name, 1}};
  function(&state);
  spoil();
  return (int)length(state.name) * 1000 + (int)length(state.inner.text) * 10 + state.n;
}
EXPORT(visit_thing) int visit_thing(int (*function)(thing *t), thing *t) { return function(t); }

struct one { const char *text; };
struct list { const int *numbers; };
struct nested { struct one one; };
struct array { const char *text[1]; };
struct two { const char *text; int n; };
#define MADE(name, type, field) \
  EXPORT(name) int name(type (*function)(void)) { type made = function(); spoil(); return (int)length(made.field); }
MADE(made_one, struct one, text)
MADE(made_nested, struct nested, one.text)
MADE(made_array, struct array, text[0])
MADE(made_two, struct two, text)
EXPORT(made_list) int made_list(struct list (*function)(void)) {
  struct list made = function();
  spoil();
  return made.numbers[0] + made.numbers[1] + made.numbers[2];
}

// ---- Lengths, ends, text --------------------------------------------------------------------------------------------

struct pair { int n; const int *a; const int *b; };
EXPORT(pair_sum) int pair_sum(const struct pair *p) {
  int sum = 0;
  for (int i = 0; i < p->n; ++i) sum += p->a[i] * 100 + (p->b == NULL ? 0 : p->b[i]);
  return sum;
}
struct small { uint8_t n; const int *a; };
EXPORT(small_n) int small_n(const struct small *s) { return s->n; }
struct signed_small { int8_t n; const char *text; };
EXPORT(signed_n) int signed_n(const struct signed_small *s) { return s->n; }
struct record { const char *key; uint16_t key_size; };
EXPORT(key_sum) int key_sum(const struct record *r) {
  int sum = 0;
  for (int i = 0; i < r->key_size; ++i) sum += r->key[i];
  return sum;
}

EXPORT(zeros) const double *zeros(void) {
  static const double numbers[] = {1, -2, -0.0, 3, 0};
  return numbers;
}
EXPORT(until_minus) const float *until_minus(void) {
  static float numbers[] = {__builtin_nanf(""), 4, -1, 5};
  return numbers;
}
EXPORT(count_doubles) int count_doubles(const double *a) { int n = 0; while (a[n] != 0) ++n; return n; }
EXPORT(count_texts) int count_texts(const char *const *texts) { int n = 0; while (texts[n] != NULL) ++n; return n; }
EXPORT(line_length) int line_length(const char *line) { int n = 0; while (line[n] != '\n') ++n; return n; }
EXPORT(line) const char *line(void) { return "first\nsecond"; }

EXPORT(get_text) int get_text(char *buffer, size_t size) {
  const char *text = "h\xc3\xa9llo";
  if (size < 7) return -1;
  for (int i = 0; i < 7; ++i) buffer[i] = text[i];
  return 6;
}
EXPORT(get_units) int get_units(uint16_t *buffer, size_t size) {
  if (size < 3) return -1;
  buffer[0] = 'h', buffer[1] = 0xe9, buffer[2] = 0;
  return 2;
}
EXPORT(get_counted) void get_counted(char *buffer, int *size) {
  for (int i = 0; i < 3; ++i) buffer[i] = "a\0b"[i];
  *size = 3;
}
// Say more than there was room for.
EXPORT(too_many) void too_many(int *items, int *n) { items[0] = 5, *n = 1 << 29; }
EXPORT(too_many_units) void too_many_units(uint16_t *items, uint64_t *n) { items[0] = 'a', *n = (1ULL << 63) + 1; }
EXPORT(too_many_bytes) void too_many_bytes(char *text, int *n) { text[0] = 'a', text[1] = 'b', *n = 1000; }

struct point { int x, y; };
EXPORT(points) struct point *points(int n) {
  struct point *out = malloc(n == 0 ? 1 : (size_t)n * sizeof *out);
  for (int i = 0; out != NULL && i < n; ++i) out[i] = (struct point){i + 1, 1};
  return out;
}
EXPORT(sum_points) int sum_points(const struct point *points, int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += points[i].x;
  return sum;
}
EXPORT(count_points) int count_points(const struct point *points) {
  int n = 0;
  while (points[n].x != 0 || points[n].y != 0) ++n;
  return n;
}

// ---- What is passed how ---------------------------------------------------------------------------------------------

typedef struct {} empty;
EXPORT(take_empty) int take_empty(empty e, int n, empty f) { (void)e, (void)f; return n + 1; }
EXPORT(make_empty) empty make_empty(int n) { (void)n; return (empty){}; }
EXPORT(call_empty) int call_empty(int (*function)(empty e, int n), int n) { return function((empty){}, n); }

EXPORT(first_of) int first_of(int first, ...) { return first; }

enum large { LARGE_ONE = 1, LARGE_BIT = 1LL << 40, LARGE_MINUS = -(1LL << 40) };
EXPORT(echo_large) enum large echo_large(enum large value) { return value; }
EXPORT(put_large) void put_large(enum large *to, enum large value) { *to = value; }
EXPORT(call_large) enum large call_large(enum large (*function)(enum large value), enum large value) { return function(value); }

typedef void (*destructor)(void *);
EXPORT(set_destructor) int set_destructor(void *data, destructor function) {
  return function == (destructor)-1 ? (data == NULL ? -2 : -1) : function == NULL ? 0 : (function(data), 1);
}
EXPORT(echo_u8) uint8_t echo_u8(uint8_t n) { return n; }
EXPORT(echo_i64) int64_t echo_i64(int64_t n) { return n; }
EXPORT(echo_f32) float echo_f32(float n) { return n; }
EXPORT(sum_u16) int sum_u16(const uint16_t *a, int n) { int sum = 0; for (int i = 0; i < n; ++i) sum += a[i]; return sum; }
