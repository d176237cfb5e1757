// The lints for the platform's JavaScript. The compiler checks the rest.

import { readFileSync } from 'node:fs';

// The names that are in scope in each file. Scripts can replace any other global.
const wrapper = readFileSync(new URL('../src/internal/wrapper.rs', import.meta.url), 'utf8');
const [, names] = /^const GLOBALS: &str = "const\{([^}]*)\}/m.exec(wrapper);
const readonly = (all) => Object.fromEntries(all.map((name) => [name, 'readonly']));
const everywhere = readonly(['exports', 'require', 'rust']);
const scope = readonly(['$', ...names.replaceAll(/[\\\s]/g, '').split(',')]);

const rules = {
  'array-callback-return': 'error',
  'dot-notation': 'error',
  'eqeqeq': ['error', 'always', { null: 'ignore' }],
  'no-constant-binary-expression': 'error',
  'no-duplicate-imports': 'error',
  'no-dupe-else-if': 'error',
  'no-dupe-keys': 'error',
  'no-else-return': 'error',
  'no-empty': 'error',
  'no-eval': 'error',
  'no-fallthrough': 'error',
  'no-global-assign': 'error',
  'no-loss-of-precision': 'error',
  'no-redeclare': 'error',
  'no-self-assign': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  'no-undef': 'error',
  'no-unreachable': 'error',
  'no-unsafe-finally': 'error',
  'no-unused-expressions': 'error',
  'no-unused-private-class-members': 'error',
  'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
  'no-useless-assignment': 'error',
  'no-useless-catch': 'error',
  'no-useless-escape': 'error',
  'no-useless-return': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': ['error', { destructuring: 'all' }],
  'require-yield': 'error',
  'use-isnan': 'error',
  'valid-typeof': 'error',
};

// Syntax that runs a script, though it looks like part of the language alone. `primordials.js` says why.
const unless = (...names) =>
  `:not(CallExpression[callee.object.name="$"][callee.property.name=/^(${names.join('|')})$/])`;
const list = ':matches(ArrayExpression, CallExpression, NewExpression)';
const safe = [
  { selector: 'TemplateLiteral[expressions.length>0]:not(TaggedTemplateExpression > *)', message: 'Write $.text`…`.' },
  { selector: 'TaggedTemplateExpression[tag.property.name!="text"]', message: 'Write $.text`…`.' },
  { selector: `${unless('regex')} > Literal[regex]`, message: 'Write $.regex(/…/).' },
  {
    selector: `ForOfStatement > ${unless('each', 'eachIn')}.right`,
    message: 'Write $.each(…) around what is iterated.',
  },
  { selector: `${list} > SpreadElement > ${unless('each', 'eachIn')}`, message: 'Write ...$.each(…).' },
  { selector: 'ArrayPattern', message: 'Write { 0: first, 1: second }.' },
  { selector: `AwaitExpression > ${unless('awaited')}`, message: 'Write await $.awaited(…).' },
  { selector: 'YieldExpression[delegate=true]', message: 'Write a loop over $.each(…).' },
];

export default [
  {
    files: ['src/**/*.js'],
    languageOptions: {
      sourceType: 'script', parserOptions: { ecmaFeatures: { globalReturn: true, impliedStrict: true } },
      globals: { ...everywhere, ...scope },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { ...rules, 'no-restricted-syntax': ['error', ...safe] },
  },
  // These two files have the language itself.
  {
    files: ['src/internal/primordials.js', 'src/internal/stack.js'],
    languageOptions: { globals: Object.fromEntries(Object.keys(scope).map((name) => [name, 'off'])) },
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/internal/stack.js'],
    languageOptions: { globals: readonly(['globalThis', 'Reflect', 'String']) },
  },
];
