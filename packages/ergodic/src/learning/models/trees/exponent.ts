/** Returns the smallest k with x <= 2ᵏ, for x > 0. Otherwise returns 0. */
export function exponentOf(x: number): number {
  if (!(x > 0 && x < Infinity)) return 0;
  let k = 0;
  while (2 ** k < x) k++;
  while (2 ** (k - 1) >= x && k > -1000) k--;
  return k;
}
