const assert = require('node:assert/strict');
const { init, killThreads } = require('z3-solver');

(async () => {
  const api = await init();
  const { Solver, Int, And, Optimize } = new api.Context('main');
  const [x, y] = [Int.const('x'), Int.const('y')];
  const solver = new Solver();
  solver.add(And(x.ge(0), x.le(9)), y.eq(x.mul(x)), x.add(y).eq(20));
  assert.equal(await solver.check(), 'sat');
  assert.equal(solver.model().eval(x).toString(), '4');
  solver.add(x.gt(4));
  assert.equal(await solver.check(), 'unsat');
  await killThreads(api.em);
  console.log('ok');
})();
