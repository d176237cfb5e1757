// A tour of guest memory: run it with
//
//     tombolo examples/quickstart.mjs
//
// The guest is C (guests/src/demo.c), compiled to WebAssembly. Its functions take and return pointers into its own
// memory; C declarations say what they point to, and the calls below look like calls of JavaScript functions.
import { readFileSync } from 'node:fs';
import { addressOf, cdef, Wasi } from 'tombolo:marshal';

// 1. Load the guest. A Wasi object gives it an environment and somewhere to print, and knows its malloc and free.
const wasi = new Wasi({});
const { instance } = await WebAssembly.instantiate(
  readFileSync(new URL('../guests/demo.wasm', import.meta.url)),
  { wasi_snapshot_preview1: wasi.imports() },
);
wasi.init(instance);
instance.exports._initialize();

// 2. Declare what to call, as its header does. What C leaves open is in the annotations: how long an array is, who
//    frees it.
const declarations = `
  double *multiply(const double *a, const double *b, int n) [[owned, length(n)]];
  void multiply_into(const double *a, const double *b, double *out [[out, length(n)]], int n);

  struct point { int32_t id; double x, y; };
  struct point *new_point(int32_t id, double x, double y) [[owned]];
  void move_point(struct point *p, double dx, double dy);

  char *reverse(const char *utf8) [[owned]];
  char **reverse_all(const char *const *strings, int n) [[owned, length(n)]];
  void map_f64(double *a, int n, double (*function)(double));
  void say(const char *text);
  void complain(const char *text);
`;
const copies = cdef(wasi, declarations);
const views = cdef(wasi, declarations, { views: true });

// 3. By copy: plain arrays go in and come out, and nothing stays behind in the guest.
console.log('by copy:  ', copies.multiply([1, 2, 3, 4], [5, 6, 7, 8], 4));

// 4. By view: typed arrays that live in guest memory. Nothing is copied, and nobody calls free: a view owns its block.
const a = wasi.float64Array([1, 2, 3, 4]);
const b = wasi.float64Array([5, 6, 7, 8]);
let result = views.multiply(a, b, 4);
console.log('by view:  ', Array.from(result), 'at', addressOf(result) > 0 ? 'its own address' : 'none');

// 5. The block lives as long as anything looks at it: here a part of the result, after the result itself is gone.
const tail = result.subarray(1);
result = undefined;
for (let i = 0; i < 1000; i++) views.multiply(a, b, 4); // a thousand more results, each freed on the way
console.log('its tail: ', Array.from(tail));

// 6. An output argument comes back as a result.
console.log('out:      ', copies.multiply_into([1, 2, 3], [10, 10, 10], 3));

// 7. Structs: objects by copy, or views whose fields are the guest's memory. `using` frees the block at once.
{
  using point = views.new_point(7, 1, 2);
  views.move_point(point, 10, 20);
  console.log('a point:  ', { ...point });
}

// 8. Strings: UTF-8 in the guest, JavaScript strings here. And arrays of them. (Two of the accents below are
// characters of their own, and stay on their letters.)
const text = 'Zoe\u0308 a\u0300 la crème brûlée';
console.log('reversed: ', copies.reverse(text));
console.log('each:     ', copies.reverse_all(['stressed', 'drawer'], 2));

// 9. A function for a function pointer. The guest may call it until the call returns.
const numbers = [1, 2, 3];
copies.map_f64(numbers, 3, (x) => x * x);
console.log('mapped:   ', numbers);

// 10. What the guest prints appears here, line by line: standard output on the console's log, standard error on its
//     error.
copies.say('hello from the guest\n');
copies.complain('a complaint from the guest\n');

// 11. The books: of all the blocks above three are still in use, which are a, b and the one under tail.
const { blocks, bytes } = tombolo.guestMemory();
console.log(`guest memory: ${blocks.allocated} blocks allocated, ${blocks.freed} freed, ${blocks.alive} alive;`,
  `${bytes.alive} bytes in use, ${bytes.peak} at the most`);
console.log('still mine:', a.length, b.length, tail.length);
