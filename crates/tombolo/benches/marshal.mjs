// Marshalled calls beside the best glue that can be written by hand for the same functions on the same runtime: typed
// arrays over the guest's memory, kept until it grows, TextEncoder and TextDecoder where they are faster than a loop,
// room that is allocated once where one is enough, and everything freed by hand. Both take and give the same values,
// which is checked, and take turns; the times are medians. A ratio below 1 says that the marshalled call is the faster
// one.
//
//     tombolo crates/tombolo/benches/marshal.mjs [part of a row's name]
import { readFileSync } from 'node:fs';
import { inspect, isDeepStrictEqual } from 'node:util';
import { Callback, Wasi, addressOf, cdef } from 'tombolo:marshal';

const ROUNDS = 9;
const ROUND_MS = 8;

const wasi = new Wasi({});
const module = new WebAssembly.Module(readFileSync(new URL('../../../guests/demo.wasm', import.meta.url)));
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() });
wasi.init(instance);
const guest = instance.exports;
guest._initialize();

const declarations = `
  int divide(int a, int b);
  int8_t echo_i8(int8_t value);
  int64_t echo_i64(int64_t value);
  uint64_t echo_u64(uint64_t value);
  float echo_f32(float value);
  double echo_f64(double value);
  double sum_f64(const double *a, int n);
  double *multiply(const double *a, const double *b, int n) [[owned, length(n)]];
  size_t string_bytes(const char *text);
  char *echo_string(const char *text) [[owned]];
  size_t strings_bytes(const char *const *strings, int n);
  char **reverse_all(const char *const *strings, int n) [[owned, length(n)]];
  typedef double (*function)(double);
  void map_f64(double *a [[view]], int n, function f);
`;
const point = 'struct point { int32_t id; double x, y; };';
const structs = `${point}
  struct point *new_point(int32_t id, double x, double y) [[owned]];
  void move_point(struct point *p, double dx, double dy);`;
const c = cdef(wasi, declarations + structs);
const views = cdef(wasi, `${structs} double *multiply(const double *a, const double *b, int n) [[owned, length(n)]];`,
  { views: true });
const points = cdef(wasi, `${point} void move_point(struct point *p [[inout, length(1000)]], double dx, double dy);`);
const handles = cdef(wasi, `
  typedef struct point point [[opaque(free)]];
  point *new_point(int32_t id, double x, double y);`);
const outs = cdef(wasi, 'void fill_f64(double *out [[out]], int n, double value);');

// ---- Glue -----------------------------------------------------------------------------------------------------------

/** Everything by hand. What is used at each call is a local variable of this function. */
const glue = (() => {
  const { memory, malloc, free, multiply, echo_string, string_bytes, strings_bytes, reverse_all } = guest;
  const { move_point, new_point, fill_f64, map_f64, sum_f64 } = guest;
  const POINT = 24;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const beyondAscii = /[^\x00-\x7f]/;
  let f64, i32, u32, u8;
  const refresh = () => {
    const { buffer } = memory;
    [f64, i32] = [new Float64Array(buffer), new Int32Array(buffer)];
    [u32, u8] = [new Uint32Array(buffer), new Uint8Array(buffer)];
  };
  const scratch = malloc(1000 * POINT) >>> 0;
  refresh();

  /** A new block; nothing is over memory that was detached afterwards. */
  const room = (bytes) => {
    const address = malloc(bytes) >>> 0;
    if (f64.length === 0) refresh();
    return address;
  };
  const list = (at, length) => {
    if (length > 100) return Array.from(f64.subarray(at, at + length));
    const result = [];
    for (let i = 0; i < length; i++) result[i] = f64[at + i];
    return result;
  };
  const put = (text) => {
    const { length } = text;
    const address = room(length * 3 + 1);
    let at = 0;
    if (length < 14) {
      for (; at < length; at++) {
        const code = text.charCodeAt(at);
        if (code > 127) break;
        u8[address + at] = code;
      }
    }
    if (at < length) at = encoder.encodeInto(text, u8.subarray(address, address + length * 3)).written;
    u8[address + at] = 0;
    return address;
  };
  const get = (address) => {
    const bytes = u8.subarray(address, u8.indexOf(0, address));
    if (bytes.length < 24) {
      const text = String.fromCharCode.apply(null, bytes);
      if (!beyondAscii.test(text)) return text;
    }
    return decoder.decode(bytes);
  };
  const putAll = (texts) => {
    const address = room(texts.length * 4);
    for (let i = 0; i < texts.length; i++) {
      const text = put(texts[i]);
      u32[(address >> 2) + i] = text;
    }
    return address;
  };
  const freeAll = (address, count) => {
    for (let i = 0; i < count; i++) free(u32[(address >> 2) + i]);
    free(address);
  };
  return {
    sum(numbers) {
      const { length } = numbers;
      const a = room(length * 8);
      f64.set(numbers, a >>> 3);
      const result = sum_f64(a, length);
      free(a);
      return result;
    },
    arrays(as, bs) {
      const { length } = as;
      const [a, b] = [room(length * 8), room(length * 8)];
      f64.set(as, a >>> 3);
      f64.set(bs, b >>> 3);
      const out = multiply(a, b, length) >>> 0;
      if (f64.length === 0) refresh();
      const result = list(out >>> 3, length);
      free(a);
      free(b);
      free(out);
      return result;
    },
    typedArrays(as, bs) {
      const { length } = as;
      const [a, b] = [room(length * 8), room(length * 8)];
      f64.set(as, a >>> 3);
      f64.set(bs, b >>> 3);
      const out = multiply(a, b, length) >>> 0;
      if (f64.length === 0) refresh();
      const result = f64.slice(out >>> 3, (out >>> 3) + length);
      free(a);
      free(b);
      free(out);
      return result;
    },
    /** The arguments are in the guest's memory; so is the result, which is freed when it has been looked at. */
    views(a, b, length) {
      const out = multiply(a, b, length) >>> 0;
      const result = new Float64Array(memory.buffer, out, length);
      free(out);
      return result;
    },
    stringIn(text) {
      const address = put(text);
      const result = string_bytes(address);
      free(address);
      return result;
    },
    string(text) {
      const address = put(text);
      const out = echo_string(address) >>> 0;
      if (f64.length === 0) refresh();
      const result = get(out);
      free(address);
      free(out);
      return result;
    },
    stringsIn(texts) {
      const address = putAll(texts);
      const result = strings_bytes(address, texts.length);
      freeAll(address, texts.length);
      return result;
    },
    strings(texts) {
      const { length } = texts;
      const address = putAll(texts);
      const out = reverse_all(address, length) >>> 0;
      if (f64.length === 0) refresh();
      const result = new Array(length);
      for (let i = 0; i < length; i++) result[i] = get(u32[(out >> 2) + i]);
      freeAll(address, length);
      freeAll(out, length);
      return result;
    },
    struct(p, dx, dy) {
      const at = scratch >> 3;
      if (f64.length === 0) refresh();
      i32[scratch >> 2] = p.id;
      f64[at + 1] = p.x;
      f64[at + 2] = p.y;
      move_point(scratch, dx, dy);
      p.id = i32[scratch >> 2];
      p.x = f64[at + 1];
      p.y = f64[at + 2];
    },
    newStruct(id, x, y) {
      const out = new_point(id, x, y) >>> 0;
      if (f64.length === 0) refresh();
      const result = { id: i32[out >> 2], x: f64[(out >> 3) + 1], y: f64[(out >> 3) + 2] };
      free(out);
      return result;
    },
    /** By address, and read where it is. */
    structView(address, dx, dy) {
      move_point(address, dx, dy);
      if (f64.length === 0) refresh();
      return f64[(address >> 3) + 1];
    },
    structs(ps, dx, dy) {
      const { length } = ps;
      if (f64.length === 0) refresh();
      for (let i = 0, at = scratch; i < length; i++, at += POINT) {
        const p = ps[i];
        i32[at >> 2] = p.id;
        f64[(at >> 3) + 1] = p.x;
        f64[(at >> 3) + 2] = p.y;
      }
      move_point(scratch, dx, dy);
      for (let i = 0, at = scratch; i < length; i++, at += POINT) {
        const p = ps[i];
        p.id = i32[at >> 2];
        p.x = f64[(at >> 3) + 1];
        p.y = f64[(at >> 3) + 2];
      }
    },
    out(n, value) {
      fill_f64(scratch, n, value);
      if (f64.length === 0) refresh();
      return f64[scratch >> 3];
    },
    /** One function pointer for all; it calls the function of the call that runs. */
    callback: ((table) => {
      let current;
      const type = { parameters: ['f64'], results: ['f64'] };
      const slot = table.grow(1, new WebAssembly.Function(type, (value) => current(value)));
      return (address, length, fn) => {
        const before = current;
        current = fn;
        map_f64(address, length, slot);
        current = before;
      };
    })(guest.__indirect_function_table),
    handle(id, x, y) {
      const address = new_point(id, x, y) >>> 0;
      free(address);
    },
  };
})();

// ---- Rows -----------------------------------------------------------------------------------------------------------

const rows = [];
/** An argument that is made for the rows that use it: collections of garbage would visit it in all others. */
class Lazy {
  #make;
  #value;
  constructor(make) { this.#make = make; }
  get value() { return this.#value ??= this.#make(); }
  drop() { this.#value = undefined; }
}
/**
 * A row: calls with these arguments, which both must answer alike. What is compared is the results, unless `answer`
 * says what else of a call's result and first argument.
 */
const row = (name, [marshalled, ...args], [byHand, ...itsArgs], answer = (result) => result) =>
  rows.push({ name, marshalled, args, byHand, itsArgs, answer });

row('i32, i32', [c.divide, 1000, 3], [guest.divide, 1000, 3]);
row('i8', [c.echo_i8, -100], [guest.echo_i8, -100]);
row('i64, 62 bits', [c.echo_i64, 2n ** 61n + 1n], [guest.echo_i64, 2n ** 61n + 1n]);
row('u64', [c.echo_u64, 2n ** 63n], [(value) => BigInt.asUintN(64, guest.echo_u64(value)), 2n ** 63n]);
row('f32', [c.echo_f32, 1.5], [guest.echo_f32, 1.5]);
row('f64', [c.echo_f64, 1.5], [guest.echo_f64, 1.5]);

for (const length of [4, 1_000, 1_000_000]) {
  const numbers = new Lazy(() => Array.from({ length }, (_, i) => i % 1000 + 0.5));
  const typed = new Lazy(() => Float64Array.from(numbers.value));
  const view = new Lazy(() => wasi.float64Array(typed.value));
  const address = new Lazy(() => addressOf(view.value));
  const type = `double[${length}]`;
  row(`${type}, array in`, [c.sum_f64, numbers, length], [glue.sum, numbers]);
  row(`${type}, array in and out`, [c.multiply, numbers, numbers, length], [glue.arrays, numbers, numbers]);
  row(`${type}, Float64Array in`, [c.sum_f64, typed, length], [glue.sum, typed]);
  row(`${type}, Float64Array in, view out`, [views.multiply, typed, typed, length], [glue.typedArrays, typed, typed]);
  row(`${type}, views in and out`, [views.multiply, view, view, length], [glue.views, address, address, length],
    (result) => result.length);
}

const alphabets = { ascii: 'the quick brown fox jumps over a dog. ', mixed: 'añ€ der schnelle Fuchs 😀 läßt — ' };
for (const [name, alphabet] of Object.entries(alphabets)) {
  for (const length of [11, 1_000, 100_000]) {
    const text = alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length).toWellFormed();
    row(`char *, ${name} ${length}, in`, [c.string_bytes, text], [glue.stringIn, text]);
    row(`char *, ${name} ${length}, in and out`, [c.echo_string, text], [glue.string, text]);
  }
}
for (const length of [4, 1_000]) {
  const texts = Array.from({ length }, (_, i) => `string ${i}`);
  row(`char *[${length}], in`, [c.strings_bytes, texts, length], [glue.stringsIn, texts]);
  row(`char *[${length}], in and out`, [c.reverse_all, texts, length], [glue.strings, texts]);
}

const corner = () => ({ id: 7, x: 1.5, y: 2.5 });
const argument = (_result, first) => first;
row('struct *, copied in and out', [c.move_point, corner(), 1, 1], [glue.struct, corner(), 1, 1], argument);
row('struct *, copied out', [c.new_point, 7, 1.5, 2.5], [glue.newStruct, 7, 1.5, 2.5]);
const viewed = views.new_point(7, 1.5, 2.5);
const moved = ((move) => (p, dx, dy) => { move(p, dx, dy); return p.x; })(views.move_point);
row('struct *, by view, a field read', [moved, viewed, 0, 0], [glue.structView, addressOf(viewed), 0, 0]);
const many = () => Array.from({ length: 1000 }, (_, i) => ({ id: i, x: i + 0.5, y: -i }));
row('struct[1000], copied in and out', [points.move_point, many(), 1, 1], [glue.structs, many(), 1, 1], argument);

const same = (x) => x;
const pointer = new Callback(wasi.memoryManager, c.types.function, same);
const type = { parameters: ['f64'], results: ['f64'] };
const index = guest.__indirect_function_table.grow(1, new WebAssembly.Function(type, same));
for (const length of [1, 1_000]) {
  const data = wasi.float64Array(Array.from({ length }, (_, i) => i));
  const address = addressOf(data);
  const name = `callback called ${length} times`;
  row(`${name}, a function`, [c.map_f64, data, length, same], [glue.callback, address, length, same]);
  row(`${name}, a Callback`, [c.map_f64, data, length, pointer], [guest.map_f64, address, length, index]);
}

row('out-parameter, double', [outs.fill_f64, 1, 1.5], [glue.out, 1, 1.5]);
const drop = ((make) => (...args) => { make(...args); })(handles.new_point);
const close = ((make) => (...args) => { make(...args).close(); })(handles.new_point);
row('handle, dropped', [drop, 7, 1.5, 2.5], [glue.handle, 7, 1.5, 2.5]);
row('handle, closed', [close, 7, 1.5, 2.5], [glue.handle, 7, 1.5, 2.5]);

// ---- Measuring ------------------------------------------------------------------------------------------------------

/** Runs `fn` with these arguments, `n` times. Parameters are the variables that QuickJS reads fastest. */
function repeat(fn, args) {
  const names = args.map((_, i) => `a${i}`).join(', ');
  const loop = new Function(`n, fn, ${names}`, `for (let i = 0; i < n; i++) fn(${names});`);
  return (n) => {
    const start = performance.now();
    loop(n, fn, ...args);
    return performance.now() - start;
  };
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const time = (ms) => {
  const [value, unit] = ms < 0.001 ? [ms * 1e6, 'ns'] : ms < 1 ? [ms * 1e3, 'µs'] : [ms, 'ms'];
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
};

const WIDTH = 48;
console.log(`${''.padEnd(WIDTH)}${'marshalled'.padStart(12)}${'by hand'.padStart(12)}${'ratio'.padStart(8)}`);
const ratios = [];
for (const { name, marshalled, byHand, answer, ...of } of rows) {
  if (!name.includes(process.argv[2] ?? '')) continue;
  const values = (list) => list.map((arg) => (arg instanceof Lazy ? arg.value : arg));
  const [args, itsArgs] = [values(of.args), values(of.itsArgs)];
  const snapshot = (result) => (ArrayBuffer.isView(result) ? Float64Array.from(result) : result);
  const ours = snapshot(answer(marshalled(...args), args[0]));
  const theirs = snapshot(answer(byHand(...itsArgs), itsArgs[0]));
  if (!isDeepStrictEqual(ours, theirs)) throw new Error(`${name}: ${inspect(ours)} is not ${inspect(theirs)}`);
  const sides = [repeat(marshalled, args), repeat(byHand, itsArgs)].map((run) => {
    let count = 1;
    while (run(count) < ROUND_MS / 4) count *= 2;
    return { run, count: Math.max(1, Math.ceil(count * ROUND_MS / Math.max(run(count), 0.001))), times: [] };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { run, count, times } of sides) times.push(run(count) / count);
  }
  const [mine, hand] = sides.map(({ times }) => median(times));
  ratios.push(mine / hand);
  for (const arg of [...of.args, ...of.itsArgs]) if (arg instanceof Lazy) arg.drop();
  const ratio = (mine / hand).toFixed(2);
  console.log(`${name.padEnd(WIDTH)}${time(mine).padStart(12)}${time(hand).padStart(12)}${ratio.padStart(8)}`);
}
const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
console.log(`${'geometric mean'.padEnd(WIDTH)}${mean.toFixed(2).padStart(32)}`);
