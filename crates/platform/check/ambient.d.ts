// What is in scope in an embedded file, which is the body of a function `(exports, require, rust, $)`. The compiler takes
// `exports` and `require` for those of CommonJS.

/** The Rust functions that belong to the file, which declares them itself. */
declare const rust: any;

/** The language as it was before any script ran: what `primordials.js` exports. */
declare const $: Primordials;

type IsAny<T> = 0 extends 1 & T ? true : false;
type PartOf<T> = IsAny<T> extends true ? any : T extends string ? string : T extends ArrayLike<infer Item> ? Item[] : never;
type ItemOf<T> = IsAny<T> extends true ? any : T extends string ? string : T extends ArrayLike<infer Item> ? Item : never;
type Callback<T, Result> = (item: T, index: number) => Result;

interface Primordials {
  globals: typeof globalThis;

  // For strings and arrays. The first argument is what would be `this` in a method, here and below.
  at<T extends string | ArrayLike<any>>(list: T, index: number): ItemOf<T>;
  includes(list: string | ArrayLike<unknown>, item: unknown, from?: number): boolean;
  indexOf(list: string | ArrayLike<unknown>, item: unknown, from?: number): number;
  lastIndexOf(list: string | ArrayLike<unknown>, item: unknown, from?: number): number;
  slice<T extends string | ArrayLike<any>>(list: T, start?: number, end?: number): PartOf<T>;

  // For strings.
  charCodeAt(text: string, index: number): number;
  endsWith(text: string, end: string): boolean;
  match(text: string, pattern: RegExp): string[] | null;
  padEnd(text: string, length: number, fill?: string): string;
  padStart(text: string, length: number, fill?: string): string;
  repeat(text: string, count: number): string;
  replace(text: string, pattern: string | RegExp, by: string | ((...match: any[]) => string)): string;
  replaceAll(text: string, pattern: string, by: string): string;
  split(text: string, separator: string): string[];
  startsWith(text: string, start: string): boolean;
  toLowerCase(text: string): string;
  toUpperCase(text: string): string;
  toWellFormed(text: string): string;
  trim(text: string): string;

  // For arrays.
  every<T>(list: ArrayLike<T>, call: Callback<T, unknown>): boolean;
  fill<T>(list: T, item: unknown): T;
  filter<T>(list: ArrayLike<T>, call: Callback<T, unknown>): T[];
  find<T>(list: ArrayLike<T>, call: Callback<T, unknown>): T | undefined;
  findIndex<T>(list: ArrayLike<T>, call: Callback<T, unknown>): number;
  findLast<T>(list: ArrayLike<T>, call: Callback<T, unknown>): T | undefined;
  findLastIndex<T>(list: ArrayLike<T>, call: Callback<T, unknown>): number;
  flat<T>(list: ArrayLike<T | T[]>): T[];
  flatMap<T, Result>(list: ArrayLike<T>, call: Callback<T, Result | Result[]>): Result[];
  forEach<T>(list: ArrayLike<T>, call: Callback<T, void>): void;
  join(list: ArrayLike<unknown>, separator: string): string;
  map<T, Result>(list: ArrayLike<T>, call: Callback<T, Result>): Result[];
  pop(list: any[]): any;
  push<T>(list: T[], ...items: T[]): number;
  reduce<T, Result>(list: ArrayLike<T>, call: (made: Result, item: T) => Result, start: Result): Result;
  reverse<T>(list: T[]): T[];
  shift(list: any[]): any;
  some<T>(list: ArrayLike<T>, call: Callback<T, unknown>): boolean;
  sort<T>(list: T[], compare?: (a: T, b: T) => number): T[];
  splice<T>(list: T[], start: number, count?: number, ...items: T[]): T[];
  unshift<T>(list: T[], ...items: T[]): number;

  // For other values.
  getTime(date: Date): number;
  isPrototypeOf(prototype: object, value: unknown): boolean;
  length(view: ArrayBufferView): number;
  set(bytes: Uint8Array, source: ArrayLike<number>, at?: number): void;
  toBase64(bytes: Uint8Array, options?: { alphabet?: string; omitPadding?: boolean }): string;
  toFixed(value: number, digits: number): string;
  toHex(bytes: Uint8Array): string;
  toISOString(date: Date): string;
  toPrecision(value: number, digits: number): string;
  toString(value: number, radix?: number): string;
  valueOf(value: unknown): unknown;

  // Functions that are not methods of the language, or have other names there.
  real: any;
  pristine: any;
  text(strings: TemplateStringsArray, ...values: unknown[]): string;
  each<T>(items: Iterable<T>): Iterable<T>;
  each<T>(items: AsyncIterable<T>): AsyncIterable<T>;
  eachIn(collection: unknown, kind: 'Map' | 'Set'): Iterable<any>;
  isArray(value: unknown): value is any[];
  isView(value: unknown): value is ArrayBufferView;
  now(): number;
  fromCharCode(code: number): string;
  fromBase64(text: string, options?: Options<{ alphabet: string }>): Uint8Array;
  fromHex(text: string): Uint8Array;
  symbolFor(key: string): symbol;
  tagOf(value: unknown): string | undefined;
  textOf(value: unknown): string;
  symbolText(value: unknown): string;
  functionText(value: unknown): string;
  isEnumerable(value: unknown, key: PropertyKey): boolean;
  uncurried(method: Function): (self: unknown, ...args: unknown[]) => any;
  regex(expression: RegExp): RegExp;
  buffer(view: ArrayBufferView): ArrayBuffer;
  byteOffset(view: ArrayBufferView): number;
  byteLength(view: ArrayBufferView): number;
  bufferLength(buffer: ArrayBuffer): number;
  sharedLength(buffer: SharedArrayBuffer): number;
  isDetached(buffer: ArrayBuffer): boolean;
  bytesOf(view: ArrayBufferView): Uint8Array;
  subarray(bytes: Uint8Array, start: number, end: number): Uint8Array;
  test(expression: RegExp, text: string): boolean;
  arrayFrom<T, Result = T>(source: ArrayLike<T>, make?: (item: T, index: number) => Result): Result[];
  bytesFrom(source: string, make: (char: string) => number): Uint8Array;
  then<T>(promise: PromiseLike<T>, fulfilled: (value: T) => unknown, rejected?: (error: unknown) => unknown): Promise<any>;
  resolved<T>(value?: T): Promise<T>;
  rejected(error: unknown): Promise<never>;
  withResolvers(): PromiseWithResolvers<any>;
  awaited<T>(value: T): Promise<Awaited<T>>;
  bound<T extends Function>(call: T): T;
  setBound(bound: (call: any) => any): void;
}

// The engine provides this class in addition to the language.
declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

// Reading a missing property of an object without a prototype runs no script.
interface PropertyDescriptor {
  __proto__?: null;
}
type Options<T> = T & { __proto__?: null };
