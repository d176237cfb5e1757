// Intl.Segmenter.
/**
 * What Rust provides.
 * @type {{
 *   boundaries(granularity: string, text: string): Uint32Array,
 * }}
 */
const native = rust;
const { intlClass, isLanguage, isObject, matcher, onlyObject, option, resolveLocale } = require('intl_shared');

const NAME = 'Intl.Segmenter';
const has = isLanguage;

const texts = new WeakMap();
const boundariesOf = (state) => {
  state.boundaries ??= native.boundaries(state.granularity, state.input);
  return state.boundaries;
};
const segmentAt = (state, at) => {
  const boundaries = boundariesOf(state);
  const start = at === 0 ? 0 : boundaries[at - 1] >>> 1;
  const segment = $.slice(state.input, start, boundaries[at] >>> 1);
  const found = { segment, index: start, input: state.input };
  return state.granularity === 'word' ? { ...found, isWordLike: boundaries[at] % 2 === 1 } : found;
};
const wrong = (name) => new TypeError($.text`Method ${name} called on incompatible receiver`);

const Iterator = Object.create($.real.Iterator.prototype);
const Segments = {
  /** @this {any} */
  containing(index) {
    const state = isObject(this) ? texts.get(this) : undefined;
    if (state === undefined) throw wrong('%SegmentsPrototype%.containing');
    const at = Math.trunc(+index) || 0;
    if (at < 0 || at >= state.input.length) return undefined;
    const boundaries = boundariesOf(state);
    // The first boundary behind it.
    let low = 0;
    let high = $.length(boundaries) - 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (boundaries[middle] >>> 1 > at) high = middle;
      else low = middle + 1;
    }
    return segmentAt(state, low);
  },
  /** @this {any} */
  [Symbol.iterator]() {
    const state = isObject(this) ? texts.get(this) : undefined;
    if (state === undefined) throw wrong('%SegmentsPrototype%[Symbol.iterator]');
    const iterator = Object.create(Iterator);
    iterators.set(iterator, { state, at: 0 });
    return iterator;
  },
};
const iterators = new WeakMap();
const { next } = {
  /** @this {any} */
  next() {
    const place = isObject(this) ? iterators.get(this) : undefined;
    if (place === undefined) throw wrong('%SegmentIterator.prototype%.next');
    if (place.at >= $.length(boundariesOf(place.state))) return { value: undefined, done: true };
    return { value: segmentAt(place.state, place.at++), done: false };
  },
};
Object.defineProperty(Iterator, 'next', { value: next, writable: true, configurable: true });
Object.defineProperty(Iterator, Symbol.toStringTag, { value: 'Segmenter String Iterator', configurable: true });
for (const key of $.each(Reflect.ownKeys(Segments))) Object.defineProperty(Segments, key, { enumerable: false });

exports.Segmenter = intlClass('Segmenter', {
  initialize(locales, given) {
    const options = onlyObject(given);
    matcher(options, NAME);
    const { locale } = resolveLocale(locales, has);
    return { locale, granularity: option(options, 'granularity', ['grapheme', 'word', 'sentence'], 'grapheme', NAME) };
  },
  has,
  members: {
    resolvedOptions: ({ locale, granularity }) => ({ locale, granularity }),
    segment(state, text) {
      const segments = Object.create(Segments);
      texts.set(segments, { granularity: state.granularity, input: $.text`${text}`, boundaries: undefined });
      return segments;
    },
  },
}).made;
