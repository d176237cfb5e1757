// TypeScript: types are stripped, and everything else stays where it is.
import { assert, assertEq, fail, test } from '../harness.mjs';
import { stripTypeScriptTypes } from 'node:module';
import { load, require, write } from './common-js/folder.mjs';

const failure = async (call) => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return fail('nothing was thrown');
};

/** Source and result, by Node 26. */
const cases = [
  ['let a: number = 1, b!: string;', 'let a         = 1, b         ;'],
  ['function f(this: Foo, a: number, b?: string, ...c: any[]): asserts a is string { }',
    'function f(           a        , b         , ...c       )                      { }'],
  ['abstract class A<T> extends B<T> implements C, D { abstract x: number; abstract foo(): void; declare q: 1 }',
    '         class A    extends B                    {                                                        }'],
  ['class A { public x?: number = 1; private readonly y!: string; protected static z() {} foo?(): void; [k: string]: any; }',
    'class A {        x          = 1;                  y         ;           static z() {}                                 }'],
  ['import type { A } from "a"; import { type B, C, type D as E } from "b"; import H, { type I } from "i"; export { type K, L };',
    '                            import {         C,             } from "b"; import H, {        } from "i"; export {         L };'],
  ['foo<string>(a); new Foo<string>(); a?.b<string>(c); tag<string>`x`; a!.b!; a![0]; f(a!)',
    'foo        (a); new Foo        (); a?.b        (c); tag        `x`; a .b ; a [0]; f(a )'],
  ['const f = <T,>(x: T): x is string => x!', 'const f =     (x   )              => x '],
  ['let x = a as const; let y = (b as any).c; let z = a satisfies Q; (x as any) = 1;',
    'let x = a         ; let y = (b       ).c; let z = a            ; (x       ) = 1;'],
  ['let x = 1\ntype A = 1\n(foo)()', 'let x = 1\n;         \n(foo)()'],
  ['let x = y as T\n(z)', 'let x = y ;   \n(z)'],
  ['const f = (a): {\n b: number\n} => a', 'const f = (a    \n          \n) => a'],
  ['const f = async <\nT\n>(a: T) => a', 'const f = async (\n \n  a   ) => a'],
  ['class A { x = 1\n public *gen() {} }', 'class A { x = 1\n ;      *gen() {} }'],
  ['function f(a): void\nfunction f(a, b?) {}', '                   \nfunction f(a, b ) {}'],
  ['declare function f(): void; declare const a: 1; declare class Q {} interface R {}', ' '.repeat(81)],
  ['const é: string = "ü" as string; let x', 'const é         = "ü"          ; let x'],
  ['type = 1; let type: any', 'type = 1; let type     '],
  ['let {a, b}: {a: number, b: string} = c; let [d]: number[] = e',
    'let {a, b}                         = c; let [d]           = e'],
  ['let v = { a<T>(this: X, b?: T): void {}, get c(): number { return 1 } }',
    'let v = { a   (         b    )       {}, get c()         { return 1 } }'],
  ['namespace N { type A = 1 } declare enum E { A } declare global { }', ' '.repeat(66)],
];

test('what is left of a text', () => {
  for (const [source, expected] of cases) assertEq(stripTypeScriptTypes(source), expected, source);
});

test('what has no types to strip', async () => {
  const message = async (source) => {
    const error = await failure(() => stripTypeScriptTypes(source));
    assertEq(error.name, 'SyntaxError', source);
    assertEq(error.code, 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', source);
    return error.message;
  };
  assertEq(await message('enum A { B }'), 'TypeScript enum is not supported in strip-only mode');
  assertEq(await message('export const enum A { B }'), 'TypeScript enum is not supported in strip-only mode');
  assertEq(await message('namespace N { export const a = 1 }'),
    'TypeScript namespace declaration is not supported in strip-only mode');
  assertEq(await message('class A { constructor(private x: number) {} }'),
    'TypeScript parameter property is not supported in strip-only mode');
  assertEq(await message('import x = require("y")'),
    'TypeScript import equals declaration is not supported in strip-only mode');
  assertEq(await message('export = 1'), 'TypeScript export assignment is not supported in strip-only mode');
  assert((await message('let a = <any>b')).startsWith('The angle-bracket syntax'));
  assertEq((await failure(() => stripTypeScriptTypes('let x: = 1'))).code, 'ERR_INVALID_TYPESCRIPT_SYNTAX');
  assertEq((await failure(() => stripTypeScriptTypes(1))).code, 'ERR_INVALID_ARG_TYPE');
  assertEq((await failure(() => stripTypeScriptTypes('', { mode: 'x' }))).code, 'ERR_INVALID_ARG_VALUE');
});

write({
  'm.mts': 'import type { T } from "./t.ts"; import { add } from "./add.cts"; export const sum: number = add(1, 2 as T);',
  't.ts': 'export type T = number; export const t: T = 1;',
  'add.cts': 'const plus = (a: number, b: number): number => a + b; exports.add = plus; module.exports.kind = typeof require as string;',
  'script.ts': 'const x: string = "script"; module.exports = { x };',
  'where.ts': 'type A = {\n  a: number;\n};\nexport function where(a: A): string { return new Error("x").stack!; }',
  'module/package.json': { type: 'module' },
  'module/x.ts': 'export default (import.meta.url as string);',
  'enum.ts': 'export enum A { B }',
});

test('files', async () => {
  assertEq((await load('m.mts')).sum, 3);
  assertEq(require('./add.cts').kind, 'function');
  assertEq(require('./m.mts').sum, 3);
  assertEq(require('./script.ts').x, 'script');
  assertEq((await load('script.ts')).default.x, 'script');
  assertEq(require('./t.ts').t, 1);
  assert((await load('where.ts')).where({ a: 1 }).includes('where.ts:4:'), (await load('where.ts')).where());
  assert((await load('module/x.ts')).default.endsWith('x.ts'));
  assertEq((await failure(() => load('enum.ts'))).code, 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX');
  assertEq((await failure(() => require('./enum.ts'))).code, 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX');
  assertEq((await failure(() => require('./script'))).code, 'MODULE_NOT_FOUND');
});
