/** The largest of any number of values, or 0: as arguments of one call, more than some ten thousand overflow the stack. */
export function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}
