// Declarations that are wrong, or that the instance does not have: errors with line and column, and what they are
// about.
import { cdef, MemoryManager } from 'tombolo:marshal';
import { assert, assertEq } from '../harness.mjs';
import { seededRandom } from '../random.mjs';
import { assertIncludes } from './load.mjs';
import { guestTest, header, vocabulary } from './vocabulary.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';

/** What `declarations` throw: a SyntaxError where the text is wrong, a TypeError where it does not fit the instance. */
function refused(guest, declarations, options) {
  let lib;
  try {
    lib = guest.declare(declarations, options);
  } catch (error) {
    assert(error?.constructor === SyntaxError || error?.constructor === TypeError, `${declarations}: ${error?.name}: ${error?.message}`);
    return error;
  }
  assert(false, `${declarations}: expected an error, got a library of ${Object.keys(lib)}`);
  return undefined;
}
const at = (error, line, column, ...parts) => assertIncludes(error.message, `line ${line}, column ${column}`, ...parts);

guestTest('where it is: line, column, and the line itself', (guest) => {
  at(refused(guest, 'int status_of(int code);\nint broken(int a int b);'), 2, 18, 'int broken(int a int b);');
  at(refused(guest, 'int status_of(int code);\r\n\tint nothing(int a);'), 2, 6, 'nothing');
  at(refused(guest, '/* é😀 */ int nothing(int a);'), 1, 14, 'nothing');
  at(refused(guest, '\n\n\n   foo bar(int a);'), 4, 4, 'foo');
});

guestTest('unknown names', (guest) => {
  for (const source of ['foo status_of(int code);', 'int status_of(foo code);', 'struct s { foo x; };', 'typedef foo bar;', 'int status_of(foo *code);', 'int apply_i32(int (*f)(foo), int v);']) {
    const error = refused(guest, source);
    assertIncludes(error.message, 'foo', `line 1, column ${source.indexOf('foo') + 1}`);
    assertEq(error.constructor, SyntaxError);
  }
  assertIncludes(refused(guest, 'int sum_pairs(struct nothing p, int n);').message, 'nothing');
  assertIncludes(refused(guest, 'int32_t *iota(int n) [[owned, length(m)]];').message, 'line 1', '`m`');
  assertIncludes(refused(guest, 'char *copy_string(const char *text) [[owned(nothing)]];').message, 'nothing');
  assertIncludes(refused(guest, 'typedef struct c c [[opaque(nothing)]]; c *counter_open(int start);').message, 'nothing');
  assertIncludes(refused(guest, 'typedef struct c c; c *cursor_open(c *of) [[keeps(nothing)]];').message, 'nothing');
  assertEq(guest.declare('#define A B\n').skipped[0].name, 'A');
  assertIncludes(refused(guest, 'struct s { char name[SIZE]; };').message, 'SIZE');
});

guestTest('missing exports', (guest) => {
  const error = refused(guest, 'int status_of(int code);\n  int  nothing(int a);');
  at(error, 2, 8, 'nothing', 'exports no function');
  assertEq(error.constructor, TypeError);
  assertIncludes(refused(guest, 'int memory(int a);').message, 'memory');
  assertIncludes(refused(guest, 'int __indirect_function_table(int a);').message, '__indirect_function_table');
  assertIncludes(refused(guest, 'int toString(void);').message, 'toString');
  assertIncludes(refused(guest, 'int __proto__(void);').message, '__proto__');
});

guestTest('another signature than the instance’s', (guest) => {
  for (const source of [
    'int status_of(void);', 'int status_of(int a, int b);', 'int status_of(double a);', 'int64_t status_of(int a);', 'double status_of(int a);',
    'float echo_f64(double value);', 'int echo_i64(int value);', 'struct pair { int a, b; }; struct pair status_of(int code);',
    'struct one { double x; }; struct one echo_f32(float value);',
  ]) {
    const error = refused(guest, source);
    assertEq(error.constructor, TypeError, source);
    assertIncludes(error.message, 'line 1', 'func');
  }
});

guestTest('what C has and this has not', (guest) => {
  for (const [source, ...parts] of [
    ['int printf(const char *format, ...);', 'printf'], ['int global;', 'variable'], ['extern int global;', 'variable'],
    ['long double f(long double x);', 'f'], ['int f(a, b) int a; int b; { return a; }'], ['_Complex double f(void);'],
    ['#include <no/such/header.h>\n', 'no/such/header.h'], ['#ifdef X\n', '#endif'],
    ['__int128 f(void);'],
  ]) {
    assertIncludes(refused(guest, source).message, 'line 1', ...parts);
  }
});

guestTest('annotations', (guest) => {
  for (const [source, ...parts] of [
    ['char *copy_string(const char *text) [[ownde]];', 'ownde'], ['char *copy_string(const char *text) [[owned, borrowed]];', 'borrowed'],
    ['struct pair { int a; }; struct pair *new_pairs(int n) [[view, copy]];', 'copy'], ['int status_of(int code) [[status, fails(-1)]];', 'fails'],
    ['int status_of(int code) [[length]];', 'length'], ['int32_t *iota(int n) [[owned, length()]];', 'length'], ['int32_t *iota(int n) [[owned, length(1, 2)]];', 'length'],
    ['int32_t *iota(int n) [[owned, length(-1)]];'], ['int32_t *until(int n, int32_t end) [[owned, until]];', 'until'], ['int32_t *until(int n, int32_t end) [[owned, until(x y)]];', 'until'],
    ['int32_t *iota(int n [[owned, length(n)]];'], ['[[', 'line 1'], ['int status_of(int code) [[status;', 'line 1'], ['int status_of(int code) [[]', 'line 1'],
    ['void call_void(void (*f)(void)) [[status]];', 'status'], ['int status_of(int code [[out]]);', 'out'],
  ]) {
    assertIncludes(refused(guest, source).message, 'line 1', ...parts);
  }
});

guestTest('results without the length that they need', (guest) => {
  for (const source of ['int32_t *iota(int n);', 'double *iota(int n) [[owned]];', 'char **new_names(int n);']) {
    assertIncludes(refused(guest, source).message, 'line 1', 'length');
  }
  assertIncludes(refused(guest, 'void fill_bytes(void *to [[out]], int value, size_t n);').message, 'length');
});

guestTest('declared twice', (guest) => {
  const lib = guest.declare('int status_of(int code);\nint status_of(int other_name);\nstruct pair { int a, b; };\nstruct pair;');
  assertEq(lib.status_of(1), 1);
  assertIncludes(refused(guest, 'int status_of(int code);\ndouble status_of(int code);').message, 'line 2', 'status_of');
  assertIncludes(refused(guest, 'struct s { int a; };\nstruct s { int b; };').message, 'line 2');
  assertEq(guest.declare('#define A 1\n#define A 2\n').A, 2);
  assertIncludes(refused(guest, 'enum e { A };\nenum f { A };').message, 'line 2', 'A');
  assertIncludes(refused(guest, 'typedef int a;\ntypedef double a;').message, 'line 2');
  assertIncludes(refused(guest, '#define status_of 1\nint status_of(int code);').message, 'line 2');
});

guestTest('records that cannot be', (guest) => {
  for (const source of ['struct s { struct s inner; };', 'struct s { struct t inner; };', 'struct s { void x; };', 'struct s { int f(int); };', 'struct s { int a, a; };', 'struct s { int a[-1]; };', 'struct a { struct b x; }; struct b { struct a y; };']) {
    assertIncludes(refused(guest, source).message, 'line 1');
  }
  for (const source of ['struct s { char a[0x7fffffffffffffff]; };', 'struct s { char a[0x7fffffff][0x7fffffff][0x7fffffff]; };', 'struct s { int a[1 / 0]; };', 'struct s { int a[1 << 70]; };', '#define A (1 % 0)\n', '#define A (-0x7fffffffffffffff - 1) / -1\n', '#define A 99999999999999999999999999999999999999999999999999\n']) {
    try { guest.declare(source); } catch (error) { assertIncludes(error.message, 'line 1'); }
  }
});

guestTest('the library’s own names', (guest) => {
  for (const source of ['#define types 1\n', '#define memoryManager 2\n', 'enum { types };']) assertIncludes(refused(guest, source).message, 'line 1');
});

guestTest('names that objects have', (guest) => {
  const lib = guest.declare('struct s { int __proto__, constructor, toString; };\n#define constructor 1\n#define __proto__ 5\nenum e { hasOwnProperty = 3 };');
  assertEq(lib.constructor, 1);
  assertEq(Object.getOwnPropertyDescriptor(lib, '__proto__')?.value, 5);
  assertEq(lib.hasOwnProperty, 3);
  const made = lib.types.s.create(lib.memoryManager, JSON.parse('{"__proto__": 7, "constructor": 8, "toString": 9}'));
  assertEq(made.constructor, 8);
  assertEq(made.toString, 9);
  assertEq(Object.values(lib.types.s.offsets).length, 3, 'offsets of all fields');
  made[Symbol.dispose]();
});

guestTest('a memory manager is only needed for what allocates', () => {
  const b = new WasmBuilder();
  b.func(['i32', 'i32'], ['i32'], [op.localGet(0), op.localGet(1), op.i32Add], { export: 'add' });
  b.func(['i32'], ['i32'], [op.localGet(0)], { export: 'same' });
  const instance = b.instance({});
  assertEq(cdef(instance, 'int add(int a, int b);').add(2, 3), 5);
  const lib = cdef(instance, 'int same(const char *text);');
  const error = (() => { try { return lib.same('text'); } catch (caught) { return caught; } })();
  assert(error instanceof Error, String(error));
  assertIncludes(error.message, 'alloc');
  assert(lib.memoryManager instanceof MemoryManager);
});

guestTest('hostile: depth', (guest) => {
  const n = 100_000;
  const deep = [
    `int f(${'('.repeat(n)}int a${')'.repeat(n)});`, `int ${'*'.repeat(n)}status_of(int code);`, `#define A ${'('.repeat(n)}1${')'.repeat(n)}\n`,
    `#define A ${'-'.repeat(n)}1\n`, `struct s ${'{ struct {'.repeat(1000)} int a; ${'} x; };'.repeat(1000)}`, `int status_of(int ${'('.repeat(30)}*a${')'.repeat(30)});`,
    `struct s { int a${'[1]'.repeat(n)}; };`, `${'typedef int *a; typedef a *b; '.repeat(1)}b *status_of(int code);`,
    `#define A ${'1+'.repeat(n)}1\n`, `int f(${'int (*)('.repeat(2000)}int${')'.repeat(2000)});`, '[['.repeat(n), '/*'.repeat(n), '"'.repeat(99_999), '\\\n'.repeat(n),
    `enum e { ${Array.from({ length: 20_000 }, (_, i) => `E${i}`).join(', ')} };`,
  ];
  for (const source of deep) {
    const before = performance.now();
    try { guest.declare(source); } catch (error) {
      assert(error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError, `${source.slice(0, 30)}: ${error}`);
      assert(error.message.length < 20_000, `${source.slice(0, 30)}: a message of ${error.message.length} characters`);
    }
    assert(performance.now() - before < 5000, `${source.slice(0, 30)} took ${Math.round(performance.now() - before)} ms`);
  }
});

guestTest('hostile: chains of types', (guest) => {
  let source = 'typedef int t0;';
  for (let i = 1; i < 3000; i++) source += `typedef t${i - 1} *t${i};`;
  try { guest.declare(`${source} int status_of(t2999 code);`); } catch (error) { assert(error instanceof SyntaxError || error instanceof TypeError, String(error)); }
  source = 'struct s0 { int a; };';
  for (let i = 1; i < 3000; i++) source += `struct s${i} { struct s${i - 1} a; };`;
  try { guest.declare(source); } catch (error) { assert(error instanceof SyntaxError || error instanceof TypeError, String(error)); }
  source = 'struct s0 { char a[2]; };';
  for (let i = 1; i < 70; i++) source += `struct s${i} { struct s${i - 1} a[2]; };`;
  const error = refused(guest, source);
  assertIncludes(error.message, 'line 1');
});

guestTest('hostile: random tokens', (guest) => {
  const random = seededRandom(99);
  const tokens = ['int', 'struct', 'pair', '{', '}', '(', ')', '[[', ']]', '[', ']', ';', ',', '*', 'const', 'char', 'typedef', 'enum', 'union', 'owned', 'length(n)', 'status', '#define', '\n', '1', '"x"', "'c'", '=', 'double', '...', 'void', 'unsigned', '/*', '*/', '//', 'a', 'b', 'status_of', ':', '3', '\\', '\u00e9', '😀', '\0', '-', '+', '0x', 'until(', 'opaque', 'out', 'f'];
  for (let i = 0; i < 3000; i++) {
    const source = Array.from({ length: 1 + random(25) }, () => tokens[random(tokens.length)]).join(random(3) ? ' ' : '');
    try { guest.declare(source); } catch (error) {
      assert(error instanceof SyntaxError || error instanceof TypeError, `${JSON.stringify(source)}: ${error?.name}: ${error?.message}`);
      assert(!/internal error|unknown error|panicked/.test(error.message), `${JSON.stringify(source)}: ${error.message}`);
    }
  }
});

guestTest('hostile: the header with a character changed', (guest) => {
  const random = seededRandom(5);
  const characters = '{}()[];,*&#"\'\\/ \n\t0aé=.<>-+';
  const source = `${header} struct pair echo_pair(struct pair value) [[owned]]; char *copy_string(const char *text) [[owned]];`;
  for (let i = 0; i < 1500; i++) {
    const at = random(source.length);
    const changed = source.slice(0, at) + characters[random(characters.length)] + source.slice(at + random(3));
    try { guest.declare(changed); } catch (error) {
      assert(error instanceof SyntaxError || error instanceof TypeError, `${at}: ${error?.name}: ${error?.message}`);
      assertIncludes(error.message, 'line ', 'column ');
    }
  }
});

guestTest('an instance of another guest’s types', (guest) => {
  const other = vocabulary();
  const mine = guest.declare('struct pair { int a, b; }; int sum_pairs(const struct pair *p, int n);');
  const theirs = other.declare('struct pair { int a, b; }; struct pair *copy_pair(const struct pair *p) [[owned, view]];');
  const view = theirs.copy_pair({ a: 1, b: 2 });
  try { assertEq(mine.sum_pairs(view, 1), 3); } catch (error) { assertEq(error.constructor, TypeError); }
  view[Symbol.dispose]();
});
