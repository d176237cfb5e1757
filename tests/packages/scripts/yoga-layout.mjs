import assert from 'node:assert/strict';
import Yoga, { Direction, Edge, FlexDirection, Justify } from 'yoga-layout';

const root = Yoga.Node.create();
root.setWidth(500);
root.setHeight(300);
root.setFlexDirection(FlexDirection.Row);
root.setJustifyContent(Justify.Center);
for (const size of [100, 60]) {
  const child = Yoga.Node.create();
  // A function of the script's, which the guest calls.
  child.setMeasureFunc(() => ({ width: size, height: size }));
  child.setMargin(Edge.All, 5);
  root.insertChild(child, root.getChildCount());
}
root.calculateLayout(500, 300, Direction.LTR);
const places = [0, 1].map((at) => root.getChild(at).getComputedLayout());
assert.deepEqual(places.map(({ left, top, width }) => [left, top, width]), [[165, 5, 100], [275, 5, 60]]);
root.freeRecursive();
console.log('ok');
