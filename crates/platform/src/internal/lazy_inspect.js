// `inspect` for files that rarely need it: `inspect.js` is the largest file of all.
exports.inspect = Object.assign((...args) => require('inspect').inspect(...$.each(args)), {
  custom: $.symbolFor('nodejs.util.inspect.custom'),
});
