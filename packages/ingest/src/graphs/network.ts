/** Largest deviation of the sum of a variable's probabilities from 1. Files contain rounded probabilities. */
const MOST_OFF = 0.05;

/**
 * Returns the first row of conditional probabilities (the child's states fastest) that does not sum to 1; undefined if
 * there is none.
 */
export function unevenRow(values: ArrayLike<number>, childCount: number): { row: number; sum: number } | undefined {
  for (let row = 0; row * childCount < values.length; row++) {
    let sum = 0;
    for (let state = 0; state < childCount; state++) sum += values[row * childCount + state];
    if (Math.abs(sum - 1) > MOST_OFF) return { row, sum };
  }
  return undefined;
}

/** Returns a variable that is its own ancestor; undefined if there is none. `parents`: by variable. */
export function cyclic(parents: readonly (readonly number[])[]): number | undefined {
  const children: number[][] = parents.map(() => []);
  const waiting = parents.map((of) => of.length);
  parents.forEach((of, child) => {
    for (const parent of of) children[parent].push(child);
  });
  const ready = [...parents.keys()].filter((variable) => waiting[variable] === 0);
  for (const variable of ready) for (const child of children[variable]) if (--waiting[child] === 0) ready.push(child);
  const left = waiting.findIndex((count) => count > 0);
  return left < 0 ? undefined : left;
}

/** Returns the parents' states for a row index. The last parent varies fastest. */
export function statesOfRow(row: number, counts: readonly number[]): number[] {
  const states = counts.map(() => 0);
  for (let k = counts.length - 1; k >= 0; k--) {
    states[k] = row % counts[k];
    row = Math.floor(row / counts[k]);
  }
  return states;
}
