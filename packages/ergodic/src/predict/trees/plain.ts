import type { ReadRow } from "../../engine/data/rows.ts";
import { type Ensemble, leafNode, startOf } from "./ensemble.ts";

/** `Walks.addTo` without a kernel, with the same bits. `columns`: number of columns of a row. */
export function addPlainly(
  ensemble: Ensemble,
  columns: number,
  read: ReadRow,
  from: number,
  count: number,
  z: Float64Array,
  first: number,
  end: number,
): void {
  const { outputOf, left, values, leafWidth, base, isFloatSum, threshold } = ensemble;
  const outputs = base.length;
  const rounds = threshold instanceof Float32Array;
  const x = new Float64Array(columns);
  for (let i = 0; i < count; i++) {
    const row = read(from + i);
    if (row.columns) {
      x.fill(0);
      for (let e = 0; e < row.count; e++) x[row.columns[e]] = row.values[e];
    } else for (let j = 0; j < columns; j++) x[j] = row.values[j];
    if (rounds) for (let j = 0; j < columns; j++) x[j] = Math.fround(x[j]);
    const own = z.subarray(i * outputs, (i + 1) * outputs);
    if (first === 0) own.set(startOf(ensemble));
    for (let t = first; t < end; t++) {
      const leaf = left[leafNode(ensemble, t, x)];
      for (let k = 0; k < leafWidth; k++) {
        const sum = own[outputOf[t] + k] + values[leaf * leafWidth + k];
        own[outputOf[t] + k] = isFloatSum ? Math.fround(sum) : sum;
      }
    }
  }
}

/** Divides the sums of `count` rows by the divisor, if there is one, and adds the base. */
export function divideSums({ base, divisor = 1 }: Ensemble, z: Float64Array, count: number): void {
  const outputs = base.length;
  if (divisor !== 1) for (let i = 0; i < count * outputs; i++) z[i] = base[i % outputs] + z[i] / divisor;
}
