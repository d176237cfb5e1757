// Random guests with imports that suspend, that throw, that call back, that begin other calls and that collect, beside a
// model of them in JavaScript: whatever happens must happen in the model's order. A promising call is an async function
// there, and an import that suspends an `await`.
//
//     tombolo --expose-gc tests/js/stress/promise-integration.mjs [programs] [seed]
// Each program has a seed, an odd number; the first one's is chosen by the clock if it is not given. Of a single program it
// says what happened.
import { WasmBuilder, op, refNull } from '../wasm-builder.mjs';
import { seededRandom } from '../random.mjs';

const { Exception, Instance, JSTag, RuntimeError, SuspendError, Suspending, Tag, promising } = WebAssembly;
const FUNCTIONS = 6;
const MODULES = 2;
const tag = new Tag({ parameters: ['externref', 'i32'] });
const collect = () => globalThis.gc?.();

// Programs: a module is a list of functions, a function a list of steps, each of which may have a list of its own.

const BRANCHES = { try: 1, loop: 1 };
const STEPS = [
  'plain', 'plain', 'suspend', 'suspend', 'suspend', 'number', 'suspendNumber', 'call', 'call', 'indirect', 'foreign',
  'box', 'box', 'unbox', 'swap', 'litter', 'memory', 'grow', 'throw', 'trap', 'try', 'try', 'loop', 'note',
];

function makeBody(random, depth) {
  const steps = [];
  for (let count = 1 + random(5); count > 0; count--) {
    let kind = STEPS[random(STEPS.length)];
    if (depth === 0 && kind in BRANCHES) kind = 'note';
    if ((kind === 'throw' || kind === 'trap') && random(5) > 0) kind = 'box';
    const step = { kind, at: random(FUNCTIONS) };
    if (kind in BRANCHES) step.body = makeBody(random, depth - 1);
    steps.push(step);
    if (kind === 'throw' || kind === 'trap') break;
  }
  return steps;
}
const makeProgram = (random) => Array.from({ length: MODULES }, () => Array.from({ length: FUNCTIONS }, () => makeBody(random, 2)));

// Parameters and locals of each function: x and n, which it is called with, y, a number, a counter, and a list of boxes.
const [X, N, Y, NUMBER, COUNTER, BOXES] = [0, 1, 2, 3, 4, 5];

/** A module of such functions. */
function compile(functions, isFirst) {
  const b = new WasmBuilder();
  const reference = [['externref', 'i32'], ['externref']];
  const imports = {
    plain: b.importFunc('m', 'plain', ...reference),
    suspend: b.importFunc('m', 'suspend', ...reference),
    number: b.importFunc('m', 'number', ['i32'], ['i32']),
    suspendNumber: b.importFunc('m', 'suspendNumber', ['i32'], ['i32']),
    note: b.importFunc('m', 'note', ['externref', 'i32']),
  };
  const foreign = isFirst ? [] : functions.map((_, i) => b.importFunc('m', `f${i}`, ...reference));
  const [t, js] = [b.importTag('m', 'tag', ['externref', 'i32']), b.importTag('m', 'js', ['externref'])];
  const type = b.type(...reference);
  const caught = b.type([], ['externref', 'i32']);
  const box = b.structType(['externref', 'anyref']);
  const first = Object.keys(imports).length + foreign.length;
  b.table({ min: FUNCTIONS });
  b.memory({ min: 1, max: 100 });
  const callee = [op.localGet(X), op.localGet(N), op.i32(1), op.i32Sub];
  const ifDeep = (code) => [op.localGet(N), op.i32Eqz, op.if(), op.else, code, op.end];
  const emit = {
    plain: () => [op.localGet(X), op.localGet(N), op.call(imports.plain), op.localSet(Y)],
    suspend: () => [op.localGet(X), op.localGet(N), op.call(imports.suspend), op.localSet(Y)],
    number: () => [op.localGet(NUMBER), op.call(imports.number), op.localSet(NUMBER)],
    suspendNumber: () => [op.localGet(NUMBER), op.call(imports.suspendNumber), op.localSet(NUMBER)],
    note: () => [op.localGet(Y), op.localGet(NUMBER), op.call(imports.note)],
    call: ({ at }) => ifDeep([callee, op.call(first + at), op.localSet(Y)]),
    indirect: ({ at }) => ifDeep([callee, op.i32(at), op.callIndirect(type), op.localSet(Y)]),
    foreign: ({ at }) => (isFirst ? [] : ifDeep([callee, op.call(foreign[at]), op.localSet(Y)])),
    box: () => [op.localGet(Y), op.localGet(BOXES), op.structNew(box), op.localSet(BOXES)],
    unbox: () => [
      op.localGet(BOXES), op.refIsNull, op.if(), op.else,
      op.localGet(BOXES), op.structGet(box, 0), op.localSet(Y),
      op.localGet(BOXES), op.structGet(box, 1), [0xfb, 0x17, box], op.localSet(BOXES), op.end,
    ],
    swap: () => [op.localGet(X), op.localGet(Y), op.localSet(X), op.localSet(Y)],
    litter: () => [
      op.i32(100), op.localSet(COUNTER), op.loop(), op.localGet(X), op.localGet(BOXES), op.structNew(box), op.drop,
      op.localGet(COUNTER), op.i32(1), op.i32Sub, op.localTee(COUNTER), op.brIf(0), op.end,
    ],
    memory: ({ at }) => [
      op.i32(4 * at), op.i32(4 * at), op.load32(), op.i32(1), op.i32Add, op.store32(),
      op.localGet(NUMBER), op.i32(4 * at), op.load32(), op.i32Add, op.localSet(NUMBER),
    ],
    grow: () => [op.i32(1), op.memoryGrow(), op.drop],
    throw: () => [op.localGet(Y), op.localGet(NUMBER), op.throw(t)],
    trap: () => op.unreachable,
    // Twice, by x and y: whether n is odd.
    loop: ({ body }) => [body.map(step), body.map(step)],
    try: ({ body }) => [
      op.block(), op.block(), op.block('externref'), op.block(caught),
      op.tryTable('void', { tag: t, depth: 0 }, { tag: js, depth: 1 }, { depth: 2 }), body.map(step), op.end, op.br(3), op.end,
      op.localSet(NUMBER), op.localSet(Y), op.br(2), op.end,
      op.localSet(Y), op.br(1), op.end,
      op.refNull('externref'), op.localSet(Y), op.end,
    ],
  };
  const step = (it) => emit[it.kind](it);
  const locals = ['externref', 'i32', 'i32', refNull(box)];
  const indices = functions.map((body, i) => b.funcOf(type, [body.map(step), op.localGet(Y)], { export: `f${i}`, locals }));
  b.elem(0, 0, indices);
  return b.module();
}

/** A trap of the model. */
class Trap extends RuntimeError {}

/** The model of an instance: functions as generators, which yield where they would suspend. */
function model(functions, imports, foreign) {
  const memory = new Int32Array(FUNCTIONS);
  function* call(body, x, n) {
    const frame = { x, n, y: undefined, number: 0, boxes: null };
    frame.y = null;
    yield* steps(body, frame);
    return frame.y;
  }
  function* steps(body, frame) {
    for (const it of body) yield* step(it, frame);
  }
  function* step({ kind, at, body }, frame) {
    switch (kind) {
      case 'plain': frame.y = imports.plain(frame.x, frame.n); break;
      case 'suspend': frame.y = yield () => imports.suspend(frame.x, frame.n); break;
      case 'number': frame.number = imports.number(frame.number) | 0; break;
      case 'suspendNumber': frame.number = (yield () => imports.suspendNumber(frame.number)) | 0; break;
      case 'note': imports.note(frame.y, frame.number); break;
      case 'call': case 'indirect':
        if (frame.n !== 0) frame.y = yield* call(functions[at], frame.x, frame.n - 1);
        break;
      case 'foreign':
        if (foreign && frame.n !== 0) frame.y = yield* foreign.call(at, frame.x, frame.n - 1);
        break;
      case 'box': frame.boxes = [frame.y, frame.boxes]; break;
      case 'unbox': if (frame.boxes) [frame.y, frame.boxes] = frame.boxes; break;
      case 'swap': [frame.x, frame.y] = [frame.y, frame.x]; break;
      case 'memory': memory[at] += 1; frame.number = (frame.number + memory[at]) | 0; break;
      case 'throw': throw new Exception(tag, [frame.y, frame.number]);
      case 'trap': throw new Trap('unreachable');
      case 'loop': for (const _ of [0, 1]) yield* steps(body, frame); break;
      case 'try':
        try {
          yield* steps(body, frame);
        } catch (error) {
          if (error instanceof Trap) throw error;
          if (error instanceof Exception && error.is(tag)) {
            [frame.y, frame.number] = [error.getArg(tag, 0), error.getArg(tag, 1)];
          } else if (error instanceof Exception) frame.y = null;
          else frame.y = error;
        }
        break;
      default:
    }
  }
  const plainly = (at) => (x, n) => {
    const frames = call(functions[at], x, n);
    for (let next = frames.next(); ; next = frames.throw(new SuspendError('no'))) if (next.done) return next.value;
  };
  const promisingly = (at) => async (x, n) => {
    const frames = call(functions[at], x, n);
    for (let next = frames.next(); ;) {
      if (next.done) return next.value;
      let value;
      try {
        value = next.value();
        value = await value;
      } catch (error) {
        next = frames.throw(error);
        continue;
      }
      next = frames.next(value);
    }
  };
  return { call: (at, x, n) => call(functions[at], x, n), plainly, promisingly };
}

/** What a guest makes of a program's modules: how to call a function, with and without a promise. */
function real(modules, imports) {
  const shared = {
    ...imports, suspend: new Suspending(imports.suspend), suspendNumber: new Suspending(imports.suspendNumber), tag, js: JSTag,
  };
  const first = new Instance(modules[0], { m: shared });
  const second = new Instance(modules[1], { m: { ...shared, ...first.exports } });
  return [first, second].map(({ exports }) => ({
    plainly: (at) => exports[`f${at}`],
    promisingly: (at) => promising(exports[`f${at}`]),
  }));
}

/** Runs a program and says what happened. */
async function play(program, seed, make) {
  const random = seededRandom(seed);
  const log = [];
  const pending = [];
  let budget = 300;
  let objects = 0;
  const fresh = () => ({ id: ++objects });
  const name = (value) => {
    if (value instanceof Trap || value instanceof RuntimeError) return 'trap';
    if (value instanceof Error) return value.name;
    if (value instanceof Exception) return value.is(tag) ? `exception(${name(value.getArg(tag, 0))}, ${value.getArg(tag, 1)})` : 'exception';
    return value?.id === undefined ? String(value) : `#${value.id}`;
  };
  const note = (...what) => { log.push(what.map((part) => (typeof part === 'string' ? part : name(part))).join(' ')); };
  let guests;
  const pick = () => [guests[random(MODULES)], random(FUNCTIONS)];
  /** A trap of a call is not thrown on: what a guest makes of one differs from engine to engine. */
  const tame = (error) => (error instanceof RuntimeError ? fresh() : error);
  const begin = (x, n) => {
    const [guest, at] = pick();
    const promise = guest.promisingly(at)(x, n);
    const number = ++begin.count;
    promise.then((value) => note(`call ${number} is`, value), (error) => note(`call ${number} threw`, error));
    return promise;
  };
  begin.count = 0;
  const settle = () => {
    if (pending.length === 0) return;
    const [{ resolve, reject }] = pending.splice(random(pending.length), 1);
    const how = random(6);
    if (how === 0) reject(fresh());
    else if (how === 1) reject(new Exception(tag, [fresh(), random(100)]));
    else if (how === 2) resolve({ id: ++objects, then(f) { f({ id: ++objects }); } });
    else resolve(fresh());
  };
  const throws = (x, n) => { throw [x, fresh(), new Exception(tag, [x, n]), new Error('no'), null][random(5)]; };
  const imports = {
    note(y, number) { note('note', y, number); },
    number(x) {
      note('number', x);
      if (--budget > 0 && random(8) === 0) throws(null, x);
      return x + random(5);
    },
    suspendNumber(x) {
      note('suspends for a number', x);
      const value = random(1000);
      if (--budget > 0 && random(8) === 0) throws(null, x);
      if (random(6) === 0) return new Promise((_, reject) => { pending.push({ resolve: () => reject(fresh()), reject }); });
      return random(2) === 0 ? value : Promise.resolve({ valueOf() { note('converts'); return value; } });
    },
    plain(x, n) {
      note('plain', x, n);
      if (--budget <= 0) return x;
      switch (random(10)) {
        case 0: return fresh();
        case 1: throws(x, n); break;
        case 2: case 3: {
          const [guest, at] = pick();
          try {
            const value = guest.plainly(at)(x, Math.max(n - 1, 0));
            note('called, got', value);
            return value;
          } catch (error) {
            note('called, caught', error);
            if (random(2) === 0) throw tame(error);
          }
          return x;
        }
        case 4: case 5: case 8: begin(fresh(), Math.max(n - 1, 0)); return x;
        case 6: collect(); return x;
        case 7: settle(); return x;
        default: return x;
      }
    },
    suspend(x, n) {
      note('suspends', x, n);
      if (--budget <= 0) return x;
      switch (random(12)) {
        case 0: return fresh();
        case 1: throws(x, n); break;
        case 2: return Promise.resolve(fresh());
        case 3: return Promise.reject(x);
        case 4: return Promise.reject(new Exception(tag, [x, n]));
        case 5: return { id: ++objects, then(resolve, reject) { note('then'); (random(2) ? resolve : reject)(x); } };
        case 6: return begin(x, Math.max(n - 1, 0)).catch((error) => { throw tame(error); });
        case 7: collect(); return Promise.resolve(x);
        case 8: return new Promise(() => {});
        case 9: settle(); return x;
        default: return new Promise((resolve, reject) => { pending.push({ resolve, reject }); });
      }
    },
  };
  guests = make(program, imports);
  for (let i = 0; i < 20; i++) {
    if (random(4) > 0) { begin(fresh(), random(6)); continue; }
    const [guest, at] = pick();
    try { note('got', guest.plainly(at)(fresh(), random(4))); } catch (error) { note('caught', error); }
  }
  for (let idle = 0; idle < 20; idle++) {
    for (let i = random(10); i >= 0; i--) await 0;
    if (random(5) === 0) collect();
    if (pending.length > 0) idle = 0;
    settle();
  }
  return log;
}

const programs = Number(process.argv[2] ?? 10_000);
const first = Number(process.argv[3] ?? Date.now() % 2 ** 31) | 1;
// Rejections that nobody handles are a part of it.
process.on('unhandledRejection', () => {});
let events = 0;
for (let i = 0; i < programs; i++) {
  const seed = first + 2 * i;
  const program = makeProgram(seededRandom(seed));
  const modules = program.map((functions, m) => compile(functions, m === 0));
  const expected = await play(program, seed, (_, imports) => {
    const its = model(program[0], imports);
    return [its, model(program[1], imports, its)];
  });
  const actual = await play(program, seed, (_, imports) => real(modules, imports));
  if (programs === 1) console.log(actual.join('\n'));
  const at = expected.findIndex((line, l) => line !== actual[l]);
  if (at !== -1 || actual.length !== expected.length) {
    console.error(`FAILED (seed ${seed}), after ${at} of ${expected.length}: expected "${expected[at]}", got "${actual[at]}"`);
    process.exit(1);
  }
  events += actual.length;
}
console.log(`${programs} programs, ${events} events`);
console.log('ok');
