/**
 * Returns the largest of any number of values, or 0. A call of Math.max with more than about ten thousand arguments
 * would overflow the stack.
 */
export function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}
