// Warnings about what a program should no longer use: each once, and none about the packages that a program uses.
const seen = new Set();

/** Whether the innermost script that is running is a package's. */
const isCalledByPackage = () => {
  const stack = require('stack');
  const restore = stack.keepPlain();
  let frames;
  try {
    frames = stack.framesAbove(new Error());
  } finally {
    restore();
  }
  const frame = $.find($.split(frames, '\n'), (line) => !$.includes(line, '(node:') && !$.includes(line, '(native)'));
  return frame !== undefined && $.regex(/[/\\]node_modules[/\\]/).test(frame);
};

exports.warn = (message, code) => {
  if (code !== undefined) {
    if (seen.has(code)) return;
    seen.add(code);
  }
  require('process').process.emitWarning(message, 'DeprecationWarning', code);
};
exports.warnProgram = (message, code) => {
  if (!seen.has(code) && !isCalledByPackage()) exports.warn(message, code);
};
