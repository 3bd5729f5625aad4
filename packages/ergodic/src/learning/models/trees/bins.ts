/**
 * Divides the values of each column into at most 255 bins, for kernels/learning/trees.ts, whose head describes the
 * layout.
 *
 * Thresholds are float32, and values are rounded to float32 first. If a column has at most `most` distinct values, each
 * has its own bin. Otherwise, the bins hold about equal sums of row weights. A threshold lies midway between two
 * neighbouring values. A category has a bin for each of its levels; of more than 254 levels, the rarest count as missing.
 */

import type { Dataset } from "../../../engine/data/dataset.ts";
import { elementBytes } from "../../../engine/data/layout.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import type { Arena } from "../../../engine/memory/arena.ts";
import { Arena as Buffers } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";

/** Columns per block. */
export const BLOCK = 8;
/** Largest number of levels of a category that have their own bins. */
const MOST_LEVELS = 254;

/** The bins of one column. */
export type ColumnBins =
  | { readonly kind: "number"; readonly cuts: Float32Array; readonly count: number }
  | {
      readonly kind: "category";
      /** Level of each bin. */
      readonly levels: readonly number[];
      /** Number of levels of the column. Levels without a bin count as missing. */
      readonly levelCount: number;
      readonly count: number;
    };

export interface Binned {
  readonly columns: readonly ColumnBins[];
  /** Address of the bins. */
  readonly bins: number;
  readonly blocks: number;
}

/** @throws CapabilityError for sparse or quantised rows */
export function binned(data: Dataset, most: number, weights: Float64Array | null, engine: Engine, arena: Arena): Binned {
  const { layout, rowCount, columnCount } = data;
  if (layout.format !== "dense" || (layout.type !== "f32" && layout.type !== "f64"))
    throw new CapabilityError(
      "trees",
      layout.format === "dense"
        ? `the dataset is ${layout.type}, but trees make bins of floats themselves; leave precision out`
        : 'the rows are sparse, but trees need dense rows; read the data with layout: "dense"',
      "MODEL_CAPABILITY",
    );
  const isF64 = Number(layout.type === "f64");
  const size = elementBytes[layout.type];
  const stride = layout.stride * size;
  const blocks = Math.ceil(columnCount / BLOCK);
  const bins = arena.take(blocks * rowCount * BLOCK);
  const kernel = (name: string): ((...args: number[]) => number) => engine.kernel(name, true);
  const [sort, bin, binCategory] = ["treesSort", "treesBin", "treesBinCategory"].map(kernel);
  const buffers = new Buffers(engine.memory, "bins of trees");
  try {
    const [keys, other, counts, cutsAt] = [rowCount * 8, rowCount * 8, 8192, 1024].map((bytes) => buffers.take(bytes));
    const columns = Array.from({ length: columnCount }, (_, j): ColumnBins => {
      const values = layout.values + j * size;
      const to = bins + Math.floor(j / BLOCK) * rowCount * BLOCK + (j % BLOCK);
      const cell = data.pipeline.shape.cells?.[j];
      if (cell?.kind === "category") {
        const levels = keptLevels(data, j, cell.levels.length);
        const places = new Uint8Array(cell.levels.length).fill(levels.length);
        for (const [place, level] of levels.entries()) places[level] = place;
        const at = buffers.take(places.length);
        engine.memory.u8(at, places.length).set(places);
        binCategory(values, stride, isF64, rowCount, at, places.length, levels.length, to);
        return { kind: "category", levels, levelCount: places.length, count: levels.length + 1 };
      }
      const present = sort(values, stride, isF64, rowCount, keys, other, counts);
      const cuts = cutsOf(engine.memory.u32(keys, 2 * present), present, most, weights);
      engine.memory.f32(cutsAt, cuts.length).set(cuts);
      bin(values, stride, isF64, rowCount, cutsAt, cuts.length, to);
      return { kind: "number", cuts, count: cuts.length + 2 };
    });
    return { columns, bins, blocks };
  } finally {
    buffers.dispose();
  }
}

/** Returns the levels that go right. `isRight`: whether a bin goes right. */
export function levelsRight(
  { levels, levelCount, count }: ColumnBins & { kind: "category" },
  isRight: (bin: number) => boolean,
): number[] {
  const right = levels.filter((_, bin) => isRight(bin));
  if (levels.length === levelCount || !isRight(count - 1)) return right;
  const own = new Set(levels);
  return [...right, ...Array.from({ length: levelCount }, (_, level) => level).filter((level) => !own.has(level))];
}

/** Returns the levels that have their own bins, in order. */
function keptLevels(data: Dataset, column: number, count: number): number[] {
  const all = Array.from({ length: count }, (_, level) => level);
  if (count <= MOST_LEVELS) return all;
  const rows = new Float64Array(count);
  const read = data.rows().open();
  for (let i = 0; i < data.rowCount; i++) {
    const level = read(i).values[column];
    if (level >= 0) rows[level]++;
  }
  return all
    .sort((a, b) => rows[b] - rows[a] || a - b)
    .slice(0, MOST_LEVELS)
    .sort((a, b) => a - b);
}

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The inverse of keyOf in the kernel. */
function floatOf(key: number): number {
  bits[0] = key & 0x80000000 ? key & 0x7fffffff : ~key;
  return float[0];
}

/** Returns the thresholds of a column from its sorted pairs (key, row). */
export function cutsOf(pairs: Uint32Array, present: number, most: number, weights: Float64Array | null): Float32Array {
  const values = new Uint32Array(present);
  const sums = new Float64Array(present);
  let total = 0;
  let distinct = 0;
  for (let k = 0; k < present; k++) {
    const key = pairs[2 * k];
    const weight = weights ? weights[pairs[2 * k + 1]] : 1;
    if (k === 0 || key !== pairs[2 * k - 2]) values[distinct++] = key;
    sums[distinct - 1] += weight;
    total += weight;
  }
  const cuts: number[] = [];
  let below = 0;
  let taken = 0;
  for (let k = 0; k + 1 < distinct; k++) {
    below += sums[k];
    const left = most - 1 - cuts.length;
    if (left === 0) break;
    // A bin ends when it holds its share of the weight that is left for the remaining bins.
    const isOwn = distinct - 1 - k <= left;
    if (!isOwn && below - taken < (total - taken) / (left + 1) - sums[k + 1] / 2) continue;
    taken = below;
    cuts.push(between(floatOf(values[k]), floatOf(values[k + 1])));
  }
  return Float32Array.from(cuts);
}

/** Returns a float32 t with low < t <= high, as near to the middle as float32 allows. */
function between(low: number, high: number): number {
  const middle = Math.fround(low / 2 + high / 2);
  return middle > low && middle <= high ? middle : high;
}
