// heap.wasm: an allocator for several threads, each with an instance of its own on one imported shared memory
// (env.memory, 4 pages at first, 1024 at most), and some functions over arrays of doubles.
//
// Everything that the instances share lies at fixed addresses and is valid when zero: the module has no data segment,
// nothing to start, and no instance disturbs another's heap by coming later. No function uses a stack in memory (build.sh
// makes sure), so all instances may share the value of __stack_pointer.
//
//   0 … 1023             never allocated; 512 … 1023 is for the host (flags to wait on, results)
//   1024 … 1087          the state of the heap
//   1088 …               blocks, each with a header of 16 bytes, up to the end of the memory that the heap knows of
//
// The heap is a row of blocks without gaps, found from first to last by their sizes; the first fit is taken. Neighbours
// that are free are joined at once, so that after the last free() one free block is left.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

enum { PAGE = 65536, HEADER = 16, FIRST = 1088, STATE = 1024 };
enum { FREE = 0x46524545, USED = 0x55534544 }; // the magic of a header

struct heap {
  int32_t lock;         // 0 open, 1 locked, 2 locked and waited for
  uint32_t end;         // of the last block; 0: no block yet
  int32_t live_blocks;
  uint32_t live_bytes;  // of the live blocks, rounded up, without headers
  int64_t allocations, frees;
  int32_t double_frees;
  uint32_t rover;       // no block before this one is free
};

struct block {
  uint32_t magic;
  uint32_t size;        // without the header; a multiple of 16, not 0
  uint32_t before;      // the size of the block before; 0: this is the first
  uint32_t unused;
};

// An address that the optimizer takes for what it is.
static inline volatile struct heap *heap(void) { return (volatile struct heap *)STATE; }
static inline volatile struct block *at(uint32_t address) { return (volatile struct block *)address; }
static inline uint32_t next(uint32_t block) { return block + HEADER + at(block)->size; }

// ---- The lock ---------------------------------------------------------------------------------------------------------

static inline void lock(void) {
  int32_t *word = (int32_t *)STATE, state = 0;
  if (__atomic_compare_exchange_n(word, &state, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  while (__atomic_exchange_n(word, 2, __ATOMIC_SEQ_CST) != 0) __builtin_wasm_memory_atomic_wait32(word, 2, -1);
}

static inline void unlock(void) {
  int32_t *word = (int32_t *)STATE;
  if (__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) == 2) __builtin_wasm_memory_atomic_notify(word, 1);
}

// ---- The heap, under the lock -----------------------------------------------------------------------------------------

static inline void set_block(uint32_t block, uint32_t magic, uint32_t size, uint32_t before) {
  at(block)->magic = magic;
  at(block)->size = size;
  at(block)->before = before;
}

// Tells the block after `block` how large its neighbour has become.
static inline void link_next(uint32_t block) {
  uint32_t after = next(block);
  if (after < heap()->end) at(after)->before = at(block)->size;
}

// Makes the heap longer by a free block of at least `size` bytes, or its last, free block that large; false when the
// memory ends. Whatever the memory has grown by meanwhile, here or elsewhere, becomes the heap's.
static inline bool extend(uint32_t last, uint32_t size) {
  uint32_t end = heap()->end, had = end == 0 ? FIRST : end;
  bool joined = last != 0 && at(last)->magic == FREE;
  uint64_t needed = (joined ? (uint64_t)last : (uint64_t)had) + HEADER + size;
  uint64_t bytes = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
  if (bytes < needed) {
    uint32_t pages = (uint32_t)((needed - bytes + PAGE - 1) / PAGE);
    if (needed > UINT32_MAX - PAGE || __builtin_wasm_memory_grow(0, pages) == (size_t)-1) return false;
    bytes = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
  }
  if (bytes > UINT32_MAX - PAGE) bytes = UINT32_MAX - PAGE + 1;
  uint32_t new_end = (uint32_t)bytes;
  heap()->end = new_end;
  if (joined) at(last)->size = new_end - last - HEADER;
  else set_block(had, FREE, new_end - had - HEADER, last == 0 ? 0 : at(last)->size);
  return true;
}

// The block at `address`, or 0 where none is allocated. A block inside another's bytes is not told from a real one: the
// magic has to be believed.
static inline uint32_t used_block(uint32_t address) {
  if (address < FIRST + HEADER || (address & 15) != 0 || address >= heap()->end) return 0;
  uint32_t block = address - HEADER;
  return at(block)->magic == USED ? block : 0;
}

// ---- Blocks -----------------------------------------------------------------------------------------------------------

// A block of its own, aligned to 16, also for 0 bytes; 0 when the memory is full.
EXPORT(malloc) void *heap_malloc(size_t bytes) {
  if (bytes > 0x7fffffff) return NULL;
  uint32_t size = bytes == 0 ? 16 : ((uint32_t)bytes + 15) & ~15u;
  lock();
  uint32_t found = 0, last = 0, first_free = 0;
  for (;;) {
    uint32_t end = heap()->end;
    for (uint32_t block = heap()->rover != 0 ? heap()->rover : FIRST; block < end; block = next(block)) {
      last = block;
      if (at(block)->magic != FREE) continue;
      if (first_free == 0) first_free = block;
      if (at(block)->size < size) continue;
      found = block;
      break;
    }
    if (found != 0) break;
    if (!extend(last, size)) {
      unlock();
      return NULL;
    }
  }
  if (at(found)->size - size > HEADER) { // room for another block behind
    uint32_t rest = found + HEADER + size;
    set_block(rest, FREE, at(found)->size - size - HEADER, size);
    link_next(rest);
    at(found)->size = size;
  }
  at(found)->magic = USED;
  if (first_free == found) heap()->rover = found; // its successor may be free: not passed by
  heap()->live_blocks += 1;
  heap()->live_bytes += at(found)->size;
  heap()->allocations += 1;
  unlock();
  return (void *)(found + HEADER);
}

// Nothing for NULL; an address that is not allocated is counted (double_frees) and left alone.
EXPORT(free) void heap_free(void *address) {
  if (address == NULL) return;
  lock();
  uint32_t block = used_block((uint32_t)address);
  if (block == 0) {
    heap()->double_frees += 1;
    unlock();
    return;
  }
  heap()->live_blocks -= 1;
  heap()->live_bytes -= at(block)->size;
  heap()->frees += 1;
  at(block)->magic = FREE;
  uint32_t after = next(block);
  if (after < heap()->end && at(after)->magic == FREE) {
    at(block)->size += HEADER + at(after)->size;
    at(after)->magic = 0; // no header any more
  }
  uint32_t before = at(block)->before;
  if (before != 0 && at(block - before - HEADER)->magic == FREE) {
    at(block)->magic = 0;
    uint32_t joined = block - before - HEADER;
    at(joined)->size += HEADER + at(block)->size;
    block = joined;
  }
  link_next(block);
  if (block < heap()->rover) heap()->rover = block;
  unlock();
}

EXPORT(live_blocks) int32_t live_blocks(void) { return __atomic_load_n((int32_t *)(STATE + offsetof(struct heap, live_blocks)), __ATOMIC_SEQ_CST); }

// Bytes of the live blocks, each rounded up to a multiple of 16.
EXPORT(live_bytes) uint32_t live_bytes(void) { return __atomic_load_n((uint32_t *)(STATE + offsetof(struct heap, live_bytes)), __ATOMIC_SEQ_CST); }

// How many allocations and frees there were; those that failed are not counted.
EXPORT(allocations) int64_t allocations(void) { return __atomic_load_n((int64_t *)(STATE + offsetof(struct heap, allocations)), __ATOMIC_SEQ_CST); }
EXPORT(frees) int64_t frees(void) { return __atomic_load_n((int64_t *)(STATE + offsetof(struct heap, frees)), __ATOMIC_SEQ_CST); }

// Frees of addresses that were not allocated.
EXPORT(double_frees) int32_t double_frees(void) { return __atomic_load_n((int32_t *)(STATE + offsetof(struct heap, double_frees)), __ATOMIC_SEQ_CST); }

// Walks all blocks under the lock: how many there are, free and used.
EXPORT(blocks) int32_t blocks(void) {
  lock();
  int32_t n = 0;
  uint32_t end = heap()->end;
  for (uint32_t block = FIRST; block < end; block = next(block)) ++n;
  unlock();
  return n;
}

// 0 where the heap is consistent, else what is wrong.
enum {
  CONSISTENT, BAD_END, BAD_MAGIC, BAD_SIZE, BAD_BEFORE, NOT_JOINED, WRONG_LIVE_BLOCKS, WRONG_LIVE_BYTES, WRONG_TOTALS, BAD_ROVER
};

static inline int32_t walk(void) {
  uint32_t end = heap()->end, before = 0, bytes = 0;
  int32_t live = 0;
  bool free_before = false, rover_seen = heap()->rover == 0;
  if (end != 0 && (end < FIRST || end > (uint64_t)__builtin_wasm_memory_size(0) * PAGE)) return BAD_END;
  for (uint32_t block = FIRST; block < end;) {
    uint32_t magic = at(block)->magic, size = at(block)->size;
    if (magic != FREE && magic != USED) return BAD_MAGIC;
    if (size == 0 || (size & 15) != 0 || size > end - block - HEADER) return BAD_SIZE;
    if (at(block)->before != before) return BAD_BEFORE;
    if (magic == FREE && free_before) return NOT_JOINED;
    if (block == heap()->rover) rover_seen = true;
    if (magic == FREE && !rover_seen) return BAD_ROVER;
    if (magic == USED) {
      ++live;
      bytes += size;
    }
    free_before = magic == FREE;
    before = size;
    block += HEADER + size;
  }
  if (!rover_seen) return BAD_ROVER;
  if (live != heap()->live_blocks) return WRONG_LIVE_BLOCKS;
  if (bytes != heap()->live_bytes) return WRONG_LIVE_BYTES;
  if (heap()->allocations - heap()->frees != live) return WRONG_TOTALS;
  return CONSISTENT;
}

EXPORT(check) int32_t check(void) {
  lock();
  int32_t result = walk();
  unlock();
  return result;
}

// ---- Arrays of doubles ------------------------------------------------------------------------------------------------

EXPORT(sum_range) double sum_range(const double *a, int from, int to) {
  double sum = 0;
  for (int i = from; i < to; ++i) sum += a[i];
  return sum;
}

EXPORT(sum) double sum(const double *a, int n) { return sum_range(a, 0, n); }

EXPORT(fill) void fill(double *out, int n, double value) {
  for (int i = 0; i < n; ++i) out[i] = value;
}

// 0, 1, 2, … in a new block that the caller frees; NULL also where the size would not fit an address.
EXPORT(make) double *make(int n) {
  if (n < 0 || n > 0x7fffffff / (int)sizeof(double)) return NULL;
  double *a = heap_malloc((size_t)n * sizeof *a);
  if (a != NULL) for (int i = 0; i < n; ++i) a[i] = i;
  return a;
}

// ---- Threads that do not come back by themselves ------------------------------------------------------------------------

// Busy while *flag is 0.
EXPORT(spin) void spin(const int32_t *flag) {
  while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) == 0) {}
}

// Asleep until *flag is not 0; whoever sets it also notifies.
EXPORT(wait_forever) void wait_forever(int32_t *flag) {
  while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) == 0) __builtin_wasm_memory_atomic_wait32(flag, 0, -1);
}
