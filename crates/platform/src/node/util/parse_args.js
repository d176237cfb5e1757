// util.parseArgs.
const { create, invalidArgType, invalidArgValue } = require('errors');
const {
  validateArray, validateBoolean, validateObject, validateString,
} = require('validators');

const fail = (code, message) => create('TypeError', code, message);
const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);

const checkOption = (option, name) => {
  const at = $.text`options.${name}`;
  validateObject(option, at);
  const type = own(option, 'type');
  if (type !== 'string' && type !== 'boolean') throw invalidArgType($.text`${at}.type`, "('string|boolean')", type);
  const short = own(option, 'short');
  if (Object.hasOwn(option, 'short')) {
    validateString(short, $.text`${at}.short`);
    if (short.length !== 1) throw invalidArgValue($.text`${at}.short`, short, 'must be a single character');
  }
  const multiple = own(option, 'multiple');
  if (Object.hasOwn(option, 'multiple')) validateBoolean(multiple, $.text`${at}.multiple`);
  const preset = own(option, 'default');
  if (preset === undefined) return;
  const check = (value, where) => {
    if (typeof value !== type) throw invalidArgType(where, $.text`of type ${type}`, value);
  };
  if (multiple) {
    validateArray(preset, $.text`${at}.default`);
    $.forEach(preset, (value, i) => check(value, $.text`${at}.default[${i}]`));
  } else {
    check(preset, $.text`${at}.default`);
  }
};

const mainArgs = () => {
  const { argv, execArgv } = require('process').process;
  const isEvaluated = $.some(execArgv, (one) => $.includes(['-e', '--eval', '-p', '--print'], one));
  return $.slice(argv, isEvaluated ? 1 : 2);
};

/** What stands on the command line, one after the other, as `tokens` shows it. */
const tokenize = (args, options) => {
  const tokens = [];
  const names = Object.keys(options);
  const longName = (short) => $.find(names, (name) => own(options[name], 'short') === short) ?? short;
  const isString = (name) => own(own(options, name) ?? {}, 'type') === 'string';
  // Groups such as `-abc` are taken apart, which keeps their index.
  const rest = $.map(args, (text, index) => ({ text, index }));
  let at = 0;
  const option = (name, rawName, index, value, inlineValue) =>
    $.push(tokens, { kind: 'option', name, rawName, index, value, inlineValue });
  while (at < rest.length) {
    const { text, index } = rest[at++];
    const next = rest[at]?.text;
    if (text === '--') {
      $.push(tokens, { kind: 'option-terminator', index });
      for (const { text: value, index: place } of $.each($.slice(rest, at))) {
        $.push(tokens, { kind: 'positional', index: place, value });
      }
      return tokens;
    }
    const isShort = text.length === 2 && text[0] === '-' && text[1] !== '-';
    if (isShort) {
      const name = longName(text[1]);
      // A value that stood in the same word is marked.
      const inline = rest[at]?.index === index && /** @type {any} */ (rest[at])?.inline;
      if (isString(name) && (inline || (next !== undefined && rest[at].index !== index))) {
        option(name, text, index, next, Boolean(inline));
        at++;
      } else {
        option(name, text, index, undefined, undefined);
      }
      continue;
    }
    if (text.length > 2 && text[0] === '-' && text[1] !== '-') {
      const made = [];
      for (let i = 1; i < text.length; i++) {
        const name = longName(text[i]);
        $.push(made, { text: $.text`-${text[i]}`, index });
        if (isString(name) && i < text.length - 1) {
          $.push(made, /** @type {any} */ ({ text: $.slice(text, i + 1), index, inline: true }));
          break;
        }
      }
      $.splice(rest, at, 0, ...$.each(made));
      continue;
    }
    if (text.length > 2 && $.startsWith(text, '--')) {
      const equals = $.indexOf(text, '=', 3);
      if (equals !== -1) {
        const name = $.slice(text, 2, equals);
        option(name, $.text`--${name}`, index, $.slice(text, equals + 1), true);
        continue;
      }
      const name = $.slice(text, 2);
      if (isString(name) && next !== undefined) {
        option(name, text, index, next, false);
        at++;
      } else {
        option(name, text, index, undefined, undefined);
      }
      continue;
    }
    $.push(tokens, { kind: 'positional', index, value: text });
  }
  return tokens;
};

const shown = (option, name) => {
  const short = own(option, 'short');
  return $.text`${short ? $.text`-${short}, ` : ''}--${name}`;
};
const checkUsage = (token, options, allowPositionals, allowNegative) => {
  let { name } = token;
  let isNegative = false;
  if (!Object.hasOwn(options, name) && allowNegative && $.startsWith(name, 'no-')) {
    const positive = $.slice(name, 3);
    if (own(own(options, positive) ?? {}, 'type') === 'boolean') {
      name = positive;
      isNegative = true;
    }
  }
  if (!Object.hasOwn(options, name)) {
    const hint = allowPositionals
      ? $.text`. To specify a positional argument starting with a '-', place it at the end of the command after ` +
        $.text`'--', as in '-- "${token.rawName}"` : '';
    throw fail('ERR_PARSE_ARGS_UNKNOWN_OPTION', $.text`Unknown option '${token.rawName}'${hint}`);
  }
  const option = options[name];
  const type = own(option, 'type');
  if (type === 'string' && typeof token.value !== 'string') {
    throw fail('ERR_PARSE_ARGS_INVALID_OPTION_VALUE', $.text`Option '${shown(option, name)} <value>' argument missing`);
  }
  if (type === 'boolean' && token.value != null) {
    throw fail('ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
      $.text`Option '${isNegative ? $.text`--no-${name}` : shown(option, name)}' does not take an argument`);
  }
};
const checkValue = (token) => {
  if (token.inlineValue || typeof token.value !== 'string' || token.value.length < 2 || token.value[0] !== '-') return;
  const example = $.startsWith(token.rawName, '--')
    ? $.text`'${token.rawName}=-XYZ'` : $.text`'--${token.name}=-XYZ' or '${token.rawName}-XYZ'`;
  throw fail('ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
    $.text`Option '${token.rawName}' argument is ambiguous.\nDid you forget to specify the option argument for ` +
    $.text`'${token.rawName}'?\nTo specify an option argument starting with a dash use ${example}.`);
};

exports.parseArgs = (config) => {
  validateObject(config, 'config');
  const args = own(config, 'args') ?? mainArgs();
  const strict = own(config, 'strict') ?? true;
  const allowPositionals = own(config, 'allowPositionals') ?? !strict;
  const returnTokens = own(config, 'tokens') ?? false;
  const allowNegative = own(config, 'allowNegative') ?? false;
  const options = own(config, 'options') ?? { __proto__: null };
  validateArray(args, 'args');
  validateBoolean(strict, 'strict');
  validateBoolean(allowPositionals, 'allowPositionals');
  validateBoolean(returnTokens, 'tokens');
  validateBoolean(allowNegative, 'allowNegative');
  validateObject(options, 'options');
  for (const name of $.each(Object.keys(options))) checkOption(options[name], name);

  const values = { __proto__: null };
  const positionals = [];
  const tokens = tokenize($.map(args, (text) => $.text`${text}`), options);
  const store = (name, value) => {
    if (name === '__proto__') return;
    if (own(own(options, name) ?? {}, 'multiple')) {
      if (values[name]) $.push(values[name], value);
      else values[name] = [value];
    } else {
      values[name] = value;
    }
  };
  for (const token of $.each(tokens)) {
    if (token.kind === 'option') {
      if (strict) {
        checkUsage(token, options, allowPositionals, allowNegative);
        checkValue(token);
      }
      const { name, value } = token;
      if (allowNegative && value === undefined && $.startsWith(name, 'no-')) {
        token.name = $.slice(name, 3);
        store(token.name, false);
      } else {
        store(name, value ?? true);
      }
    } else if (token.kind === 'positional') {
      if (!allowPositionals) {
        throw fail('ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', $.text`Unexpected argument '${token.value}'. ` +
          'This command does not take positional arguments');
      }
      $.push(positionals, token.value);
    }
  }
  for (const name of $.each(Object.keys(options))) {
    const preset = own(options[name], 'default');
    if (preset !== undefined && values[name] === undefined) values[name] = preset;
  }
  return returnTokens ? { values, positionals, tokens } : { values, positionals };
};
