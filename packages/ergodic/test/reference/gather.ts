/** Plain twins of kernels/engine/arrays/gather.ts and kernels/engine/arrays/load-rows.ts. Matrices are row-major. */

const rowOf = (index: number, rows: number): number | undefined => (index >= 0 && index < rows ? Math.trunc(index) : undefined);

export function gatherRows(columns: number, table: readonly number[], tableRows: number, indices: readonly number[]): number[] {
  return indices.flatMap((index) => {
    const row = rowOf(index, tableRows);
    return row === undefined ? new Array<number>(columns).fill(Number.NaN) : table.slice(row * columns, (row + 1) * columns);
  });
}

/** `round` rounds the result of an addition. */
export function scatterRows(
  columns: number,
  values: readonly number[],
  indices: readonly number[],
  outRows: number,
  round: (x: number) => number,
): number[] {
  const out = new Array<number>(outRows * columns).fill(0);
  for (const [i, index] of indices.entries()) {
    const row = rowOf(index, outRows);
    if (row === undefined) continue;
    for (let j = 0; j < columns; j++) out[row * columns + j] = round(out[row * columns + j] + values[i * columns + j]);
  }
  return out;
}

export function loadRows(
  columns: number,
  source: readonly number[],
  stride: number,
  scale: number,
  rows: readonly number[],
): number[] {
  return rows.flatMap((row) => source.slice(row * stride, row * stride + columns).map((x) => scale * x));
}
