// A heap for guests without a library: it counts (live_blocks, live_bytes), can be made to fail (set_malloc_budget), and
// traps when it is given what is no block of it, or no more.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

// ---- The heap: blocks with a head, the free ones in a list ----------------------------------------------------------

enum { ALIVE = 0x51, FREE = 0x46 };

struct head {
  size_t size, state;
  struct head *next, *unused; // a multiple of 16 bytes with both widths
};

extern unsigned char __heap_base;
static struct head *free_list;
static uintptr_t top;
static int live_block_count, malloc_budget = -1;
static size_t live_byte_count;

static struct head *new_head(size_t size) {
  for (struct head **at = &free_list; *at != NULL; at = &(*at)->next) {
    struct head *head = *at;
    if (head->size >= size && head->size <= 2 * size) return *at = head->next, head;
  }
  if (top == 0) top = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
  size_t needed = sizeof(struct head) + size, room = __builtin_wasm_memory_size(0) * 65536 - top;
  if (size > SIZE_MAX / 2) return NULL;
  if (needed > room && __builtin_wasm_memory_grow(0, (needed - room + 65535) / 65536) == SIZE_MAX) return NULL;
  struct head *head = (struct head *)top;
  top += needed;
  head->size = size;
  return head;
}

EXPORT(malloc) void *malloc(size_t size) {
  if (malloc_budget == 0) return NULL;
  if (malloc_budget > 0) --malloc_budget;
  struct head *head = new_head(size < 16 ? 16 : (size + 15) & ~(size_t)15);
  if (head == NULL) return NULL;
  head->state = ALIVE;
  ++live_block_count;
  live_byte_count += head->size;
  return head + 1;
}

EXPORT(free) void free(void *block) {
  if (block == NULL) return;
  struct head *head = (struct head *)block - 1;
  if (head->state != ALIVE) __builtin_trap();
  head->state = FREE;
  --live_block_count;
  live_byte_count -= head->size;
  head->next = free_list;
  free_list = head;
}

EXPORT(live_blocks) int live_blocks(void) { return live_block_count; }
EXPORT(live_bytes) size_t live_bytes(void) { return live_byte_count; }
EXPORT(set_malloc_budget) void set_malloc_budget(int n) { malloc_budget = n; }
