// What the tests of agents share.
import { assert, assertEq, awaited, fail, show, thrown } from '../harness.mjs';

/** `fn` throws a DOMException of this name (and legacy code). */
export function assertDOMException(name, code, fn, why) {
  const error = thrown(fn, 'a DOMException', why);
  if (!(error instanceof DOMException)) fail(`${why ?? ''} expected a DOMException, got ${show(error)}`);
  assertEq(error.name, name, why);
  assertEq(error.code, code, why);
  return error;
}

export const assertDataCloneError = (fn, why) => assertDOMException('DataCloneError', 25, fn, why);

/** `fn` throws a TypeError, or one of a subclass (Node has some for its codes). */
export function assertTypeError(fn) {
  const error = thrown(fn, 'TypeError');
  if (!(error instanceof TypeError)) fail(`expected TypeError, got ${show(error)}`);
  return error;
}

/** The URL of a script in `workers/`. */
export const script = (name) => new URL(`./workers/${name}`, import.meta.url);

/** The promise, or a failure where it has not been settled for so long that it never will be. */
export function within(promise, what = 'it', seconds = 30) {
  let timer;
  const wait = { what };
  awaited.add(wait);
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not happened`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => {
    clearTimeout(timer);
    awaited.delete(wait);
  });
}

/** The next such event of an EventTarget: the event. */
export const nextEvent = (target, type, seconds) => within(new Promise((resolve) => {
  target.addEventListener(type, resolve, { once: true });
}), `event ${type}`, seconds);

/** The next such event of an EventEmitter: its first argument. */
export const nextOn = (emitter, type) => within(new Promise((resolve) => { emitter.once(type, resolve); }), `event ${type}`);

/** The next `count` messages of a MessagePort or Worker (of Node's kind), their values. */
export function messages(port, count) {
  return within(new Promise((resolve) => {
    const got = [];
    const note = (value) => {
      if (got.push(value) < count) return;
      port.off('message', note);
      resolve(got);
    };
    port.on('message', note);
  }), `message ${count}`);
}

/** A macrotask later, in which whatever is ready has been delivered. */
export const turn = () => new Promise((resolve) => { setTimeout(resolve, 0); });
/** Several of them, where nothing is meant to happen. */
export async function turns(count = 5) { for (let i = 0; i < count; i += 1) await turn(); }

/**
 * How a test waits on a worker (of node:worker_threads): the error and the code it ends with. To be called before the
 * worker has ended.
 */
export function ended(worker) {
  return within(new Promise((resolve) => {
    let error;
    worker.once('error', (value) => { error = { value }; });
    worker.once('exit', (code) => resolve({ code, error: error?.value, failed: error !== undefined }));
  }), 'the end of a worker');
}

/** A worker that ends with 0 and without an error. */
export async function assertEndsWell(worker) {
  const { code, error, failed } = await ended(worker);
  assert(!failed, `a worker failed with ${show(error)}`);
  assertEq(code, 0, 'exit code');
}
