// `inspect` for files that need it rarely: it is the largest of all.
exports.inspect = Object.assign((...args) => require('inspect').inspect(...$.each(args)), {
  custom: $.symbolFor('nodejs.util.inspect.custom'),
});
