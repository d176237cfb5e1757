// `Error.captureStackTrace`, what `Error.prepareStackTrace` is given, and the stacks of errors of other contexts.
import vm from 'node:vm';
import { test, assert, assertEq } from '../harness.mjs';

const firstLine = (text) => text.split('\n')[0];

/** The call sites of whoever calls this. */
function callSites(above) {
  const before = Error.prepareStackTrace;
  const holder = {};
  Error.prepareStackTrace = (_, sites) => sites;
  try {
    Error.captureStackTrace(holder, above);
    return holder.stack;
  } finally {
    Error.prepareStackTrace = before;
  }
}

test('a captured stack begins with the name and the message', () => {
  const plain = {};
  Error.captureStackTrace(plain);
  assertEq(firstLine(plain.stack), 'Error');
  const named = { name: 'Odd', message: 'thing' };
  Error.captureStackTrace(named);
  assertEq(firstLine(named.stack), 'Odd: thing');
  class Failure extends Error {
    constructor(message) {
      super(message);
      this.name = 'Failure';
      Error.captureStackTrace(this, Failure);
    }
  }
  const { stack } = new Failure('no');
  assertEq(firstLine(stack), 'Failure: no');
  assert(!stack.includes('at Failure'), stack);
  const { enumerable, configurable } = Object.getOwnPropertyDescriptor(plain, 'stack');
  assertEq(enumerable, false);
  assertEq(configurable, true);
  assertEq(Error.captureStackTrace.name, 'captureStackTrace');
});

test('the first frame of a captured stack is whoever captures it', () => {
  const holder = {};
  (function capturing() { Error.captureStackTrace(holder); })();
  assert(holder.stack.split('\n')[1].includes('at capturing'), holder.stack);
});

test('what prepareStackTrace returns is the stack', () => {
  const before = Error.prepareStackTrace;
  const holder = {};
  Error.prepareStackTrace = (error) => (error === holder ? '    at will' : 'else');
  try {
    Error.captureStackTrace(holder);
    assertEq(holder.stack, '    at will');
  } finally {
    Error.prepareStackTrace = before;
  }
});

test('call sites have the methods of V8', () => {
  function here() {
    return callSites(callSites);
  }
  const [site, outer] = here();
  assertEq(site.getFunctionName(), 'here');
  assert(site.getFileName().endsWith('error-stacks.mjs'), site.getFileName());
  assertEq(site.getScriptNameOrSourceURL(), site.getFileName());
  assertEq(String(site), `here (${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()})`);
  assertEq(site.isEval(), false);
  assertEq(site.isNative(), false);
  assertEq(site.isConstructor(), false);
  assertEq(site.isAsync(), false);
  assertEq(site.isPromiseAll(), false);
  assertEq(site.getThis(), undefined);
  assertEq(site.getEvalOrigin(), undefined);
  assertEq(site.getMethodName(), null);
  assertEq(site.getPromiseIndex(), null);
  assert(outer !== undefined);
  class Made {
    constructor() {
      this.site = callSites(callSites)[0];
    }
  }
  const made = new Made().site;
  assertEq(made.isConstructor(), true);
  assert(String(made).startsWith('new Made ('), String(made));
});

test('errors of a context have stacks with a first line', () => {
  const context = vm.createContext({});
  let thrown;
  try {
    vm.runInContext('missing', context);
  } catch (error) {
    thrown = error;
  }
  assertEq(firstLine(new vm.Script('new TypeError("x").stack').runInContext(context)), 'TypeError: x');
  assert(thrown.stack.includes('ReferenceError: missing is not defined'), thrown.stack);
  assertEq(vm.runInContext('const holder = {}; Error.captureStackTrace(holder); holder.stack', context).split('\n')[0],
    'Error');
});

test('contexts have WebAssembly', () => {
  const bytes = '[0, 97, 115, 109, 1, 0, 0, 0]';
  const sandbox = {};
  const text = `new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(${bytes}))) instanceof WebAssembly.Instance`;
  assertEq(vm.runInNewContext(text, sandbox), true);
  assertEq(Object.keys(sandbox).length, 0);
  assertEq('WebAssembly' in sandbox, false);
});
