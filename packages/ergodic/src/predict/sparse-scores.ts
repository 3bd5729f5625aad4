import type { LyingRows } from "../engine/data/lying-rows.ts";
import { withKernels } from "./score-kernels.ts";

/** Largest block that the kernel processes in one call. Such a block should stay in the processor's cache. */
const ROWS = 4096;
const ENTRIES = 8192;

/**
 * Computes z of sparse rows [from, from + count) without copying the rows, and writes it to the start of z.
 *
 * A kernel is faster here, because JavaScript compilers emit about 35 instructions per entry, and a processor looks
 * ahead only a few hundred instructions. Therefore, while the processor waits for a weight that is not in a cache, it
 * finds too few other loads to start. Outputs are computed one after another, because the weights of one output stay in
 * a cache longer than the weights of all outputs.
 */
export function entryScores(
  { weights, intercept }: { readonly weights: Float64Array; readonly intercept: Float64Array },
  rows: LyingRows,
  from: number,
  count: number,
  z: Float64Array,
): void {
  const outputs = intercept.length;
  const columns = weights.length / outputs;
  const { rowStart, columnIndex, extra } = rows.entries!;
  // Copying the weights takes longer than computing a few entries.
  const isLong = 2 * (rowStart[from + count] - rowStart[from]) >= columns;
  let values: LyingRows["values"] | undefined;
  for (let k = 0; k < outputs; k++) {
    const w = weights.subarray(k * columns, (k + 1) * columns);
    const put = (i: number, sum: number) => {
      z[i * outputs + k] = sum;
    };
    if (isLong && byKernel(rows, w, intercept[k], from, count, put)) continue;
    values ??= rows.isF32 && rows.values instanceof Float64Array ? new Float32Array(rows.values) : rows.values;
    for (let i = 0; i < count; i++) {
      const end = rowStart[from + i + 1] - extra;
      let sum = intercept[k];
      for (let e = rowStart[from + i]; e < end; e++) sum += values[e] * w[columnIndex[e]];
      put(i, sum);
    }
  }
}

function byKernel(
  { values, isF32, entries }: LyingRows,
  w: Float64Array,
  b: number,
  from: number,
  count: number,
  put: (i: number, sum: number) => void,
): boolean {
  const { rowStart, columnIndex, extra } = entries!;
  const zAt = 8 * w.length;
  const xAt = zAt + 8 * ROWS;
  const columnsAt = xAt + 8 * ENTRIES;
  const startsAt = columnsAt + 4 * ENTRIES;
  return withKernels(startsAt + 4 * (ROWS + 1), (kernels, buffer) => {
    const sums = new Float64Array(buffer, zAt, ROWS);
    const x = new (isF32 ? Float32Array : Float64Array)(buffer, xAt, ENTRIES);
    const columns = new Uint32Array(buffer, columnsAt, ENTRIES);
    const starts = new Uint32Array(buffer, startsAt, ROWS + 1);
    const kernel = isF32 ? kernels.entriesF32 : kernels.entriesF64;
    new Float64Array(buffer).set(w);
    for (let done = 0; done < count; done += ROWS) {
      const some = Math.min(ROWS, count - done);
      starts.set(rowStart.subarray(from + done, from + done + some + 1));
      sums.fill(b);
      let row = 0;
      for (let e = starts[0]; e < starts[some]; e += ENTRIES) {
        const to = Math.min(e + ENTRIES, starts[some]);
        x.set(values.subarray(e, to));
        columns.set(columnIndex.subarray(e, to));
        row = kernel(xAt, columnsAt, startsAt, 0, zAt, row, some, e, to, extra);
      }
      for (let i = 0; i < some; i++) put(done + i, sums[i]);
    }
  });
}
