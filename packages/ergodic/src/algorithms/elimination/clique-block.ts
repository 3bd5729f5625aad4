import * as F from "../../host/fields.ts";
import type { Allocation, EngineMemory } from "../../host/memory.ts";
import { sizeOf } from "../inference/table.ts";

/** Values in the engine's memory by the states of `axes`, the last fastest. */
export interface Placed {
  /** Address of f64s. */
  readonly pointer: number;
  readonly axes: readonly number[];
}

/** Only some states of some axes: by axis, the first and how many. */
export type AxisRanges = ReadonlyMap<number, readonly [first: number, count: number]>;

/** How many of the last axes are inner ones. */
export function innerAxes(shape: readonly number[]): number {
  let inner = 1;
  let count = 0;
  while (count < shape.length && (inner === 1 || inner * shape[shape.length - 1 - count] <= INNER))
    inner *= shape[shape.length - ++count];
  return count;
}

/** Inner states of a block: as many as stay in the fastest cache with what they are multiplied from. */
const INNER = 512;

/** A CLIQUE block (host/fields.ts): what kernels/clique.ts sweeps over. */
export class CliqueBlock {
  readonly pointer: number;
  /** Blocks of inner states. */
  readonly blocks: number;
  /** States of a block. */
  readonly inner: number;
  private readonly allocation: Allocation;

  /**
   * @param shape states of the axes; tables and outputs have some of the axes, in the same order
   * @param ranges what is swept of outer axes; others: all
   */
  constructor(
    memory: EngineMemory,
    axes: readonly number[],
    shape: readonly number[],
    tables: readonly Placed[],
    outputs: readonly Placed[],
    ranges: AxisRanges = new Map(),
  ) {
    const outer = axes.length - innerAxes(shape);
    const inner = sizeOf(shape.slice(outer));
    this.inner = inner;
    const outerShape = axes.slice(0, outer).map((axis, k) => ranges.get(axis)?.[1] ?? shape[k]);
    this.blocks = sizeOf(outerShape);
    const patterns = [...tables, ...outputs].map((placed) => patternOf(placed, axes, shape, outer, inner));
    const words = patterns.reduce((sum, { offsets }) => sum + offsets.length + outer, 2 * outer);
    const bytes = F.CLIQUE_BYTES + patterns.length * F.PATTERN_BYTES + (inner + 1) * 8 + words * 4;
    this.allocation = memory.allocate(bytes, "cliques");
    const clique = (this.pointer = this.allocation.pointer);
    const first = clique + F.CLIQUE_BYTES;
    const product = first + patterns.length * F.PATTERN_BYTES;
    let at = product + (inner + 1) * 8;
    const all = memory.u32(clique, bytes / 4);
    const u32 = (address: number, value: number): void => void (all[(address - clique) / 4] = value);
    const list = (values: ArrayLike<number>): number => {
      all.set(values, (at - clique) / 4);
      at += values.length * 4;
      return at - values.length * 4;
    };
    u32(clique + F.CLIQUE_AXES, outer);
    u32(clique + F.CLIQUE_SHAPE, list(outerShape));
    u32(clique + F.CLIQUE_DIGITS, list(new Array(outer).fill(0)));
    u32(clique + F.CLIQUE_INNER, inner);
    u32(clique + F.CLIQUE_TABLE_COUNT, tables.length);
    u32(clique + F.CLIQUE_TABLES, first);
    u32(clique + F.CLIQUE_OUTPUT_COUNT, outputs.length);
    u32(clique + F.CLIQUE_OUTPUTS, first + tables.length * F.PATTERN_BYTES);
    u32(clique + F.CLIQUE_PRODUCT, product);
    patterns.forEach(({ pointer, run, offsets, strides }, i) => {
      const skipped = axes.slice(0, outer).reduce((sum, axis, k) => sum + (ranges.get(axis)?.[0] ?? 0) * strides[k], 0);
      const pattern = first + i * F.PATTERN_BYTES;
      u32(pattern + F.PATTERN_VALUES, pointer + 8 * skipped);
      u32(pattern + F.PATTERN_RUN, run);
      u32(pattern + F.PATTERN_OFFSETS, list(offsets));
      u32(pattern + F.PATTERN_STRIDES, list(strides));
    });
  }

  dispose(): void {
    this.allocation.dispose();
  }
}

function patternOf(
  { pointer, axes: own }: Placed,
  axes: readonly number[],
  shape: readonly number[],
  outer: number,
  inner: number,
) {
  // Lists, not typed arrays: those take longer to make than such short ones to fill.
  const strides: number[] = new Array(axes.length).fill(0);
  let stride = 1;
  const has = new Set(own);
  for (let k = axes.length - 1; k >= 0; k--) {
    if (!has.has(axes[k])) continue;
    strides[k] = stride;
    stride *= shape[k];
  }
  let run = 1;
  let last = axes.length;
  while (last > outer && strides[last - 1] === 0) run *= shape[--last];
  const whole = axes.slice(outer).every((axis) => has.has(axis));
  const found = { pointer, strides: strides.slice(0, outer), offsets: [] as number[] };
  if (run === inner) return { ...found, run: inner };
  if (whole) return { ...found, run: 0 };
  const offsets: number[] = new Array(inner / run);
  const digits: number[] = new Array(last - outer).fill(0);
  for (let i = 0, at = 0; i < offsets.length; i++) {
    offsets[i] = at;
    for (let k = last - 1; k >= outer; k--) {
      at += strides[k];
      if (++digits[k - outer] < shape[k]) break;
      digits[k - outer] = 0;
      at -= strides[k] * shape[k];
    }
  }
  return { ...found, offsets, run };
}
