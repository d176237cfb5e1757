// What the benchmarks of script.rs run: functions of a count, each of which does its thing that many times. What a loop
// uses is kept in local variables, which QuickJS reads faster than a module's.
import { readFileSync } from 'node:fs';
import {
  ArrayType, Float64Type, FunctionPrototype, In, Int32Type, StringType, TypedArrayType, Wasi,
} from 'tombolo:marshal';
import { WasmBuilder, op } from '../../../tests/js/wasm-builder.mjs';
import { addCalls } from './calls.mjs';

const moduleOf = (name) =>
  new WebAssembly.Module(readFileSync(new URL(`../../../guests/${name}.wasm`, import.meta.url)));

const wasi = new Wasi({});
const instance = new WebAssembly.Instance(moduleOf('demo'), { wasi_snapshot_preview1: wasi.imports() });
wasi.init(instance);
const demo = instance.exports;
demo._initialize();

const rows = {};

// ---- Bare calls -----------------------------------------------------------------------------------------------------

const builder = new WasmBuilder();
builder.func(['f64', 'f64', 'f64', 'f64'], ['f64'], [op.localGet(3)], { export: 'last' });
const { last } = builder.instance().exports;

rows['call/empty loop'] = (n) => {
  for (let i = 0; i < n; i++);
};
rows['call/i32 x 2'] = (n) => {
  const { divide } = demo;
  for (let i = 0; i < n; i++) divide(i, 3);
};
rows['call/f64 x 4'] = (n) => {
  const call = last;
  for (let i = 0; i < n; i++) call(1.5, 2.5, 3.5, i);
};
rows['call/i64, small'] = (n) => {
  const echo = demo.echo_i64;
  const value = 12n;
  for (let i = 0; i < n; i++) echo(value);
};
rows['call/i64, 62 bits'] = (n) => {
  const echo = demo.echo_i64;
  const value = 2n ** 61n + 1n;
  for (let i = 0; i < n; i++) echo(value);
};
const callbacks = new WebAssembly.Instance(moduleOf('callback'), { host: { callback: (x) => x } }).exports;
rows['call/import'] = (n) => {
  for (let left = n; left > 0; left -= 1_000_000) callbacks.sum_of_callbacks(Math.min(left, 1_000_000));
};

// ---- Marshalled calls -----------------------------------------------------------------------------------------------

/** Makes a row: `multiply` of two arrays of the type, which `make` makes. */
const multiply = (Type, make) => (length) => {
  const input = () => new In(new Type(new Float64Type()));
  const output = new Type(new Float64Type(), length);
  const prototype = new FunctionPrototype([input(), input(), new In(new Int32Type())], output);
  const numbers = make(Array.from({ length }, (_, i) => i + 0.5));
  const manager = wasi.memoryManager;
  const fn = demo.multiply;
  return (n) => {
    for (let i = 0; i < n; i++) prototype.invoke(manager, fn, numbers, numbers, length);
  };
};
const makers = {
  'copy, arrays': multiply(ArrayType, (numbers) => numbers),
  'copy, typed arrays': multiply(TypedArrayType, (numbers) => Float64Array.from(numbers)),
  view: multiply(TypedArrayType, (numbers) => wasi.float64Array(numbers)),
};
// Only the arguments of the row that runs are there: garbage collections of the others would visit a million numbers.
let current;
for (const [name, make] of Object.entries(makers)) {
  for (const length of [4, 1_000, 1_000_000]) {
    const row = `multiply/${name}/${length}`;
    rows[row] = (n) => {
      if (current?.row !== row) current = { row, run: make(length) };
      current.run(n);
    };
  }
}

// ---- Strings --------------------------------------------------------------------------------------------------------

const echo = new FunctionPrototype([new In(new StringType())], new StringType());
const alphabets = { ascii: 'the quick brown fox jumps over a dog. ', mixed: 'añ€ der schnelle Fuchs 😀 läßt — ' };
for (const [name, alphabet] of Object.entries(alphabets)) {
  for (const length of [11, 1_000, 100_000]) {
    const text = alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length).toWellFormed();
    rows[`string/${name}/${length}`] = (n) => {
      const manager = wasi.memoryManager;
      const fn = demo.echo_string;
      for (let i = 0; i < n; i++) echo.invoke(manager, fn, text);
    };
  }
}

// ---- Lives ----------------------------------------------------------------------------------------------------------

rows['life/view of 4 doubles'] = (n) => {
  for (let i = 0; i < n; i++) wasi.float64Array(4);
};
const growth = moduleOf('growth');
rows['life/instance'] = (n) => {
  const imports = { host: { look() {} } };
  for (let i = 0; i < n; i++) new WebAssembly.Instance(growth, imports);
};
rows['life/page and view'] = (n) => {
  let memory = new WebAssembly.Memory({ initial: 1 });
  for (let i = 0; i < n; i++) {
    if (i % 1_000 === 999) memory = new WebAssembly.Memory({ initial: 1 });
    memory.grow(1);
    new Uint8Array(memory.buffer);
  }
};

addCalls(rows);

globalThis.rows = rows;
