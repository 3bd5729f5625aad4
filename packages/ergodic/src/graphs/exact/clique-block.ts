import type { Allocation, EngineMemory } from "../../engine/memory/memory.ts";
import * as F from "../fields.ts";
import { sizeOf } from "../parts/factor-table.ts";
import { addRecord } from "../record.ts";
import { blockEntries, type Support, wordsOf } from "./support.ts";

/** Values in the engine's memory, indexed by the states of `axes`. The last axis varies fastest. */
export interface Placed {
  /** Address of the values (f64). */
  readonly pointer: number;
  readonly axes: readonly number[];
  /**
   * Support over the first axes. The support locates the stored blocks of entries. Without a support, all entries are
   * stored.
   */
  readonly support?: Support;
}

/** Restricts some axes to a range of states, given by the first state and the number of states. */
export type AxisRanges = ReadonlyMap<number, readonly [first: number, count: number]>;

/**
 * Returns the number of outer axes, which come first. The remaining inner axes have at most `most` joint states or
 * consist of a single axis.
 */
export function outerAxes(shape: readonly number[], most = INNER): number {
  let inner = 1;
  let count = 0;
  while (count < shape.length && (inner === 1 || inner * shape[shape.length - 1 - count] <= most))
    inner *= shape[shape.length - ++count];
  return shape.length - count;
}

/** Largest number of inner states per block. A block and its factors then stay in the fastest cache. */
const INNER = 512;

/** A CLIQUE block (graphs/fields.ts), which is the input of the sweep in kernels/graphs/clique.ts. */
export class CliqueBlock {
  readonly pointer: number;
  /** Number of blocks of inner states. */
  readonly blocks: number;
  /** Number of states in a block. */
  readonly inner: number;
  /** Address of the patterns. The patterns of the tables come first, followed by the patterns of the outputs. */
  readonly patterns: number;
  private readonly allocation: Allocation;

  /**
   * @param shape states of each axis; tables and outputs have some of the axes, in the same order
   * @param ranges range to sweep on outer axes (default: all states)
   */
  constructor(
    memory: EngineMemory,
    axes: readonly number[],
    shape: readonly number[],
    tables: readonly Placed[],
    outputs: readonly Placed[],
    ranges: AxisRanges = new Map(),
    outer = outerAxes(shape),
  ) {
    const inner = sizeOf(shape.slice(outer));
    this.inner = inner;
    const outerShape = axes.slice(0, outer).map((axis, k) => ranges.get(axis)?.[1] ?? shape[k]);
    this.blocks = sizeOf(outerShape);
    const patterns = [...tables, ...outputs].map((placed) => patternOf(placed, axes, shape, outer, inner));
    const words = patterns.reduce((sum, { offsets }) => sum + offsets.length + outer, 2 * outer);
    const bytes = F.CLIQUE_BYTES + patterns.length * F.PATTERN_BYTES + (inner + 1) * 8 + words * 4;
    this.allocation = memory.allocate(bytes, "cliques");
    const clique = (this.pointer = this.allocation.pointer);
    const first = (this.patterns = clique + F.CLIQUE_BYTES);
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

/** A CLIQUE block with a SUPPORT block. Together they are the input of the walk in kernels/graphs/clique-support.ts. */
export class SparseBlock {
  readonly pointer: number;
  /** Number of states in a block. */
  readonly inner: number;
  private readonly memory: EngineMemory;
  private readonly clique: CliqueBlock;
  private readonly allocation: Allocation;
  private readonly counts: number;

  /**
   * @param outer number of outer axes
   * @param supports supports that restrict the outer states, including the supports of tables and outputs
   * @param ranges range to visit on outer axes (default: all states)
   * @param built support to build, over the first axes
   */
  constructor(
    memory: EngineMemory,
    axes: readonly number[],
    shape: readonly number[],
    outer: number,
    { tables = [], outputs = [], supports, ranges = new Map(), built }: SparseWork,
  ) {
    this.memory = memory;
    this.clique = new CliqueBlock(memory, axes, shape, tables, outputs, new Map(), outer);
    this.pointer = this.clique.pointer;
    this.inner = this.clique.inner;
    const patterns = [...tables, ...outputs];
    const starts = [0];
    for (const count of shape.slice(0, outer)) starts.push(starts.at(-1)! + wordsOf(count));
    const allowed = new Uint32Array(starts[outer]);
    for (let k = 0; k < outer; k++) {
      const [first, count] = ranges.get(axes[k]) ?? [0, shape[k]];
      for (let state = first; state < first + count; state++) allowed[starts[k] + (state >>> 5)] |= 1 << (state & 31);
    }
    const places = new Map(axes.map((axis, k) => [axis, k]));
    const linksOf: { level: number; node: number }[][] = Array.from({ length: outer }, () => []);
    const nodeOf = new Map<Support, number>();
    let nodes = 0;
    for (const support of new Set(supports)) {
      for (const [l, axis] of support.axes.entries())
        linksOf[places.get(axis)!].push({ level: support.levels[l], node: nodes++ });
      nodeOf.set(support, nodes++);
    }
    const links = linksOf.flat();
    const linkStarts = [0];
    for (const of of linksOf) linkStarts.push(linkStarts.at(-1)! + of.length);
    const levels = built?.levels ?? [];
    const lengths = [
      outer + 1,
      allowed.length,
      allowed.length,
      outer + 1,
      (links.length * F.LINK_BYTES) / 4,
      (outer + 1) * patterns.length,
    ];
    const words = lengths.reduce((sum, length) => sum + length, nodes + levels.length);
    const counts = (outer + 1) * 8;
    this.allocation = memory.allocate(F.SUPPORT_BYTES + counts + words * 4, "cliques");
    const support = this.allocation.pointer;
    this.counts = support + F.SUPPORT_BYTES;
    let at = this.counts + counts;
    const u32 = (address: number, value: number): void => void (memory.u32(address, 1)[0] = value);
    const list = (field: number, values: ArrayLike<number>): void => {
      memory.u32(at, values.length).set(values);
      u32(support + field, at);
      at += values.length * 4;
    };
    const slots = at;
    at += nodes * 4;
    list(F.SUPPORT_STARTS, starts);
    list(F.SUPPORT_ALLOWED, allowed);
    list(F.SUPPORT_REST, new Uint32Array(allowed.length));
    list(F.SUPPORT_LINK_STARTS, linkStarts);
    list(F.SUPPORT_LINKS, linkRecords(links, slots));
    list(F.SUPPORT_BASES, new Uint32Array((outer + 1) * patterns.length));
    list(F.SUPPORT_LEVELS, levels);
    u32(support + F.SUPPORT_KEPT, levels.length);
    u32(support + F.SUPPORT_COUNTS, this.counts);
    u32(support + F.SUPPORT_CHANGED, outer);
    u32(this.pointer + F.CLIQUE_SUPPORT, support);
    patterns.forEach(({ axes: own, support: has }, i) => {
      if (!has) return;
      const pattern = this.clique.patterns + i * F.PATTERN_BYTES;
      u32(pattern + F.PATTERN_NODE, slots + 4 * nodeOf.get(has)!);
      const block = blockEntries(
        own.map((axis) => shape[places.get(axis)!]),
        has,
      );
      u32(pattern + F.PATTERN_BLOCK, block);
    });
  }

  /** Number of outer states reached. */
  get leaves(): number {
    return this.memory.f64(this.allocation.pointer + F.SUPPORT_LEAVES_F64, 1)[0];
  }

  /** Returns the number of joint states reached for the first axis, for the first two axes, and so on. */
  prefixes(count: number): number[] {
    return [...this.memory.f64(this.counts, count)];
  }

  dispose(): void {
    this.clique.dispose();
    this.allocation.dispose();
  }
}

/** Inputs and outputs of a walk over outer states. */
export interface SparseWork {
  readonly tables?: readonly Placed[];
  readonly outputs?: readonly Placed[];
  readonly supports: Iterable<Support>;
  readonly ranges?: AxisRanges;
  readonly built?: Support;
}

function patternOf(
  { pointer, axes: own, support }: Placed,
  axes: readonly number[],
  shape: readonly number[],
  outer: number,
  inner: number,
) {
  // These are plain arrays, because typed arrays of this length take longer to create than to fill.
  const strides: number[] = new Array(axes.length).fill(0);
  let stride = 1;
  const has = new Set(own);
  for (let k = axes.length - 1; k >= 0; k--) {
    if (!has.has(axes[k])) continue;
    strides[k] = stride;
    stride *= shape[k];
  }
  // The state of a supported axis selects the block, so it does not change the offset within a block.
  for (const axis of support?.axes ?? []) strides[axes.indexOf(axis)] = 0;
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

/** Returns LINK records of levels and nodes. `slots` is the address of the first node. */
function linkRecords(links: readonly { readonly level: number; readonly node: number }[], slots: number): number[] {
  const words: number[] = [];
  for (const { level, node } of links) {
    const link = addRecord(words, F.LINK_BYTES);
    words[link + F.LINK_LEVEL / 4] = level;
    words[link + F.LINK_NODE / 4] = slots + 4 * node;
    words[link + F.LINK_NEXT / 4] = slots + 4 * (node + 1);
  }
  return words;
}
