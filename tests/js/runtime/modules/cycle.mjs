// In a cycle with cycle.wasm.
import { quadruple } from './cycle.wasm';
export function double(value) { return 2 * value; }
export const sixteen = quadruple(4);
