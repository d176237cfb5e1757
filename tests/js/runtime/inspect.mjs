// How objects of WebAssembly are shown.
import { inspect } from 'node:util';
import { test, assertEq } from '../harness.mjs';
import { emptyModule } from '../wasm-builder.mjs';

test('objects of the namespace are shown by their full names', () => {
  const module = new WebAssembly.Module(emptyModule());
  const objects = {
    'WebAssembly.Module {}': module,
    'WebAssembly.Instance {}': new WebAssembly.Instance(module),
    'WebAssembly.Memory {}': new WebAssembly.Memory({ initial: 1 }),
    'WebAssembly.Table {}': new WebAssembly.Table({ initial: 1, element: 'anyfunc' }),
    'WebAssembly.Global {}': new WebAssembly.Global({ value: 'i32' }, 1),
  };
  for (const [text, object] of Object.entries(objects)) assertEq(inspect(object), text);
  assertEq(inspect(Object.assign(objects['WebAssembly.Memory {}'], { x: 1 })), 'WebAssembly.Memory { x: 1 }');
  class Mine extends WebAssembly.Memory {}
  assertEq(inspect(new Mine({ initial: 1 })), 'Mine [WebAssembly.Memory] {}');
});

test('the tag alone stands where it ends with the name of the class', () => {
  const tagged = (name, tag) => new ({ [name]: class { get [Symbol.toStringTag]() { return tag; } } })[name]();
  const cases = { 'A.Foo': 'A.Foo {}', 'A.B.Foo': 'A.B.Foo {}', 'Foo.A': 'Foo [Foo.A] {}', AFoo: 'Foo [AFoo] {}', '.Foo': 'Foo [.Foo] {}' };
  for (const [tag, text] of Object.entries(cases)) assertEq(inspect(tagged('Foo', tag)), text);
});
