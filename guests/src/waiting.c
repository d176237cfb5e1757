// waiting.wasm and waiting64.wasm: functions that keep arrays on C's stack while they wait for a callback, and that find
// out whether anybody has written over them. They import nothing.
#include "counted_heap.h"

// Where the stack ends now.
EXPORT(stack_end) size_t stack_end(void) {
  volatile char here[16] = {0};
  uintptr_t address = (uintptr_t)here;
  return address + (size_t)here[0];
}

static void fill(volatile uint8_t *bytes, size_t n, uint8_t value) {
  for (size_t i = 0; i < n; ++i) bytes[i] = value;
}
static int count(const volatile uint8_t *bytes, size_t n, uint8_t value) {
  int same = 0;
  for (size_t i = 0; i < n; ++i) same += bytes[i] == value;
  return same;
}

// Asks `next` `times` times, one frame deeper each time, with 1,000 bytes in each frame that hold `mark` and the depth.
// Returns the sum of the answers, or -1 if a byte has changed meanwhile.
EXPORT(ask) int64_t ask(int (*next)(int mark), int mark, int times) {
  volatile uint8_t bytes[1000];
  if (times == 0) return 0;
  uint8_t value = (uint8_t)(mark * 16 + times);
  fill(bytes, sizeof bytes, value);
  int64_t answer = next(mark);
  if (count(bytes, sizeof bytes, value) != sizeof bytes) return -1;
  int64_t rest = ask(next, mark, times - 1);
  if (rest < 0 || count(bytes, sizeof bytes, value) != sizeof bytes) return -1;
  return answer + rest;
}

// Has `read` fill a buffer on C's stack, as parsers do, and adds up what came.
EXPORT(drain) int64_t drain(int (*read)(uint8_t *buffer, size_t size)) {
  uint8_t buffer[512];
  int64_t sum = 0;
  for (int n; (n = read(buffer, sizeof buffer)) > 0;) {
    for (int i = 0; i < n; ++i) sum += buffer[i];
  }
  return sum;
}

// Uses `bytes` of the stack, then waits.
EXPORT(use) int use(int (*next)(int), size_t bytes) {
  uint8_t room[bytes];
  fill(room, bytes, 7);
  int answer = next((int)bytes);
  return count(room, bytes, 7) == (int)bytes ? answer : -1;
}
