/**
 * √Σ xᵢ² without overflow, with the same bits on every machine; Math.hypot differs between hosts. Error below n/2 + 2
 * ulp for n numbers. 0 for no numbers; ∞ if any number is ±∞; otherwise NaN if any is NaN.
 */
export function hypotenuse(...x: readonly number[]): number {
  let largest = 0;
  for (const value of x) {
    if (Math.abs(value) === Infinity) return Infinity;
    if (!(Math.abs(value) <= largest)) largest = Math.abs(value);
  }
  if (largest === 0 || Number.isNaN(largest)) return largest;
  let squares = 0;
  for (const value of x) squares += (value / largest) * (value / largest);
  return largest * Math.sqrt(squares);
}
