// Random numbers that a seed gives again.

/** A function that gives numbers below its argument (xorshift32). */
export function seededRandom(seed) {
  let state = seed;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}
