// What counter.wasm imports.
export function report(count) {
  console.log(`the guest counts ${count}`);
}
