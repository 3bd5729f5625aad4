/** Largest number of weights that a finding names. */
const NAMED = 3;

/** Returns "the weight a" or "the weights a, b, c and 2 more". */
export function namesText(weights: readonly number[], nameOf: (weight: number) => string): string {
  const names = weights.slice(0, NAMED).map(nameOf).join(", ");
  const more = weights.length > NAMED ? ` and ${weights.length - NAMED} more` : "";
  return `the weight${weights.length === 1 ? "" : "s"} ${names}${more}`;
}
