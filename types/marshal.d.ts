/**
 * `tombolo:marshal`: calls into C, C++, Rust and Zig guests, marshalled natively.
 *
 * A *type* says what a value is in C, a *prototype* what a function takes and returns, and a *memory manager* is a
 * guest's heap. `cdef` makes all of it from C declarations.
 */
declare module 'tombolo:marshal' {
  /** A number if it is a safe integer, else a BigInt. Both are accepted. */
  export type Integer64 = number | bigint;
  export type TypedArray =
    | Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array
    | BigInt64Array | BigUint64Array | Float32Array | Float64Array;
  export type TypedArrayConstructor =
    | Int8ArrayConstructor | Uint8ArrayConstructor | Int16ArrayConstructor | Uint16ArrayConstructor
    | Int32ArrayConstructor | Uint32ArrayConstructor | BigInt64ArrayConstructor | BigUint64ArrayConstructor
    | Float32ArrayConstructor | Float64ArrayConstructor;
  /** A view owns its block of guest memory; `using` or `[Symbol.dispose]()` ends it early. */
  export type View<A extends TypedArray = TypedArray> = A & Disposable;

  /**
   * How many elements there are. A function gets the argument's index (-1 for the result) and the arguments;
   * `{ argument }` is another argument's value (after the call, if that is an out-parameter); `{ field }` is another
   * field of the struct; `{ until }` is the element after the last one, which is not part of the array.
   */
  export type Length =
    | number
    | ((index: number, args: any[]) => number)
    | { argument: number }
    | { field: string }
    | { until: number | bigint | null };

  // ---- Types ----------------------------------------------------------------------------------------------------------

  /**
   * What a value is in C. A script's own subclass that overrides `marshall`, `unmarshall`, `alloc`, `free` or `copy`
   * can be used instead.
   */
  export abstract class Type<T = any> {
    /** Makes room for a value in the guest's heap. Returns the address. */
    alloc(memoryManager: MemoryManager, index: number, args: any[]): number;
    /** Frees what `marshall` or `alloc` made, with everything that it points to. */
    free(memoryManager: MemoryManager, address: number, index: number, args: any[]): void;
    /** Copies `args[index]` into the guest's heap. Returns the address. */
    marshall(memoryManager: MemoryManager, index: number, args: any[]): number;
    /** The value at an address, which is freed if the type owns it. */
    unmarshall(memoryManager: MemoryManager, address: number, index: number, args: any[]): T;
    copy(dest: T, source: T): T;
    get mangledName(): string;
    get TypedArrayType(): TypedArrayConstructor;
    /** How many bytes a value takes in an array or a struct, for pointers of 32 bits. */
    get size(): number;
    get alignment(): number;
  }
  export abstract class ValueType<T = any> extends Type<T> {}
  export abstract class ReferenceType<T = any> extends Type<T> {}

  export class Int8Type extends ValueType<number> { static readonly MANGLED_NAME: 'i8' }
  export class Uint8Type extends ValueType<number> { static readonly MANGLED_NAME: 'u8' }
  export class Int16Type extends ValueType<number> { static readonly MANGLED_NAME: 'i16' }
  export class Uint16Type extends ValueType<number> { static readonly MANGLED_NAME: 'u16' }
  export class Int32Type extends ValueType<number> { static readonly MANGLED_NAME: 'i32' }
  export class Uint32Type extends ValueType<number> { static readonly MANGLED_NAME: 'u32' }
  export class Int64Type extends ValueType<bigint> { static readonly MANGLED_NAME: 'i64' }
  export class Uint64Type extends ValueType<bigint> { static readonly MANGLED_NAME: 'u64' }
  export class Float32Type extends ValueType<number> { static readonly MANGLED_NAME: 'f32' }
  export class Float64Type extends ValueType<number> { static readonly MANGLED_NAME: 'f64' }
  /** `bool`. */
  export class BoolType extends ValueType<boolean> { static readonly MANGLED_NAME: 'b1' }
  /** `size_t`: 32 bits, or 64 in a guest whose pointers have 64. */
  export class SizeType extends ValueType<Integer64> { static readonly MANGLED_NAME: 'z' }
  /** `ptrdiff_t`, `ssize_t`, `long`. */
  export class SignedSizeType extends ValueType<Integer64> { static readonly MANGLED_NAME: 'y' }
  /** An enum. A member's name or a number goes in, a number comes out. */
  export class EnumType extends ValueType<number | bigint> {
    constructor(members: Record<string, number>, underlying?: ValueType);
    readonly members: Readonly<Record<string, number>>;
  }
  /** No value; only for results. */
  export class VoidType extends Type<undefined> { static readonly MANGLED_NAME: 'v0' }

  export type Encoding = 'utf-8' | 'utf-16' | 'latin1';
  /** `char *` (`char16_t *` for UTF-16). With a length, which counts code units (bytes in UTF-8), no zero ends it. */
  export class StringType extends ReferenceType<string> {
    constructor(encoding?: Encoding, length?: Length);
    static readonly MANGLED_NAME: 's8';
  }
  /** `char *` by view: a StringBuffer. */
  export class StringBufferType extends ReferenceType<StringBuffer> { static readonly MANGLED_NAME: 'b8' }
  /** `T *` to elements, copied. Elements may be of any type but VoidType: arrays of strings, of structs, of arrays. */
  export class ArrayType<T = any> extends ReferenceType<T[]> {
    constructor(type: Type<T>, length?: Length | null);
    readonly type: Type<T>;
    readonly length: Length | null;
  }
  /** `T *` to elements by view: a typed array of numbers, a StructArray of structs. */
  export class TypedArrayType extends ReferenceType<View> {
    constructor(type: Type, length?: Length | null);
    readonly type: Type;
    readonly length: Length | null;
  }
  /** `T *` to one value, in a {@link Pointer}. */
  export class PointerType<T = any> extends ReferenceType<Pointer<T>> {
    constructor(type: Type<T>);
    readonly type: Type<T>;
  }
  /** An address in a `Pointer<number>`, which owns what it points to. */
  export class AddressType extends ReferenceType<Pointer<number>> { static readonly MANGLED_NAME: 'a32' }
  /**
   * `void *`. Takes null, an address, a Pointer with one, any view or buffer in the guest's memory (by address), and
   * any other ArrayBuffer, typed array or DataView (copied there for the call, and back if it is an out-parameter).
   * Gives an address, or null.
   */
  export class VoidPointerType extends ReferenceType<number | bigint | null> {}

  export type Fields = Record<string, Type> | [name: string, type: Type][];
  export interface RecordOptions {
    /** For messages. */
    name?: string;
    /** The largest alignment of a field: 1 for `__attribute__((packed))`. */
    pack?: number;
  }
  /**
   * A struct by C's layout, as an object with its fields. As a field or element it lies in place; as an argument or
   * result it is passed as C passes a struct by value. `new PointerType(struct)` and `new StructPointerType(struct)`
   * are `struct S *`.
   */
  export class StructType<T extends object = any> extends Type<T> {
    constructor(fields: [name: string, type: Type][], options?: RecordOptions);
    constructor(fields: { [K in keyof T]: Type<T[K]> }, options?: RecordOptions);
    /** Without fields it is to be defined later, so that it can have pointers to itself. */
    constructor(fields?: Fields, options?: RecordOptions);
    define(fields: Fields, options?: RecordOptions): this;
    readonly name: string | undefined;
    /** Where each field begins, in bytes, for pointers of 32 bits. */
    readonly offsets: Readonly<Record<string, number>>;
    /** A new struct in the guest's heap, by view. */
    create(memoryManager: MemoryManager, values?: Partial<T>): T & Disposable;
    /** The struct at an address that something else owns, by view. */
    at(memoryManager: MemoryManager, address: number | bigint): T & Disposable;
  }
  /** A union. Takes an object with one of its members; gives one that reads any of them from a copy of the bytes. */
  export class UnionType<T extends object = any> extends Type<Partial<T>> {
    constructor(members: [name: string, type: Type][], options?: RecordOptions);
    constructor(members: { [K in keyof T]: Type<T[K]> }, options?: RecordOptions);
    constructor(members?: Fields, options?: RecordOptions);
    define(members: Fields, options?: RecordOptions): this;
    readonly name: string | undefined;
    readonly offsets: Readonly<Record<string, number>>;
    create(memoryManager: MemoryManager, values?: Partial<T>): T & Disposable;
    at(memoryManager: MemoryManager, address: number | bigint): T & Disposable;
  }
  /** `T[n]` in a struct or in another array: in place. */
  export class InlineArrayType<T = any> extends Type<T[]> {
    constructor(type: Type<T>, length: number);
    readonly type: Type<T>;
    readonly length: number;
  }
  /** `char name[n]` in a struct: a string, with a zero after it if there is room. */
  export class InlineStringType extends Type<string> { constructor(length: number, encoding?: Encoding) }
  /** `struct S *`, copied: an object with the fields. */
  export class StructPointerType<T extends object = any> extends ReferenceType<T> { constructor(type: StructType<T> | UnionType<T>) }
  /** `struct S *`, by view: an object whose fields are read and written in the guest's memory. */
  export class StructViewType<T extends object = any> extends ReferenceType<T & Disposable> { constructor(type: StructType<T> | UnionType<T>) }
  /** An array of structs in guest memory. */
  export interface StructArray<T> extends Disposable, Iterable<T> {
    readonly length: number;
    at(index: number): T;
    set(index: number, value: T): void;
  }

  /**
   * A function pointer. Takes a function, which the guest may call until the call returns, a {@link Callback}, which it
   * may call until that is freed, or null.
   */
  export class CallbackType extends ReferenceType<Function | Callback | null> {
    constructor(argDefs: ArgumentDef[], returns?: Type | null, options?: { async?: boolean });
  }
  /** A JavaScript function as a C function pointer, for as long as this object lives. */
  export class Callback implements Disposable {
    constructor(memoryManager: MemoryManager, type: CallbackType, fn: Function);
    /** Its index in the guest's table of functions, which is what a function pointer is. */
    readonly address: number;
    /** Has it never freed until the guest is gone. */
    keep(): this;
    [Symbol.dispose](): void;
  }

  /** An opaque pointer that a library gives out. It closes itself when it is dropped. */
  export interface Handle extends Disposable {
    readonly address: number | bigint;
    readonly closed: boolean;
    /** Calls the destructor now. Returns its result. */
    close(): number | bigint | undefined;
  }
  /** `T *` to an incomplete struct. Without a destructor its results are borrowed. */
  export class HandleType extends ReferenceType<Handle | null> {
    constructor(destructor?: Function | null, name?: string);
    readonly name: string | undefined;
  }
  /** `new HandleType(destructor, name)`. */
  export function opaque(destructor?: Function | null, name?: string): HandleType;

  export interface StatusOptions {
    /** Results that are successes: 0 by default. */
    success?: number[];
    /** Results that are failures; all others are successes. */
    failure?: number[];
    /**
     * The error to throw, or its message; it gets what came out of the call too, such as a handle that failed to open.
     */
    error?: (code: number | bigint, functionName: string, results: any[]) => string | Error;
  }
  /**
   * A result that says whether the call failed, which then throws a {@link StatusError}. If there is only one success,
   * it is not among the results of the call.
   */
  export class StatusType extends ValueType<number | undefined> { constructor(type?: Type, options?: StatusOptions) }
  export class StatusError extends Error { readonly code: number | bigint | null; readonly function: string }

  // ---- Ownership ------------------------------------------------------------------------------------------------------
  // Results are owned: copied and freed, or views that free themselves. Arguments are borrowed by the guest. In `cdef`,
  // what a result or an out-parameter points to is the guest's, unless `[[owned]]` says otherwise.

  /** As a result (or out-parameter): the host frees it, with `free` if that is not the heap's own. */
  export function owned<T extends Type>(type: T, free?: Function): T;
  /** As a result: the guest keeps it; it is copied, or viewed for as long as the guest leaves it there. */
  export function borrowed<T extends Type>(type: T): T;
  /** As an argument: the guest takes it over and frees it. A view that is passed ends. */
  export function consumed<T extends Type>(type: T): T;
  /** Refuses null, in both directions. */
  export function nonNull<T extends Type>(type: T): T;
  /** Refuses a number that does not fit the type, which wraps otherwise. */
  export function exact<T extends Type>(type: T): T;

  // ---- Functions ------------------------------------------------------------------------------------------------------

  export class ArgumentDef<T = any> {
    constructor(type: Type<T>, isInput: boolean, isOutput: boolean);
    readonly type: Type<T>;
    readonly isInput: boolean;
    readonly isOutput: boolean;
  }
  export class In<T = any> extends ArgumentDef<T> { constructor(type: Type<T>) }
  export class Out<T = any> extends ArgumentDef<T> { constructor(type: Type<T>) }
  export class InOut<T = any> extends ArgumentDef<T> { constructor(type: Type<T>) }
  /**
   * A pointer to a value that the guest fills in. The script does not pass it, but gets it: a call with such parameters
   * returns an array of its own result (unless that is void) and theirs, or the only one by itself.
   */
  export class Result<T = any> extends ArgumentDef<T> { constructor(type: Type<T>) }

  export interface MangleOptions { defaultNumber?: string; defaultInt?: string; defaultFloat?: string; defaultString?: string }
  export interface PrototypeOptions {
    /** Whether calls may be suspended: the function returns a promise, and `async` callbacks may be passed to it. */
    async?: boolean;
    /**
     * How many bytes C's stack has in each such call. By default as many as the guest's own, but at most 1 MiB; with 0,
     * the calls share that one.
     */
    stackSize?: number;
  }
  export class FunctionPrototype<R = any> {
    constructor(argDefs: ArgumentDef[], returns?: Type<R> | null, options?: PrototypeOptions);
    readonly argDefs: ArgumentDef[];
    readonly returns: Type<R> | null;
    invoke(memoryManager: MemoryManager, func: Function, ...args: any[]): R;
    /** A function that takes only the arguments. It is checked now rather than at each call. */
    bind(memoryManager: MemoryManager, func: Function): (...args: any[]) => R;
    get mangledArgs(): string;
    get mangleReturns(): string;
    get mangledName(): string;
    static mangleValue(value: any, options: MangleOptions): string;
    static mangleValues(values: any[], options: MangleOptions): string;
  }

  export class FunctionRegistry {
    constructor(memoryManager: MemoryManager);
    registerImplied(name: string | symbol, prototype: FunctionPrototype, callback: Function): void;
    registerExplicit(name: string | symbol, mangledArgs: string, prototype: FunctionPrototype, callback: Function): void;
    registerUnmarshalled(name: string | symbol, callback: Function): void;
    findImplied(name: string | symbol, values: any[], options?: MangleOptions): Function | null;
    findExplicit(name: string | symbol, mangledValues: string): Function | null;
    has(name: string | symbol): boolean;
    /** The mangled types of a function's overloads. */
    overloads(name: string | symbol): string[];
  }

  // ---- Memory ---------------------------------------------------------------------------------------------------------

  export interface ManagerOptions {
    /** A table of functions that can grow, for callbacks. */
    table?: WebAssembly.Table;
  }
  export interface Allocator {
    /**
     * malloc(size), __wbindgen_malloc(size, align) or cabi_realloc(0, 0, align, size): told apart by the function's
     * type.
     */
    malloc: Function;
    /** free(address) or __wbindgen_free(address, size, align). */
    free: Function;
  }
  export interface AssemblyScriptAllocator { __new: Function; __pin: Function; __unpin: Function }
  /** A guest's heap. */
  export class MemoryManager {
    constructor(memory: WebAssembly.Memory, malloc: Function, free: Function, options?: ManagerOptions);
    constructor(memory: WebAssembly.Memory, allocator: Allocator | AssemblyScriptAllocator, options?: ManagerOptions);
    /** By the exports of an instance: its memory, its table, and an allocator of any convention that it has. */
    static of(instance: WebAssembly.Instance): MemoryManager;
    readonly memory: WebAssembly.Memory;
    get dataView(): DataView;
    malloc(byteLength: number): number;
    free(address: number | bigint): void;
    /** Frees the block when `target` is garbage. */
    freeWhenFinalized(target: object, address: number): void;
    createTypedArray<C extends TypedArrayConstructor>(type: C, lengthOrArray: number | ArrayLike<any>): View<InstanceType<C>>;
  }

  export class Pointer<T = any> { constructor(contents: T); contents: T }
  export class StringBuffer extends Uint8Array implements Disposable {
    [Symbol.dispose](): void;
    static fromString(memoryManager: MemoryManager, string: string, finalize: boolean): StringBuffer;
    static fromAddress(memoryManager: MemoryManager, address: number, finalize: boolean): StringBuffer;
    toString(): string;
  }
  /** The guest address of the first byte of a view, a buffer, a struct, a handle or a callback. */
  export function addressOf(value: object): number | bigint;

  /** A guest, its heap, and WASI for it: the environment, and standard output and error by line to the console. */
  export class Wasi {
    /** `args` begin with the program's name; `preopens` are the folders that the guest sees, by their names there. */
    constructor(env: Record<string, string>, options?: { args?: string[]; preopens?: Record<string, string> });
    readonly env: Record<string, string>;
    instance: WebAssembly.Instance | null;
    memoryManager: MemoryManager | null;
    readonly memory: WebAssembly.Memory | null;
    functionRegistry: FunctionRegistry | null;
    imports(): Record<string, Function>;
    wasiImplementation(): Record<string, Function>;
    init(instance: WebAssembly.Instance): void;
    registerFunction(name: string | symbol, prototype: FunctionPrototype | null, callback: Function): void;
    hasFunction(name: string | symbol): boolean;
    invoke(name: string | symbol, ...values: any[]): any;
    invokeImpliedFunction(name: string | symbol, values: any[], options: MangleOptions): any;
    invokeExplicitFunction(name: string | symbol, values: any[], mangledArgs: string): any;
    int8Array(lengthOrArray: number | ArrayLike<number>): View<Int8Array>;
    uint8Array(lengthOrArray: number | ArrayLike<number>): View<Uint8Array>;
    int16Array(lengthOrArray: number | ArrayLike<number>): View<Int16Array>;
    uint16Array(lengthOrArray: number | ArrayLike<number>): View<Uint16Array>;
    int32Array(lengthOrArray: number | ArrayLike<number>): View<Int32Array>;
    uint32Array(lengthOrArray: number | ArrayLike<number>): View<Uint32Array>;
    int64Array(lengthOrArray: number | ArrayLike<bigint>): View<BigInt64Array>;
    uint64Array(lengthOrArray: number | ArrayLike<bigint>): View<BigUint64Array>;
    float32Array(lengthOrArray: number | ArrayLike<number>): View<Float32Array>;
    float64Array(lengthOrArray: number | ArrayLike<number>): View<Float64Array>;
  }
  export { Wasi as Marshaller };

  // ---- C declarations -------------------------------------------------------------------------------------------------

  export interface CdefOptions {
    /** Aggregates by view instead of by copy, unless `[[copy]]` says otherwise. */
    views?: boolean;
    /** What becomes of a number that does not fit its type: it wraps, as in a typed array, or it is a RangeError. */
    numbers?: 'wrap' | 'exact';
    /** Functions that `[[length(name)]]` names: `(index, args) => length`. */
    lengths?: Record<string, (index: number, args: any[]) => number>;
    /** The error for a `[[status]]` or `[[fails(…)]]` result. */
    error?: (code: number | bigint, functionName: string, results: any[]) => string | Error;
    /** As in {@link PrototypeOptions}, for functions that are `[[async]]`. */
    stackSize?: number;
    /** The heap, if it is not the one of the instance's exports. */
    memoryManager?: MemoryManager;
  }
  /** How a header is read, and bound. */
  export interface HeaderOptions extends CdefOptions {
    /** Folders with the headers that it includes, besides its own. Standard headers are there without any. */
    include?: string[];
    /** Macros that are defined besides those of clang for WebAssembly. */
    define?: Record<string, string | number | boolean>;
    /**
     * What `[[…]]` says, beside a header that stays untouched: of a function (its result), a struct or a typedef by its
     * name; of a parameter or field by `name.part`, or in an object of them, where `result` is the function's own.
     */
    annotations?: Record<string, string | Record<string, string>>;
    /** C declarations that follow the header's and win over them. */
    declarations?: string;
    /** Whether everything that cannot be bound is an error, and not in `skipped`. */
    strict?: boolean;
  }
  /**
   * Binds C declarations to an instance's exports: an object with a function for each function that is declared, and a
   * number or string for each constant macro and enumerator. Declarations that are wrong, or that the instance does not
   * have, are errors with their lines and columns, unless `strict` is false.
   */
  export function cdef<L extends object = Record<string, any>>(
    instance: WebAssembly.Instance | Wasi, declarations: string, options?: HeaderOptions): Library<L>;
  /**
   * Binds what a C library's header declares and the instance has. The header is given by its path or as a text, as the
   * library ships it or from `cc -E`. What cannot be bound is in `skipped`.
   */
  export function header<L extends object = Record<string, any>>(
    instance: WebAssembly.Instance | Wasi, header: string, options?: HeaderOptions): Library<L>;
  /** TypeScript's declarations of what `header` binds: of everything, or of the names in `only`. */
  export function typings(header: string, options?: HeaderOptions & { only?: string[] }): string;
  /** A declaration that is not bound. */
  export interface Skipped {
    readonly name: string;
    /** A function, one that has its body in the header, and so on. */
    readonly kind: 'function' | 'inline' | 'variable' | 'declaration' | 'macro' | 'directive' | 'annotation';
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly reason: string;
  }
  export type Library<L extends object = Record<string, any>> = Readonly<L> & {
    /** Structs, unions, enums, handles and function pointers by tag or typedef name. */
    readonly types: Readonly<Record<string, any>>;
    readonly memoryManager: MemoryManager;
    /** The variables that the instance exports, where they lie: reading and setting them reads and sets the guest's. */
    readonly variables: any;
    /** What is declared and not bound, in the order of the declarations. */
    readonly skipped: readonly Skipped[];
  };
}
