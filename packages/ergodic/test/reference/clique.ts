/**
 * Plain twin of kernels/graphs/clique.ts, state by state: outputs collect the product (or sum) of the tables' entries.
 */
export interface PlainTable {
  readonly axes: readonly number[];
  readonly values: Float64Array;
}

export type SweepMode = "cliqueSum" | "cliqueMax" | "cliqueLogSum";

/** Changes outputs in place. `within`: states of each axis that are swept. */
export function sweepClique(
  mode: SweepMode,
  axes: readonly number[],
  shape: readonly number[],
  tables: readonly PlainTable[],
  outputs: readonly PlainTable[],
  within: (axis: number, state: number) => boolean = () => true,
): void {
  const states = new Int32Array(axes.length);
  const place = ({ axes: own }: PlainTable): number =>
    own.reduce((at, axis) => at * shape[axes.indexOf(axis)] + states[axes.indexOf(axis)], 0);
  for (;;) {
    if (axes.every((axis, k) => within(axis, states[k]))) {
      const entries = tables.map((table) => table.values[place(table)]);
      const joint = mode === "cliqueSum" ? entries.reduce((a, b) => a * b, 1) : entries.reduce((a, b) => a + b, 0);
      for (const output of outputs) {
        const at = place(output);
        const before = output.values[at];
        output.values[at] =
          mode === "cliqueSum" ? before + joint : mode === "cliqueMax" ? Math.max(before, joint) : logAdd(before, joint);
      }
    }
    let k = axes.length - 1;
    for (; k >= 0 && ++states[k] === shape[k]; k--) states[k] = 0;
    if (k < 0) return;
  }
}

function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === -Infinity ? high : high + Math.log(Math.exp(a - high) + Math.exp(b - high));
}
