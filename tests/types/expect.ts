// Types about types: `Expect<Equal<A, B>>` compiles if A and B are the same, and not only assignable to each other.
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
export type Expect<T extends true> = T;
