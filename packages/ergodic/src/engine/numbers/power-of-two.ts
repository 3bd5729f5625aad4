/** 2^k for integers −1074 ≤ k ≤ 1023, exactly, from a table. */
const LOWEST = -1074;
const POWERS = table();

function table(): Float64Array {
  const powers = new Float64Array(2098);
  powers[-LOWEST] = 1;
  for (let k = 1; k <= 1023; k++) powers[k - LOWEST] = 2 * powers[k - LOWEST - 1];
  for (let k = -1; k >= LOWEST; k--) powers[k - LOWEST] = powers[k - LOWEST + 1] / 2;
  return powers;
}

export const powerOfTwo = (k: number): number => POWERS[k - LOWEST];

/**
 * Returns x 2^k for −1100 ≤ k ≤ 1100. The result is exact unless it is subnormal. For |x| in [½, 2], a subnormal result
 * is rounded only once.
 */
export function scaled(x: number, k: number): number {
  if (k >= LOWEST && k <= 1023) return x * powerOfTwo(k);
  // Uses two factors, because 2^1024 and 2^-1075 are not representable.
  const half = Math.trunc(k / 2);
  return x * powerOfTwo(half) * powerOfTwo(k - half);
}
