/**
 * Small planted problems with the same rows dense and sparse. Two thirds of the cells are zero, and every third row has
 * a value in column 0.
 */
import { Dataset } from "../../../src/engine/data/dataset.ts";
import { numbers } from "../../golden/sklearn-data.ts";
import type { Entry } from "../../reference/linear-gradient.ts";

export type Format = "dense" | "sparse";

export interface Planted {
  data: Dataset;
  /** Nonzero cells of each row, without the intercept. */
  entries: Entry[][];
  /** Class index or number. */
  y: number[];
}

export interface PlantedOptions {
  rows: number;
  columns: number;
  /** Number of target classes. 0: numbers, "count": counts. */
  classes: number | "count";
  format: Format;
  /** Share of cells that are not zero. */
  density?: number;
  seed?: number;
  type?: "f32" | "f64";
  /** Size of the noise in the outputs. */
  noise?: number;
}

export function plantedRows({
  rows,
  columns,
  classes,
  format,
  density = 0.35,
  seed = 5,
  type = "f64",
  noise = 0.5,
}: PlantedOptions): Planted {
  const u = numbers(seed);
  const next = (): number => u.next().value;
  const outputs = typeof classes === "number" ? Math.max(1, classes === 2 ? 1 : classes) : 1;
  const planted = Array.from({ length: outputs }, () => Array.from({ length: columns }, () => 4 * next()));
  const entries = Array.from({ length: rows }, () => {
    const row: Entry[] = [];
    for (let j = 0; j < columns; j++) {
      const value = Math.fround(2 * next());
      if (next() + 0.5 < density) row.push([j, value]);
    }
    return row;
  });
  const y = entries.map((row) => {
    const z = planted.map((w) => row.reduce((sum, [j, x]) => sum + x * w[j], 0.2) + noise * next());
    if (classes === "count") return Math.floor((1.2 + 0.3 * z[0]) ** 2);
    if (classes === 0) return z[0];
    return classes === 2 ? Number(z[0] > 0) : z.indexOf(Math.max(...z));
  });
  const labelled = classes !== 0 && classes !== "count";
  if (format === "dense") {
    const x = entries.map((row) => {
      const dense = new Array<number>(columns).fill(0);
      for (const [j, v] of row) dense[j] = v;
      return dense;
    });
    return { data: Dataset.fromArrays({ x, y, type, classes: labelled }), entries, y };
  }
  let count = 0;
  const rowStart = Uint32Array.from([0, ...entries.map((row) => (count += row.length))]);
  const table = {
    rowCount: rows,
    columnCount: columns,
    rowStart,
    columnIndex: Uint32Array.from(entries.flat(), ([j]) => j),
    values: Float64Array.from(entries.flat(), ([, v]) => v),
    target: Float64Array.from(y),
    source: "planted",
  };
  return { data: Dataset.fromSparse(table, { type, classes: labelled }), entries, y };
}
