/**
 * Grows one tree on binned columns, leaf by leaf: the leaf whose division reduces the objective most is divided next.
 * kernels/learning/trees.ts computes histograms, divisions and the order of rows.
 *
 * Rows of a leaf are contiguous in a list of row numbers. Of two children, the histogram of the smaller one is computed
 * from its rows, and that of the other is the difference from the parent's. If there is no room to keep the parent's,
 * both are computed from rows.
 */

import type { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import * as field from "../../fields.ts";
import { type Binned, BLOCK, levelsRight } from "./bins.ts";
import type { GrownTree, TreeNode } from "./ensemble-vector.ts";
import { exponentOf } from "./exponent.ts";
import type { TreesSettings } from "./settings.ts";

/** Levels of a category up to which one level is divided from the rest, and smoothing for more levels, as in LightGBM. */
const ONE_VS_REST = 4;
const SMOOTH = 10;
const CATEGORY_L2 = 10;
/** Histograms are kept as long as they take at most this many bytes together. */
const HISTOGRAM_BYTES = 2 ** 28;

/** Rows that a tree is grown on. */
export interface TreeRows {
  /** Addresses of the first and second derivatives of the loss: f64[rows]. */
  readonly slopes: number;
  readonly curvatures: number;
  /** Address of the outputs to which the tree's values are added. */
  readonly z: number;
  /** Rows that determine the tree. */
  readonly drawn: Uint32Array | null;
  /** Columns that the tree can use; null for all. */
  readonly columns: Uint8Array | null;
  /** Value of a leaf with these rows, before it is multiplied by the rate. Default: the value from the derivatives. */
  readonly leafValue?: ((rows: Uint32Array) => number) | undefined;
}

interface Leaf {
  /** Index of the node. */
  readonly node: number;
  /** Range of rows in the list: rows that determine the tree, and other rows. */
  readonly rows: Range;
  readonly others: Range;
  readonly depth: number;
  readonly low: number;
  readonly high: number;
  /** Value before it is multiplied by the rate. */
  readonly value: number;
  /** Sums of the leaf as two i64. */
  readonly sums: BigInt64Array;
  histogram: number | undefined;
  /** The best division. */
  split: Split | undefined;
}

type Range = { readonly from: number; readonly count: number };

interface Split {
  readonly gain: number;
  readonly column: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly left: BigInt64Array;
  readonly leftRows: number;
  readonly weights: readonly [number, number];
  readonly table: Uint8Array;
}

const kernels = ["Histogram", "Subtract", "Split", "Divide", "Add", "Round", "Largest", "Smallest", "Sums"] as const;

export class TreeGrower {
  private readonly engine: Engine;
  private readonly settings: TreesSettings;
  private readonly binned: Binned;
  private readonly rowCount: number;
  private readonly workers: number;
  private readonly deterministic: boolean;
  private readonly kernel: Readonly<Record<(typeof kernels)[number], (...args: number[]) => number>>;
  private readonly block: number;
  private readonly at: Readonly<Record<"active" | "gradients" | "ones" | "rows" | "other" | "split" | "sums" | "counts", number>>;
  private readonly histogramBytes: number;
  /** Free places for histograms. */
  private readonly free: number[] = [];
  private unitG = 1;
  private unitH = 1;
  /** Whether second derivatives are proportional to row counts in this round. */
  private countsFollow = false;

  constructor(
    parts: { engine: Engine; binned: Binned; rowCount: number; monotone: Int8Array; workers: number; deterministic: boolean },
    settings: TreesSettings,
    arena: Arena,
  ) {
    const { engine, binned, rowCount, monotone } = parts;
    this.engine = engine;
    this.settings = settings;
    this.binned = binned;
    this.rowCount = rowCount;
    this.workers = parts.workers;
    this.deterministic = parts.deterministic;
    this.kernel = Object.fromEntries(kernels.map((name) => [name, engine.kernel(`trees${name}`, true)])) as typeof this.kernel;
    const { columns, blocks } = binned;
    const starts = new Uint32Array(blocks * BLOCK + 1);
    let size = 0;
    for (let b = 0; b < blocks; b++) {
      for (let k = 0; k < BLOCK; k++) {
        starts[b * BLOCK + k] = size;
        size += 16 * (columns[b * BLOCK + k]?.count ?? 0);
      }
      // Columns that only fill the last block share one pair.
      if ((b + 1) * BLOCK > columns.length) size += 16;
    }
    starts[blocks * BLOCK] = size;
    this.histogramBytes = size;
    const bytesOf = (values: Uint8Array | Int8Array | Uint32Array): number => {
      const pointer = arena.take(values.byteLength);
      engine.memory.u8(pointer, values.byteLength).set(new Uint8Array(values.buffer));
      return pointer;
    };
    const isCounted = settings.minRows > 1;
    this.at = {
      active: bytesOf(new Uint8Array(columns.length)),
      gradients: arena.take(rowCount * 16),
      ones: isCounted ? arena.take(rowCount * 16) : 0,
      rows: arena.take(rowCount * 4),
      other: arena.take(rowCount * 4),
      split: arena.take(field.SPLIT_BYTES),
      sums: arena.take(16),
      counts: isCounted ? arena.take(size) : 0,
    };
    if (isCounted)
      engine.memory
        .u32(this.at.ones, rowCount * 4)
        .set(Uint32Array.from({ length: rowCount * 4 }, (_, k) => Number(k % 4 === 0)));
    this.block = arena.block(field.TREES_BYTES, [
      [field.TREES_BINS, binned.bins],
      [field.TREES_STARTS, bytesOf(starts)],
      [field.TREES_ROWS, rowCount],
      [field.TREES_COLUMNS, columns.length],
      [field.TREES_BIN_COUNTS, bytesOf(Uint32Array.from(columns, ({ count }) => count))],
      [field.TREES_KINDS, bytesOf(Uint8Array.from(columns, ({ kind }) => Number(kind === "category")))],
      [field.TREES_ACTIVE, this.at.active],
      [field.TREES_MONOTONE, bytesOf(monotone)],
      [field.TREES_ORDER, arena.take(1024)],
      [field.TREES_MOST_ONE_VS_REST, ONE_VS_REST],
    ]);
    arena.setF64(this.block, field.TREES_L1_F64, settings.l1);
    arena.setF64(this.block, field.TREES_L2_F64, settings.l2);
    arena.setF64(this.block, field.TREES_MIN_HESSIAN_F64, settings.minHessian);
    arena.setF64(this.block, field.TREES_MIN_ROWS_F64, isCounted ? settings.minRows - 0.5 : 0);
    arena.setF64(this.block, field.TREES_SMOOTH_F64, SMOOTH);
    arena.setF64(this.block, field.TREES_CATEGORY_L2_F64, CATEGORY_L2);
    const places = Math.max(2, Math.min(settings.leaves + 1, Math.floor(HISTOGRAM_BYTES / size)));
    const all = arena.take(places * size);
    for (let k = places - 1; k >= 0; k--) this.free.push(all + k * size);
  }

  /** Grows a tree, and adds its values to z. `output`: output of the model to which the tree belongs. */
  async grow(output: number, rows: TreeRows): Promise<GrownTree> {
    const { engine, settings, at, kernel, rowCount } = this;
    const { memory } = engine;
    this.round(rows);
    const drawn = rows.drawn?.length ?? rowCount;
    this.list(rows.drawn);
    memory.u8(at.active, this.binned.columns.length).set(rows.columns ?? new Uint8Array(this.binned.columns.length).fill(1));
    kernel.Sums(at.gradients, at.rows, drawn, at.sums);
    const sums = this.sumsAt(at.sums);
    const value = this.weightOf(sums);
    const nodes: TreeNode[] = [leafNode(value * settings.rate, Number(sums[1]) * this.unitH)];
    const root: Leaf = {
      node: 0,
      rows: { from: 0, count: drawn },
      others: { from: drawn, count: rowCount - drawn },
      depth: 0,
      low: -Infinity,
      high: Infinity,
      value,
      sums,
      histogram: undefined,
      split: undefined,
    };
    const leaves = [root];
    await this.histogramOf(root);
    this.search(root);
    while (leaves.length < settings.leaves) {
      const best = bestOf(leaves);
      if (best < 0) break;
      const children = this.divide(leaves[best], nodes);
      if (leaves.length + 1 < settings.leaves) await this.prepare(leaves[best], children);
      this.release(leaves[best]);
      leaves.splice(best, 1, ...children);
    }
    for (const leaf of leaves) {
      this.release(leaf);
      const own = rows.leafValue?.(memory.u32(at.rows + 4 * leaf.rows.from, leaf.rows.count));
      if (own !== undefined) nodes[leaf.node] = { ...nodes[leaf.node], value: own * settings.rate };
      for (const { from, count } of [leaf.rows, leaf.others])
        if (count > 0) kernel.Add(rows.z, at.rows + 4 * from, count, nodes[leaf.node].value);
    }
    return { output, nodes };
  }

  /** Rounds the derivatives to whole multiples of powers of two, so small that no sum of rows overflows. */
  private round({ slopes, curvatures }: TreeRows): void {
    const { rowCount, kernel, at, engine } = this;
    const [g, h] = [slopes, curvatures].map((from) => kernel.Largest(from, rowCount));
    const scaleOf = (largest: number): number => 2 ** (61 - exponentOf(rowCount) - exponentOf(largest));
    const [scaleG, scaleH] = [scaleOf(g), scaleOf(h)];
    this.unitG = 1 / scaleG;
    this.unitH = 1 / scaleH;
    kernel.Round(slopes, curvatures, rowCount, scaleG, scaleH, at.gradients);
    const set = (place: number, value: number): void => {
      engine.memory.f64(this.block + place, 1)[0] = value;
    };
    set(field.TREES_UNIT_G_F64, this.unitG);
    set(field.TREES_UNIT_H_F64, this.unitH);
    this.countsFollow = this.settings.minRows > 1 && kernel.Smallest(curvatures, rowCount) === h;
    set(field.TREES_COUNT_UNIT_F64, this.countsFollow ? this.unitH / h : 0);
  }

  /** Lists the rows: first those that are drawn, then the others. */
  private list(drawn: Uint32Array | null): void {
    const all = this.engine.memory.u32(this.at.rows, this.rowCount);
    if (!drawn) {
      for (let i = 0; i < all.length; i++) all[i] = i;
      return;
    }
    all.set(drawn);
    const isDrawn = new Uint8Array(this.rowCount);
    for (const row of drawn) isDrawn[row] = 1;
    for (let i = 0, to = drawn.length; i < isDrawn.length; i++) if (isDrawn[i] === 0) all[to++] = i;
  }

  private sumsAt(address: number): BigInt64Array {
    return new BigInt64Array(this.engine.memory.u8(address, 16).slice().buffer);
  }

  private weightOf(sums: BigInt64Array): number {
    const { l1, l2 } = this.settings;
    const g = Number(sums[0]) * this.unitG;
    const h = Number(sums[1]) * this.unitH;
    const size = Math.max(0, Math.abs(g) - l1);
    return size === 0 ? 0 : (-Math.sign(g) * size) / (h + l2);
  }

  /** Computes the histogram of a leaf from its rows, with several workers by blocks of columns. */
  private async histogramOf(leaf: Leaf): Promise<void> {
    const { at, block, binned, workers, kernel } = this;
    leaf.histogram = this.free.pop();
    const place = leaf.histogram!;
    const args = [block, at.gradients, at.rows + 4 * leaf.rows.from, leaf.rows.count, place];
    const parts = Math.min(workers, binned.blocks);
    if (parts < 2 || leaf.rows.count * binned.blocks < PARALLEL_WORK) {
      kernel.Histogram(...args, 0, binned.blocks);
      return;
    }
    const calls = Array.from({ length: parts }, (_, k) => ({
      kernel: "treesHistogram",
      args: [...args, Math.floor((k * binned.blocks) / parts), Math.floor(((k + 1) * binned.blocks) / parts)],
    }));
    await this.engine.run(calls, { workers, deterministic: this.deterministic });
  }

  /** Finds the best division of a leaf that has a histogram. */
  private search(leaf: Leaf): void {
    const { at, kernel, block, engine, settings, binned } = this;
    const { split } = at;
    const { memory } = engine;
    if (leaf.depth >= settings.depth || leaf.rows.count < 2 * settings.minRows) return;
    const counted = settings.minRows > 1 && !this.countsFollow;
    if (counted) kernel.Histogram(block, at.ones, at.rows + 4 * leaf.rows.from, leaf.rows.count, at.counts, 0, binned.blocks);
    memory.f64(split + field.SPLIT_LOW_F64, 2).set([leaf.low, leaf.high]);
    new BigInt64Array(memory.u8(at.sums, 16).buffer, at.sums, 2).set(leaf.sums);
    kernel.Split(block, leaf.histogram!, counted ? at.counts : 0, at.sums, leaf.rows.count, split);
    const f64 = (place: number): number => memory.f64(split + place, 1)[0];
    const u32 = (place: number): number => memory.u32(split + place, 1)[0];
    const gain = f64(field.SPLIT_GAIN_F64);
    if (!(gain > settings.minGain)) return;
    leaf.split = {
      gain,
      column: u32(field.SPLIT_COLUMN),
      bin: u32(field.SPLIT_BIN),
      missingLeft: u32(field.SPLIT_MISSING_LEFT) === 1,
      left: this.sumsAt(split + field.SPLIT_LEFT_G),
      leftRows: f64(field.SPLIT_LEFT_ROWS_F64),
      weights: [f64(field.SPLIT_LEFT_WEIGHT_F64), f64(field.SPLIT_RIGHT_WEIGHT_F64)],
      table: memory.u8(split + field.SPLIT_TABLE, 256).slice(),
    };
  }

  /** Divides a leaf: its node gets two children, and its rows are ordered by child. */
  private divide(leaf: Leaf, nodes: TreeNode[]): [Leaf, Leaf] {
    const { at, engine, kernel, binned, rowCount, settings } = this;
    const { column, bin, missingLeft, left, weights, table, gain } = leaf.split!;
    const bins = binned.bins + Math.floor(column / BLOCK) * rowCount * BLOCK + (column % BLOCK);
    const tableAt = at.split + field.SPLIT_TABLE;
    engine.memory.u8(tableAt, 256).set(table);
    const halves = (range: Range): [Range, Range] => {
      const first = range.count && kernel.Divide(bins, at.rows + 4 * range.from, range.count, tableAt, at.other);
      return [
        { from: range.from, count: first },
        { from: range.from + first, count: range.count - first },
      ];
    };
    const rows = halves(leaf.rows);
    const others = halves(leaf.others);
    const sums = [left, BigInt64Array.from(leaf.sums, (sum, k) => sum - left[k])];
    const own = binned.columns[column];
    const node = nodes[leaf.node];
    nodes[leaf.node] = {
      ...node,
      feature: column,
      threshold: own.kind === "number" ? (own.cuts[bin] ?? MOST) : 0,
      left: nodes.length,
      right: nodes.length + 1,
      missingLeft,
      gain,
      ...(own.kind === "category" ? { set: levelsRight(own, (b) => table[b] === 1) } : {}),
    };
    for (const k of [0, 1]) nodes.push(leafNode(weights[k] * settings.rate, Number(sums[k][1]) * this.unitH));
    const way = this.wayOf(column);
    const middle = (weights[0] + weights[1]) / 2;
    return [0, 1].map((k) => ({
      node: nodes.length - 2 + k,
      rows: rows[k],
      others: others[k],
      depth: leaf.depth + 1,
      low: (k === 0 ? way < 0 : way > 0) ? middle : leaf.low,
      high: (k === 0 ? way > 0 : way < 0) ? middle : leaf.high,
      value: weights[k],
      sums: sums[k],
      histogram: undefined,
      split: undefined,
    })) as [Leaf, Leaf];
  }

  private wayOf(column: number): number {
    const { memory } = this.engine;
    return (memory.u8(memory.u32(this.block + field.TREES_MONOTONE, 1)[0] + column, 1)[0] << 24) >> 24;
  }

  /** Computes the histograms and the best divisions of two children. */
  private async prepare(parent: Leaf, children: [Leaf, Leaf]): Promise<void> {
    const { settings, kernel, histogramBytes } = this;
    const canDivide = ({ depth, rows, sums }: Leaf): boolean =>
      depth < settings.depth && rows.count >= 2 * settings.minRows && Number(sums[1]) * this.unitH >= 2 * settings.minHessian;
    const [small, large] = children[0].rows.count <= children[1].rows.count ? children : [children[1], children[0]];
    if (parent.histogram !== undefined && canDivide(large) && this.free.length > 0) {
      await this.histogramOf(small);
      large.histogram = parent.histogram;
      parent.histogram = undefined;
      kernel.Subtract(large.histogram, small.histogram!, histogramBytes);
      for (const child of [small, large]) {
        if (canDivide(child)) this.search(child);
        if (!child.split || this.free.length === 0) this.release(child);
      }
      return;
    }
    this.release(parent);
    for (const child of [small, large]) {
      if (!canDivide(child)) continue;
      await this.histogramOf(child);
      this.search(child);
      if (!child.split || this.free.length === 0) this.release(child);
    }
  }

  private release(leaf: Leaf): void {
    if (leaf.histogram !== undefined) this.free.push(leaf.histogram);
    leaf.histogram = undefined;
  }
}

/** Threshold of a division of present from missing values: the largest float32. */
const MOST = 3.4028234663852886e38;
/** Smallest number of rows times blocks for which several workers are faster than one. */
const PARALLEL_WORK = 20_000;

const leafNode = (value: number, cover: number): TreeNode => ({
  feature: -1,
  threshold: 0,
  left: 0,
  right: 0,
  missingLeft: false,
  value,
  gain: 0,
  cover,
});

/** Returns the index of the leaf with the largest gain, or −1 if no leaf can be divided. Of equal gains, the first. */
function bestOf(leaves: readonly Leaf[]): number {
  let best = -1;
  for (const [k, { split }] of leaves.entries()) if (split && (best < 0 || split.gain > leaves[best].split!.gain)) best = k;
  return best;
}
