// How an uncaught error is printed.
/**
 * What Rust provides.
 * @type {{
 *   isError(value: unknown): boolean,
 * }}
 */
const native = rust;
const { inspect } = require('inspect');

exports.report = (value) => $.text`Uncaught ${inspect(value)}`;

// What is known of an error, in texts; undefined for other values.
exports.facts = (value, colors) => {
  if (!native.isError(value)) return undefined;
  const own = (name) => {
    const found = Object.getOwnPropertyDescriptor(value, name)?.value;
    return typeof found === 'string' ? found : '';
  };
  const shown = inspect(value, { __proto__: null, colors });
  const stack = own('stack') || require('stack').stackOf(value);
  const name = value.name;
  return {
    __proto__: null,
    shown, stack: typeof stack === 'string' ? stack : '', name: typeof name === 'string' ? name : '',
    message: own('message'), code: own('code'),
  };
};

// What an unhandled rejection is reported as if its reason is not an error.
exports.rejection = (reason) => {
  if (native.isError(reason)) return reason;
  let text;
  try {
    text = inspect(reason);
  } catch {
    text = '(a value that cannot be inspected)';
  }
  return require('errors').create('Error', 'ERR_UNHANDLED_REJECTION',
    'This error originated either by throwing inside of an async function without a catch block, or by rejecting a ' +
    $.text`promise which was not handled with .catch(). The promise rejected with the reason "${text}".`);
};
