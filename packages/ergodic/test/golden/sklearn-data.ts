/** The exact data of sklearn-optima.py: Lehmer's generator, with sums in the same order. */
import { Dataset } from "../../src/engine/data/dataset.ts";
import type { ArraysOptions } from "../../src/engine/data/from-arrays.ts";

export const ROWS = 240;
export const COLUMNS = 8;

export function* numbers(seed: number): Generator<number, never> {
  for (let s = seed; ; ) {
    s = (s * 48271) % 2147483647;
    yield s / 2147483647 - 0.5;
  }
}

export interface PlantedData {
  x: number[][];
  number: number[];
  /** `number` with outliers. */
  spiked: number[];
  binary: number[];
  classes: number[];
  count: number[];
  weight: number[];
}

export function plantedData(seed = 20240601, rows = ROWS): PlantedData {
  const u = numbers(seed);
  const next = (): number => u.next().value;
  const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
  const x = times(rows, () => times(COLUMNS, () => 2 * next()));
  const planted = times(3, () => times(COLUMNS, (j) => (j < 4 ? 4 * next() : 0)));
  const noise = times(rows, () => times(3, next));
  const score = (i: number, k: number): number => {
    let total = 0.25;
    for (let j = 0; j < COLUMNS; j++) total += x[i][j] * planted[k][j];
    return total;
  };
  const largest = (values: number[]): number => values.indexOf(Math.max(...values));
  const number = times(rows, (i) => score(i, 0) + 0.5 * noise[i][0]);
  return {
    x,
    number,
    spiked: number.map((y, i) => y + (i % 17 === 0 ? 8 : 0)),
    binary: times(rows, (i) => (score(i, 0) + 1.5 * noise[i][0] > 0 ? 1 : 0)),
    classes: times(rows, (i) => largest(times(3, (k) => score(i, k) + 2 * noise[i][k]))),
    count: times(rows, (i) => Math.floor((1.5 + 0.5 * score(i, 0) + noise[i][1]) ** 2)),
    weight: times(rows, (i) => 1 + (i % 5) / 4),
  };
}

/** A float64 dataset with the given target. */
export function plantedDataset(
  data: PlantedData,
  target: "number" | "spiked" | "binary" | "classes" | "count",
  options: Partial<ArraysOptions> = {},
): Dataset {
  const classes = target === "binary" || target === "classes";
  return Dataset.fromArrays({ x: data.x, y: data[target], classes, type: "f64", ...options });
}
