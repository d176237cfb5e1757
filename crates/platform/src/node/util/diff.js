// The shortest way from one list to another, by Eugene W. Myers, “An O(ND) Difference Algorithm and Its Variations”.
const { invalidArgType } = require('errors');

/**
 * Pairs of what happens to an item and the item: 1 for one of `actual` only, -1 for one of `expected` only, 0 for both.
 * @param {(a: any, b: any) => boolean} [same]
 * @param {(a: any, b: any) => any} [pick] which one of two same items to show
 */
const myers = (actual, expected, same = (a, b) => a === b, pick = (a) => a) => {
  const n = actual.length;
  const m = expected.length;
  // The furthest x on each diagonal, as it was before each step.
  const trace = [];
  let furthest = { __proto__: null, 1: 0 };
  const search = () => {
    for (let d = 0; d <= n + m; d++) {
      $.push(trace, { __proto__: null, ...furthest });
      for (let k = -d; k <= d; k += 2) {
        const isDown = k === -d || (k !== d && furthest[k - 1] < furthest[k + 1]);
        let x = isDown ? furthest[k + 1] : furthest[k - 1] + 1;
        let y = x - k;
        while (x < n && y < m && same(actual[x], expected[y])) {
          x++;
          y++;
        }
        furthest[k] = x;
        if (x >= n && y >= m) return;
      }
    }
  };
  search();
  const made = [];
  let x = n;
  let y = m;
  for (let d = trace.length - 1; d >= 0; d--) {
    furthest = trace[d];
    const k = x - y;
    const isDown = k === -d || (k !== d && furthest[k - 1] < furthest[k + 1]);
    const before = isDown ? k + 1 : k - 1;
    const fromX = furthest[before];
    const fromY = fromX - before;
    while (x > fromX && y > fromY) {
      x--;
      y--;
      $.push(made, [0, pick(actual[x], expected[y])]);
    }
    if (d > 0) $.push(made, isDown ? [-1, expected[--y]] : [1, actual[--x]]);
  }
  return $.reverse(made);
};
exports.myers = myers;

exports.diff = (actual, expected) => {
  if (actual === expected) return [];
  const check = (value, name) => {
    if (!$.isArray(value)) {
      if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
      return;
    }
    $.forEach(value, (item, i) => {
      if (typeof item !== 'string') throw invalidArgType($.text`${name}[${i}]`, 'of type string', item);
    });
  };
  check(actual, 'actual');
  check(expected, 'expected');
  return myers(actual, expected);
};
