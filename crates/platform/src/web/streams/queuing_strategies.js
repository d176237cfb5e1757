// ByteLengthQueuingStrategy and CountQueuingStrategy (Streams Standard, §7).
const { asInterface, dictionary, invalidThis, needArgs } = require('web_streams_shared');
const { create } = require('errors');

const markOf = (init, count) => {
  needArgs(count, 1, 'init');
  const { highWaterMark } = dictionary(init, 'init');
  if (highWaterMark === undefined) {
    throw create('TypeError', 'ERR_MISSING_OPTION', 'init.highWaterMark is required');
  }
  return +highWaterMark;
};
// (All objects of a class share one function.)
const { byteLengthSize, countSize } = {
  byteLengthSize: { size: (chunk) => chunk.byteLength }.size, countSize: { size: () => 1 }.size,
};

class ByteLengthQueuingStrategy {
  #highWaterMark;
  constructor(init) {
    this.#highWaterMark = markOf(init, arguments.length);
  }
  get highWaterMark() {
    if (!(#highWaterMark in this)) throw invalidThis('ByteLengthQueuingStrategy');
    return this.#highWaterMark;
  }
  get size() {
    if (!(#highWaterMark in this)) throw invalidThis('ByteLengthQueuingStrategy');
    return byteLengthSize;
  }
}
class CountQueuingStrategy {
  #highWaterMark;
  constructor(init) {
    this.#highWaterMark = markOf(init, arguments.length);
  }
  get highWaterMark() {
    if (!(#highWaterMark in this)) throw invalidThis('CountQueuingStrategy');
    return this.#highWaterMark;
  }
  get size() {
    if (!(#highWaterMark in this)) throw invalidThis('CountQueuingStrategy');
    return countSize;
  }
}
for (const Class of $.each([ByteLengthQueuingStrategy, CountQueuingStrategy])) {
  asInterface(Class, ({ highWaterMark }) => ({ highWaterMark }));
}
exports.ByteLengthQueuingStrategy = ByteLengthQueuingStrategy;
exports.CountQueuingStrategy = CountQueuingStrategy;
