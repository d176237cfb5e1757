// The shape of the namespace and its interfaces, as Web IDL derives it from the definitions.
import { assert, assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { emptyModule } from '../wasm-builder.mjs';

const interfaces = ['Module', 'Instance', 'Memory', 'Table', 'Global'];
const errors = ['CompileError', 'LinkError', 'RuntimeError'];

test('the namespace is a hidden, replaceable property of the global object', () => {
  assertEq(assertProperty(globalThis, 'WebAssembly', 'wc').value, WebAssembly);
});

test('the namespace is an ordinary object with a tag, neither callable nor constructible', () => {
  assertEq(typeof WebAssembly, 'object');
  assertEq(Object.getPrototypeOf(WebAssembly), Object.prototype);
  assert(Object.isExtensible(WebAssembly));
  assertEq(assertProperty(WebAssembly, Symbol.toStringTag, 'c').value, 'WebAssembly');
  assertEq(String(WebAssembly), '[object WebAssembly]');
  assertThrows(TypeError, () => WebAssembly());
  assertThrows(TypeError, () => new WebAssembly());
});

for (const [operation, length] of [['validate', 1], ['compile', 1], ['instantiate', 1]]) {
  test(`WebAssembly.${operation} is an operation`, () => {
    const fn = assertProperty(WebAssembly, operation, 'wec').value;
    assertProperty(fn, 'length', 'c');
    assertProperty(fn, 'name', 'c');
    assertEq(fn.length, length);
    assertEq(fn.name, operation);
    assertEq('prototype' in fn, false);
    assertThrows(TypeError, () => new fn(emptyModule()));
  });
}

for (const name of interfaces) {
  test(`WebAssembly.${name} is an interface object`, () => {
    const Interface = assertProperty(WebAssembly, name, 'wc').value;
    assertEq(typeof Interface, 'function');
    assertEq(Interface.name, name);
    assertEq(Interface.length, 1);
    assertProperty(Interface, 'name', 'c');
    assertProperty(Interface, 'length', 'c');
    const prototype = assertProperty(Interface, 'prototype', '').value;
    assertEq(assertProperty(prototype, 'constructor', 'wc').value, Interface);
    assertEq(assertProperty(prototype, Symbol.toStringTag, 'c').value, `WebAssembly.${name}`);
    assertEq(Object.prototype.toString.call(prototype), `[object WebAssembly.${name}]`);
  });

  test(`WebAssembly.${name} needs new, before it looks at its arguments`, () => {
    const untouchable = { get initial() { throw new Error('read'); }, get element() { throw new Error('read'); } };
    assertThrows(TypeError, () => WebAssembly[name](untouchable));
    assertThrows(TypeError, () => WebAssembly[name].call({}, untouchable));
    assertThrows(TypeError, () => WebAssembly[name].call(Object.create(WebAssembly[name].prototype), untouchable));
  });

  test(`WebAssembly.${name} wants its first argument`, () => {
    assertThrows(TypeError, () => new WebAssembly[name]());
  });
}

const operations = [
  ['Memory', 'grow', 1], ['Table', 'grow', 1], ['Table', 'get', 1], ['Table', 'set', 1], ['Global', 'valueOf', 0],
];
for (const [owner, name, length] of operations) {
  test(`${owner}.prototype.${name} is an operation of the prototype`, () => {
    const fn = assertProperty(WebAssembly[owner].prototype, name, 'wec').value;
    assertEq(fn.name, name);
    assertEq(fn.length, length);
    assertEq('prototype' in fn, false);
    assertThrows(TypeError, () => Reflect.construct(Object, [], fn));
  });
}

for (const [name, length] of [['exports', 1], ['imports', 1], ['customSections', 2]]) {
  test(`Module.${name} is a static operation`, () => {
    const fn = assertProperty(WebAssembly.Module, name, 'wec').value;
    assertEq(fn.name, name);
    assertEq(fn.length, length);
    assertThrows(TypeError, () => fn());
  });
}

const attributes = [
  ['Instance', 'exports', false], ['Memory', 'buffer', false], ['Table', 'length', false], ['Global', 'value', true],
];
for (const [owner, name, writable] of attributes) {
  test(`${owner}.prototype.${name} is an attribute`, () => {
    const { get, set } = assertProperty(WebAssembly[owner].prototype, name, 'ec');
    assertEq(get.name, `get ${name}`);
    assertEq(get.length, 0);
    if (!writable) return assertEq(set, undefined);
    assertEq(set.name, `set ${name}`);
    assertEq(set.length, 1);
  });
}

const instances = () => ({
  Module: new WebAssembly.Module(emptyModule()),
  Instance: new WebAssembly.Instance(new WebAssembly.Module(emptyModule())),
  Memory: new WebAssembly.Memory({ initial: 0 }),
  Table: new WebAssembly.Table({ element: 'anyfunc', initial: 1 }),
  Global: new WebAssembly.Global({ value: 'i32', mutable: true }),
});

for (const [owner, name] of [...operations, ...attributes]) {
  test(`${owner}.prototype.${name} accepts only a ${owner}`, () => {
    const { get, set, value } = Object.getOwnPropertyDescriptor(WebAssembly[owner].prototype, name);
    const strangers = [undefined, null, 0, '', {}, [], Object.create(WebAssembly[owner].prototype),
      WebAssembly[owner], WebAssembly[owner].prototype];
    for (const [kind, object] of Object.entries(instances())) if (kind !== owner) strangers.push(object);
    for (const member of [get, set, value]) {
      if (member === undefined) continue;
      for (const stranger of strangers) assertThrows(TypeError, () => member.call(stranger, 0));
    }
  });
}

test('a brand check comes before the conversion of arguments', () => {
  const untouchable = { valueOf() { throw new Error('converted'); } };
  assertThrows(TypeError, () => WebAssembly.Memory.prototype.grow.call({}, untouchable));
  assertThrows(TypeError, () => WebAssembly.Table.prototype.get.call({}, untouchable));
  assertThrows(TypeError, () => WebAssembly.Table.prototype.set.call({}, untouchable));
  assertThrows(TypeError, () => WebAssembly.Table.prototype.grow.call({}, untouchable));
});

// A Module inherits from AbstractModuleSource, after the proposal for source phase imports.
for (const name of interfaces.filter((name) => name !== 'Module')) {
  test(`WebAssembly.${name} inherits from nothing`, () => {
    assertEq(Object.getPrototypeOf(WebAssembly[name]), Function.prototype);
    assertEq(Object.getPrototypeOf(WebAssembly[name].prototype), Object.prototype);
  });
}

test('operations want their required arguments', () => {
  const { Memory, Table } = instances();
  assertThrows(TypeError, () => Memory.grow());
  assertThrows(TypeError, () => Table.grow());
  assertThrows(TypeError, () => Table.get());
  assertThrows(TypeError, () => Table.set());
  assertThrows(TypeError, () => WebAssembly.Module.customSections(new WebAssembly.Module(emptyModule())));
});

test('static operations accept only a Module', () => {
  for (const name of ['exports', 'imports', 'customSections']) {
    for (const stranger of [undefined, null, {}, 0, emptyModule(), WebAssembly.Module, WebAssembly.Module.prototype]) {
      assertThrows(TypeError, () => WebAssembly.Module[name](stranger, 'x'));
    }
  }
});

test('objects have no own properties, and take some', () => {
  for (const object of Object.values(instances())) {
    assertList(Reflect.ownKeys(object), []);
    object.mine = 1;
    assertEq(object.mine, 1);
  }
});

test('a readonly attribute refuses an assignment in strict code', () => {
  const { Instance, Memory, Table } = instances();
  assertThrows(TypeError, () => { Memory.buffer = 1; });
  assertThrows(TypeError, () => { Table.length = 1; });
  assertThrows(TypeError, () => { Instance.exports = 1; });
});

test('subclasses get their prototype from new.target', () => {
  class Mine extends WebAssembly.Memory { pages() { return this.buffer.byteLength / 65536; } }
  const memory = new Mine({ initial: 2 });
  assert(memory instanceof Mine && memory instanceof WebAssembly.Memory);
  assertEq(memory.pages(), 2);
  class Counter extends WebAssembly.Global { constructor() { super({ value: 'i32', mutable: true }, 5); } }
  assertEq(new Counter().value, 5);
  const Other = function () {};
  assertEq(Object.getPrototypeOf(Reflect.construct(WebAssembly.Module, [emptyModule()], Other)), Other.prototype);
});

// What each constructor is given, spied on: conversions of arguments go to the log.
const spied = (log) => {
  const member = (object, name, value) => Object.defineProperty(object, name, { get() { log.push(name); return value; } });
  return {
    Module: [emptyModule()],
    Instance: [new WebAssembly.Module(emptyModule())],
    Memory: [member({}, 'initial', 1)],
    Table: [member({ element: 'anyfunc' }, 'initial', 1)],
    Global: [member({}, 'value', 'i32'), { valueOf() { log.push('the value itself'); return 1; } }],
  };
};
for (const name of interfaces) {
  test(`WebAssembly.${name} asks new.target for a prototype once, when the arguments are converted`, () => {
    const log = [];
    const target = new Proxy(function () {}, { get(_, key) { log.push(key); return key === 'prototype' ? Map.prototype : 0; } });
    const arguments_ = spied(log)[name];
    assertEq(Object.getPrototypeOf(Reflect.construct(WebAssembly[name], arguments_, target)), Map.prototype);
    const before = { Memory: ['initial'], Table: ['initial'], Global: ['value'] }[name] ?? [];
    assertList(log, [...before, 'prototype', ...(name === 'Global' ? ['the value itself'] : [])]);
  }, { v8: name in { Memory: 1, Table: 1, Global: 1 } ? 'asks before it converts' : undefined });

  test(`WebAssembly.${name}: a new.target without a prototype object has the interface's`, () => {
    for (const prototype of [undefined, null, 1, 'text']) {
      const target = Object.assign(function () {}, { prototype });
      const made = Reflect.construct(WebAssembly[name], spied([])[name], target);
      assertEq(Object.getPrototypeOf(made), WebAssembly[name].prototype);
    }
  }, { v8: 'makes an object of no interface' });

  test(`WebAssembly.${name}: what the getter of prototype throws comes through`, () => {
    const reason = {};
    const target = Object.defineProperty(function () {}.bind(), 'prototype', { get() { throw reason; } });
    assertThrowsValue(reason, () => Reflect.construct(WebAssembly[name], spied([])[name], target));
  });
}

test('an unfit argument is found before new.target is asked for anything', () => {
  const target = new Proxy(function () {}, { get() { throw new Error('asked'); } });
  for (const name of interfaces) {
    for (const value of [undefined, 1, 'text', {}]) {
      assertThrows(TypeError, () => Reflect.construct(WebAssembly[name], [value], target));
    }
  }
  assertThrows(TypeError, () => Reflect.construct(WebAssembly.Instance, [new WebAssembly.Module(emptyModule()), null], target));
}, { v8: 'asks before it converts' });

for (const name of errors) {
  test(`WebAssembly.${name} has the structure of a native error`, () => {
    const Class = assertProperty(WebAssembly, name, 'wc').value;
    assertEq(Class.name, name);
    assertEq(Class.length, 1);
    assertEq(Object.getPrototypeOf(Class), Error);
    const prototype = assertProperty(Class, 'prototype', '').value;
    assertEq(Object.getPrototypeOf(prototype), Error.prototype);
    assertEq(assertProperty(prototype, 'constructor', 'wc').value, Class);
    assertEq(assertProperty(prototype, 'name', 'wc').value, name);
    assertEq(assertProperty(prototype, 'message', 'wc').value, '');
    assertEq(Symbol.toStringTag in prototype, false);
    assertEq(Object.prototype.toString.call(new Class()), '[object Error]');
  });

  test(`WebAssembly.${name} makes errors, with new and without`, () => {
    const Class = WebAssembly[name];
    for (const error of [new Class('why'), Class('why')]) {
      assert(error instanceof Class && error instanceof Error);
      assertEq(assertProperty(error, 'message', 'wc').value, 'why');
      assertEq(String(error), `${name}: why`);
      assertEq('name' in error && !Object.hasOwn(error, 'name'), true);
    }
    assertEq(Object.hasOwn(new Class(), 'message'), false);
    assertEq(new Class(undefined, { cause: 7 }).cause, 7);
    assertEq(Object.hasOwn(new Class('x', {}), 'cause'), false);
  });
}

test('the three error classes are unrelated to each other', () => {
  for (const a of errors) for (const b of errors) {
    if (a !== b) assertEq(new WebAssembly[a]() instanceof WebAssembly[b], false);
  }
});
