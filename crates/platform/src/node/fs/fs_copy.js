// fs.cp: a list of what is there, and an operation for each entry that the filter lets through.
const { perform, start } = require('fs_operations');
const { toText, toCopyMode } = require('fs_values');
const { create } = require('errors');
const { validateBoolean, validateFunction, validateObject } = require('validators');

const run = (request) => new Promise((resolve, reject) =>
  start(request, (error, value) => (error === null ? resolve(value) : reject(error))));
const flags = ['dereference', 'recursive', 'force', 'errorOnExist', 'preserveTimestamps', 'verbatimSymlinks'];
/** What is to be done; `more` are bits besides the flags. */
const plan = (from, to, options, more = 0) => {
  const given = { __proto__: null, force: true };
  if (options !== undefined) {
    validateObject(options, 'options');
    for (const flag of $.each(flags)) {
      if (!(flag in options)) continue;
      validateBoolean(options[flag], $.text`options.${flag}`);
      given[flag] = options[flag];
    }
    if (options.filter !== undefined) validateFunction(options.filter, 'options.filter');
    if (given.dereference === true && given.verbatimSymlinks === true) {
      throw create('TypeError', 'ERR_INCOMPATIBLE_OPTION_PAIR',
        'Option "dereference" cannot be used in combination with option "verbatimSymlinks"');
    }
  }
  from = toText(from, 'src');
  to = toText(to, 'dest');
  const bits = $.reduce(flags, (sum, flag) => (given[flag] ? sum | 1 << $.indexOf(flags, flag) : sum), more);
  const mode = toCopyMode(options?.mode);
  const { decode } = require('fs_bytes');
  return {
    filter: options?.filter,
    begin: /** @type {any} */ ({
      __proto__: null, call: ['cpBegin', from, to, bits, mode], finish: ({ 0: names }) => $.map(names, (name) => decode(name, 'utf8')),
    }),
    ends: (name) => (name === '' ? [from, to] : [$.text`${from}/${name}`, $.text`${to}/${name}`]),
    entry: (ends) => /** @type {any} */ ({ __proto__: null, call: ['cpEntry', ...$.each(ends), bits, mode] }),
  };
};
// What is in a folder that the filter refused is left out.
const isWithin = (refused, name) =>
  $.some(refused, (folder) => folder === '' || $.startsWith(name, $.text`${folder}/`));

exports.cpSync = (from, to, options) => {
  const { filter, begin, ends, entry } = plan(from, to, options);
  const isWanted = (both) => {
    const wanted = filter === undefined || filter(...$.each(both));
    if (typeof wanted === 'object' && typeof wanted?.then === 'function') {
      throw create('TypeError', 'ERR_INVALID_RETURN_VALUE',
        'Expected boolean to be returned from the "filter" function but got an instance of Promise.');
    }
    return wanted;
  };
  // What the filter refuses altogether is not even looked at.
  if (!isWanted(ends(''))) return;
  const refused = [];
  for (const name of $.each(perform(begin))) {
    if (isWithin(refused, name)) continue;
    const both = ends(name);
    if (name === '' || isWanted(both)) perform(entry(both));
    else $.push(refused, name);
  }
};
const ALSO_FOLDERS = 1 << flags.length;
exports.cp = (from, to, options) => copyAll(plan(from, to, options, ALSO_FOLDERS));
const copyAll = async ({ filter, begin, ends, entry }) => {
  const isWanted = async (both) => filter === undefined || await $.awaited(filter(...$.each(both)));
  if (!await $.awaited(isWanted(ends('')))) return;
  const refused = [];
  for (const name of $.each(await $.awaited(run(begin)))) {
    if (isWithin(refused, name)) continue;
    const both = ends(name);
    if (name === '' || await $.awaited(isWanted(both))) await $.awaited(run(entry(both)));
    else $.push(refused, name);
  }
};
