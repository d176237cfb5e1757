// A tour of guest memory: run it with
//
//     tombolo examples/quickstart.mjs
//
// The guest is C (guests/src/demo.c), compiled to WebAssembly. Its functions take and return pointers into its own memory;
// a prototype says what they point to, and the calls below look like calls of JavaScript functions.
import { readFileSync } from 'node:fs';
import {
  ArrayType, Float64Type, FunctionPrototype, In, Int32Type, Out, StringType, TypedArrayType, VoidType, Wasi,
} from 'tombolo:marshal';

// 1. Load the guest. A Wasi object gives it an environment and somewhere to print, and knows its malloc and free.
const wasi = new Wasi({});
const { instance } = await WebAssembly.instantiate(
  readFileSync(new URL('../guests/demo.wasm', import.meta.url)),
  { wasi_snapshot_preview1: wasi.imports() },
);
wasi.init(instance);
const guest = instance.exports;
guest._initialize();

/** A C function as a JavaScript function. */
const bind = (prototype, fn) => (...args) => prototype.invoke(wasi.memoryManager, fn, ...args);

// 2. By copy: plain arrays go in and come out, and nothing stays behind in the guest.
//    double *multiply(const double *a, const double *b, int n)
//    C does not say how long the result is. Here it is as long as the third argument says.
const doubles = () => new ArrayType(new Float64Type());
const multiply = bind(
  new FunctionPrototype(
    [new In(doubles()), new In(doubles()), new In(new Int32Type())],
    new ArrayType(new Float64Type(), (_index, args) => args[2]),
  ),
  guest.multiply,
);
console.log('by copy:  ', multiply([1, 2, 3, 4], [5, 6, 7, 8], 4));

// 3. By view: typed arrays that live in guest memory. Nothing is copied, and nobody calls free: a view owns its block.
const view = () => new TypedArrayType(new Float64Type());
const multiplyViews = bind(
  new FunctionPrototype(
    [new In(view()), new In(view()), new In(new Int32Type())],
    new TypedArrayType(new Float64Type(), (_index, args) => args[2]),
  ),
  guest.multiply,
);
const a = wasi.float64Array([1, 2, 3, 4]);
const b = wasi.float64Array([5, 6, 7, 8]);
let result = multiplyViews(a, b, 4);
console.log('by view:  ', Array.from(result));

// 4. The block lives as long as anything looks at it: here a part of the result, after the result itself is gone.
const tail = result.subarray(1);
result = undefined;
for (let i = 0; i < 1000; i++) multiplyViews(a, b, 4); // a thousand more results, each freed on the way
console.log('its tail: ', Array.from(tail));

// 5. An output argument: the guest fills an array that the caller provides.
//    void multiply_into(const double *a, const double *b, double *out, int n)
const multiplyInto = bind(
  new FunctionPrototype(
    [new In(doubles()), new In(doubles()), new Out(doubles()), new In(new Int32Type())],
    new VoidType(),
  ),
  guest.multiply_into,
);
const out = new Array(3);
multiplyInto([1, 2, 3], [10, 10, 10], out, 3);
console.log('into out: ', out);

// 6. Strings: UTF-8 in the guest, JavaScript strings here.
//    char *reverse(const char *utf8)
const reverse = bind(new FunctionPrototype([new In(new StringType())], new StringType()), guest.reverse);
const text = 'Zoe\u0308 a\u0300 la crème brûlée'; // two of the accents are characters of their own, and stay on their letters
console.log('reversed: ', reverse(text));

// 7. What the guest prints appears here, line by line: standard output on the console's log, standard error on its error.
const print = (fn) => bind(new FunctionPrototype([new In(new StringType())], new VoidType()), fn);
print(guest.say)('hello from the guest\n');
print(guest.complain)('a complaint from the guest\n');

// 8. The books: of all the blocks above three are still in use, which are a, b and the one under tail.
const { blocks, bytes } = tombolo.guestMemory();
console.log(`guest memory: ${blocks.allocated} blocks allocated, ${blocks.freed} freed, ${blocks.alive} alive;`,
  `${bytes.alive} bytes in use, ${bytes.peak} at the most`);
console.log('still mine:', a.length, b.length, tail.length);
