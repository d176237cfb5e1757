// Every export of tombolo:marshal, used as it is meant and as it is not.
import {
  AddressType, ArgumentDef, ArrayType, BoolType, Callback, CallbackType, EnumType, Float32Type, Float64Type,
  FunctionPrototype, FunctionRegistry, HandleType, In, InOut, InlineArrayType, InlineStringType, Int16Type, Int32Type,
  Int64Type, Int8Type, Marshaller, MemoryManager, Out, Pointer, PointerType, ReferenceType, Result, SignedSizeType,
  SizeType, StatusError, StatusType, StringBuffer, StringBufferType, StringType, StructPointerType, StructType,
  StructViewType, Type, TypedArrayType, Uint16Type, Uint32Type, Uint64Type, Uint8Type, UnionType, ValueType,
  VoidPointerType, VoidType, Wasi, addressOf, borrowed, cdef, consumed, exact, header, nonNull, opaque, owned, typings,
} from 'tombolo:marshal';
import type {
  Allocator, AssemblyScriptAllocator, CdefOptions, Encoding, Fields, Handle, HeaderOptions, Integer64, Length, Library,
  ManagerOptions, MangleOptions, RecordOptions, Skipped, StatusOptions, StructArray, TypedArray, TypedArrayConstructor, View,
} from 'tombolo:marshal';
import type { Equal, Expect } from './expect';

declare const instance: WebAssembly.Instance;
declare const manager: MemoryManager;
declare const func: (...args: number[]) => number;

// ---- Scalars --------------------------------------------------------------------------------------------------------

const numbers: ValueType<number>[] = [
  new Int8Type(), new Uint8Type(), new Int16Type(), new Uint16Type(), new Int32Type(), new Uint32Type(),
  new Float32Type(), new Float64Type(),
];
const bigints: ValueType<bigint>[] = [new Int64Type(), new Uint64Type()];
const sizes: ValueType<Integer64>[] = [new SizeType(), new SignedSizeType()];
const truth: Type<boolean> = new BoolType();
const colour = new EnumType({ red: 0, green: 1 }, new Uint8Type());
const members: Readonly<Record<string, number>> = colour.members;
const nothing: Type<undefined> = new VoidType();
const mangled: 'i32' = Int32Type.MANGLED_NAME;
const [bytes, alignment, name]: [number, number, string] =
  [new Int16Type().size, new Int16Type().alignment, new Int16Type().mangledName];
const constructor: TypedArrayConstructor = new Uint32Type().TypedArrayType;
// @ts-expect-error: 64 bits are BigInts
const narrow: ValueType<number> = new Int64Type();
// @ts-expect-error: an enum has members
new EnumType();
// @ts-expect-error: members are numbers
new EnumType({ red: 'r' });
// @ts-expect-error: only kinds of types can be made
new Type();
// @ts-expect-error
new ValueType();
// @ts-expect-error
new ReferenceType();

// ---- References -----------------------------------------------------------------------------------------------------

const lengths: Length[] = [3, (_index, args) => args[2], { argument: 1 }, { field: 'n' }, { until: null }, { until: -1n }];
const encodings: Encoding[] = ['utf-8', 'utf-16', 'latin1'];
const references: ReferenceType[] = [
  new StringType(), new StringType('utf-16', { until: 0 }), new StringBufferType(), new ArrayType(new Float64Type(), 3),
  new TypedArrayType(new Float64Type(), { argument: 2 }), new PointerType(new Int32Type()), new AddressType(),
  new VoidPointerType(), ...lengths.map((length) => new ArrayType(new Int32Type(), length)),
];
const strings: ArrayType<string> = new ArrayType(new StringType());
const matrix: ArrayType<number[]> = new ArrayType(new ArrayType(new Float64Type(), 3), 3);
const element: Type<string> = strings.type;
const length: Length | null = strings.length;
const contents: number = new Pointer(7).contents;
const address: Type<Pointer<number>> = new AddressType();
// @ts-expect-error: an encoding that no guest has
new StringType('utf-32');
// @ts-expect-error: an array of something
new ArrayType();
// @ts-expect-error: the type, not a value of it
new ArrayType(3);
// @ts-expect-error: strings are not numbers
const numeric: ArrayType<number> = strings;
// @ts-expect-error: no way to tell a length
new ArrayType(new Int32Type(), { result: true });
// @ts-expect-error: by position, not by name
new TypedArrayType(new Int32Type(), { argument: 'n' });
// @ts-expect-error: a pointer to something
new PointerType();
// @ts-expect-error: a Pointer has contents
new Pointer();

// ---- Structs --------------------------------------------------------------------------------------------------------

interface Point { id: number; x: number; y: number }
const fields: Fields = { id: new Int32Type(), x: new Float64Type(), y: new Float64Type() };
const ordered: Fields = [['id', new Int32Type()], ['name', new InlineStringType(16)]];
const triple: InlineArrayType<number> = new InlineArrayType(new Float64Type(), 3);
const node = new StructType(undefined, { name: 'node' });
node.define([['next', new StructPointerType(node)], ['at', triple]]);
const options: RecordOptions = { name: 'point', pack: 1 };
const point = new StructType<Point>(fields, options);
const offset: number | undefined = point.offsets['x'];
const made: Point & Disposable = point.create(manager, { x: 1 });
const there: Point = point.at(manager, 1024n);
const either = new UnionType<{ i: number; f: number }>({ i: new Int32Type(), f: new Float32Type() });
const float: number = either.create(manager, { f: 1.5 }).f + either.at(manager, 8).f;
const byCopy: Type<Point> = new StructPointerType(point);
const byView: Type<Point & Disposable> = new StructViewType(point);
const inferred = new StructType({ n: new Int32Type(), label: new StringType() }).create(manager, { n: 1 });
const [count, word]: [number, string] = [inferred.n, inferred.label];
// @ts-expect-error: fields keep their types
const notText: string = inferred.n;
function sumOf(points: StructArray<Point>): number {
  using all = points;
  all.set(0, { id: 1, x: 2, y: 3 });
  return [...all].reduce((sum, { x }) => sum + x, all.at(0).y * all.length);
}
// @ts-expect-error: fields have types
new StructType({ x: 'double' });
// @ts-expect-error: a struct has fields
new StructType(options);
// @ts-expect-error: alignment is a number of bytes
new StructType(fields, { pack: true });
// @ts-expect-error: a member that the struct has not got
point.create(manager, { z: 1 });
// @ts-expect-error: in whose heap?
point.create({ x: 1 });
// @ts-expect-error: a pointer to a struct
new StructPointerType(new Int32Type());
// @ts-expect-error
new StructViewType(new StringType());
// @ts-expect-error: an inline array has a length
new InlineArrayType(new Int32Type());

// ---- Callbacks, handles, states -------------------------------------------------------------------------------------

const compare = new CallbackType([new In(new Int32Type()), new In(new Int32Type())], new Int32Type());
using ascending = new Callback(manager, compare, (a: number, b: number) => a - b);
const index: number = ascending.keep().address;
// @ts-expect-error: arguments say which way they go
new CallbackType([new Int32Type()]);
// @ts-expect-error: a callback calls something
new Callback(manager, compare);
// @ts-expect-error: its address is the table's to give
ascending.address = 3;

const database: HandleType = opaque(func, 'database');
const lent: HandleType = new HandleType(null);
function close(handle: Handle): boolean {
  using _scope = handle;
  const code: number | bigint | undefined = handle.close();
  return handle.closed && code === 0 && handle.address !== 0;
}
const label: string | undefined = database.name;
// @ts-expect-error: a destructor is a function
opaque('sqlite3_close');
// @ts-expect-error: a handle is closed by close()
const reopen = (handle: Handle) => { handle.closed = false; };

const statusOptions: StatusOptions = { success: [0, 100], error: (code, functionName) => `${functionName}: ${code}` };
const status: Type<number | undefined> = new StatusType(new Int32Type(), statusOptions);
const failed = new StatusType(undefined, { failure: [-1], error: () => new RangeError('full') });
const told = (error: unknown) => error instanceof StatusError && `${error.function}: ${error.code} ${error.message}`;
// @ts-expect-error: lists of codes
new StatusType(new Int32Type(), { success: 0 });
// @ts-expect-error: an error or its message
new StatusType(new Int32Type(), { error: () => 7 });

// ---- Ownership ------------------------------------------------------------------------------------------------------

const kept: StringType = borrowed(new StringType());
const freed: StringType = owned(new StringType(), func);
const given: TypedArrayType = consumed(new TypedArrayType(new Float64Type()));
const some: HandleType = nonNull(database);
// @ts-expect-error: of a type
borrowed('text');
// @ts-expect-error: it is freed by a function
owned(new StringType(), 'free');
// @ts-expect-error
consumed();
// @ts-expect-error
nonNull(null);
const counted: Int32Type = exact(new Int32Type());
// @ts-expect-error: a type is wanted
exact(1);

// ---- Functions ------------------------------------------------------------------------------------------------------

const definitions: ArgumentDef[] = [
  new In(new Int32Type()), new Out(strings), new InOut(matrix), new Result(new Int32Type()),
  new ArgumentDef(new Float64Type(), true, false),
];
const [input, output]: boolean[] = definitions.map(({ isInput, isOutput }) => isInput || isOutput);
const multiply = new FunctionPrototype([new In(new ArrayType(new Float64Type()))], new ArrayType(new Float64Type(), 3));
const product: number[] = multiply.invoke(manager, func, [1, 2, 3], 3);
const bound: (...args: any[]) => number[] = multiply.bind(manager, func);
const nameless: string = multiply.mangledName + multiply.mangledArgs + multiply.mangleReturns;
const mangle: MangleOptions = { defaultNumber: 'f64' };
const values: string = FunctionPrototype.mangleValue(1, mangle) + FunctionPrototype.mangleValues([1, 'a'], mangle);
const returned: Type<number[]> | null = multiply.returns;
// @ts-expect-error: whether an argument goes in or out must be said
new FunctionPrototype([new Int32Type()]);
// @ts-expect-error: that is no type
new FunctionPrototype([], 'double');
// @ts-expect-error: whose heap?
multiply.invoke(func, [1, 2, 3]);
// @ts-expect-error: the result is an array
const scalar: number = multiply.invoke(manager, func);
// @ts-expect-error: an argument of some type
new In();
// @ts-expect-error
new Out('int *');
// @ts-expect-error
new InOut(3);
// @ts-expect-error
new Result(null);
// @ts-expect-error: both ways must be said
new ArgumentDef(new Int32Type(), true);

const registry = new FunctionRegistry(manager);
registry.registerImplied('multiply', multiply, func);
registry.registerExplicit(Symbol('multiply'), 'f64', multiply, func);
registry.registerUnmarshalled('add', func);
const found: Function | null = registry.findImplied('multiply', [[1], [2]], mangle) ?? registry.findExplicit('add', 'f64');
const known: boolean = registry.has('multiply') && registry.overloads('multiply').length > 0;
// @ts-expect-error
new FunctionRegistry();
// @ts-expect-error: by a prototype
registry.registerImplied('multiply', func);

// ---- Memory ---------------------------------------------------------------------------------------------------------

const { memory } = manager;
const table = new WebAssembly.Table({ initial: 1, element: 'anyfunc' });
const withTable: ManagerOptions = { table };
const convention: Allocator = { malloc: func, free: func };
const script: AssemblyScriptAllocator = { __new: func, __pin: func, __unpin: func };
const managers: MemoryManager[] = [
  MemoryManager.of(instance), new MemoryManager(memory, func, func, withTable),
  new MemoryManager(memory, convention), new MemoryManager(memory, script, withTable),
];
const block: number = manager.malloc(8);
manager.free(BigInt(block));
manager.freeWhenFinalized({}, block);
const eight: number = manager.dataView.getUint8(block);
const doubles: View<Float64Array> = manager.createTypedArray(Float64Array, [1, 2, 3]);
const whole: View<BigInt64Array> = manager.createTypedArray(BigInt64Array, 3);
using view: TypedArray & Disposable = doubles;
const at: number | bigint = addressOf(view.buffer);
const text: StringBuffer = StringBuffer.fromString(manager, 'text', true);
const again: string = StringBuffer.fromAddress(manager, block, false).toString() + text.length;
// @ts-expect-error: malloc without free
new MemoryManager(memory, func);
// @ts-expect-error: an allocator of no convention
new MemoryManager(memory, { allocate: func });
// @ts-expect-error: by an instance, not by its exports
MemoryManager.of(instance.exports);
// @ts-expect-error: a constructor of typed arrays
manager.createTypedArray(Array, 3);
// @ts-expect-error: an array of the constructor's kind
const wrong: Int8Array = manager.createTypedArray(Float64Array, 3);
// @ts-expect-error: an address is asked of an object
addressOf(1024);
// @ts-expect-error: who frees it must be said
StringBuffer.fromString(manager, 'text');

// ---- Guests ---------------------------------------------------------------------------------------------------------

const wasi = new Wasi({ HOME: '/' });
new Wasi({}, { args: ['program'], preopens: { '/': '.' } });
const same: Wasi = new Marshaller({});
new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array()), { wasi_snapshot_preview1: wasi.imports() });
wasi.init(instance);
wasi.registerFunction('multiply', multiply, func);
wasi.registerFunction('add', null, func);
const result: any = wasi.hasFunction('add') && wasi.invoke('add', 1, 2);
wasi.invokeImpliedFunction('add', [1], mangle);
wasi.invokeExplicitFunction('add', [1], 'f64');
const views: [View<Int8Array>, View<Float64Array>, View<BigUint64Array>] =
  [wasi.int8Array(3), wasi.float64Array([1, 2]), wasi.uint64Array([1n])];
const heap: MemoryManager | null = wasi.memoryManager;
// @ts-expect-error: an environment
new Wasi();
// @ts-expect-error: variables are strings
new Wasi({ COLUMNS: 80 });
// @ts-expect-error: it may not have been initialized
wasi.memoryManager.malloc(8);
// @ts-expect-error: BigInts
wasi.int64Array([1, 2]);
// @ts-expect-error: numbers
wasi.float32Array(['1']);

// ---- C declarations -------------------------------------------------------------------------------------------------

const cdefOptions: CdefOptions = {
  views: true, lengths: { count: (_index, args) => args.length }, error: (code) => `code ${code}`, memoryManager: manager,
};
new FunctionPrototype([], null, { async: true, stackSize: 4096 });
const library: Library = cdef(instance, 'int add(int a, int b);', cdefOptions);
const sum: number = library['add'](1, 2);
const types: Readonly<Record<string, any>> = library.types;
const itsHeap: MemoryManager = cdef(wasi, '').memoryManager;
interface Adder { add(a: number, b: number): number; readonly LIMIT: number }
const adder = cdef<Adder>(instance, 'int add(int a, int b);');
const typed: number = adder.add(1, adder.LIMIT);
// @ts-expect-error: as the script says that it is declared
adder.add('1', 2);
// @ts-expect-error: not declared
adder.subtract(1, 2);
// @ts-expect-error: what is declared?
cdef(instance);
// @ts-expect-error: text
cdef(instance, ['int add(int a, int b);']);
// @ts-expect-error: of an instance, not of its exports
cdef(instance.exports, '');
// @ts-expect-error: an option that there is not
cdef(instance, '', { view: true });
// @ts-expect-error: a length is a function's
cdef(instance, '', { lengths: { count: 3 } });
// @ts-expect-error: the library is made by its declarations
library.types = {};

type _inferred = [
  Expect<Equal<typeof product, number[]>>,
  Expect<Equal<ReturnType<typeof multiply.invoke>, number[]>>,
  Expect<Equal<typeof freed, StringType>>,
  Expect<Equal<typeof views[0], Int8Array & Disposable>>,
];
export type { _inferred };

// Headers.
const headerOptions: HeaderOptions = {
  include: ['include'], define: { DEBUG: 1, NAME: 'x', ON: true }, strict: false, views: true,
  annotations: { multiply: '[[owned, length(n)]]', open: { result: '[[status]]', into: '[[out]]' } },
  declarations: 'int add(int a, int b);',
};
const fromHeader = header<Adder>(instance, 'library.h', headerOptions);
const headerSum: number = fromHeader.add(1, 2);
const notBound: readonly Skipped[] = header(wasi, 'library.h').skipped;
const places: [string, number, number, string][] = notBound.map(({ file, line, column, reason }) => [file, line, column, reason]);
const declarationsText: string = typings('library.h', { only: ['add'] });
void [headerSum, places, declarationsText, fromHeader.variables.counter];
// @ts-expect-error
header(instance);
// @ts-expect-error
header(instance, 'library.h', { include: 'folder' });
// @ts-expect-error
header(instance, 'library.h', { annotations: { multiply: 5 } });
