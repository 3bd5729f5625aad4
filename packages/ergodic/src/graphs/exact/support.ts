import type { Allocation, EngineMemory } from "../../engine/memory/memory.ts";
import { LEVEL_BEFORE, LEVEL_BYTES, LEVEL_STATES } from "../fields.ts";
import { sizeOf, type Table } from "../parts/factor-table.ts";

/**
 * Which joint states of some axes may have entries other than 0: a tree, as kernels/graphs/clique-support.ts describes it. A table with a support has a block of
 * entries, of all states of its other axes, for each of them.
 */
export interface Support {
  /** Variables, in the order of a clique's. */
  readonly axes: readonly number[];
  /** By axis, the address of its level. */
  readonly levels: readonly number[];
  /** Joint states. */
  readonly blocks: number;
  readonly allocation: Allocation;
}

/** Words of 32 states of an axis. */
export const wordsOf = (count: number): number => (count + 31) >>> 5;

/** Bytes of levels with so many nodes each. */
export function supportBytes(shape: readonly number[], nodes: readonly number[]): number {
  return shape.reduce((sum, count, k) => sum + nodes[k] * wordsOf(count) * LEVEL_BYTES, 0);
}

/** Room for a support of so many nodes on each level, zeroed. */
export function allocateSupport(
  memory: EngineMemory,
  axes: readonly number[],
  shape: readonly number[],
  nodes: readonly number[],
  blocks: number,
): Support {
  const allocation = memory.allocate(supportBytes(shape, nodes), "supports of a junction tree");
  const levels = shape.map((_, k) => allocation.pointer + supportBytes(shape.slice(0, k), nodes));
  return { axes, levels, blocks, allocation };
}

/** The support of a table: where it is positive. */
export function supportOf(memory: EngineMemory, { scope, shape, values }: Pick<Table, "scope" | "shape" | "values">): Support {
  // By level, which joint states of the axes before lead to an entry.
  const reached = [Uint8Array.from(values, (value) => (value > 0 ? 1 : 0))];
  for (const count of shape.toReversed()) {
    const below = reached[0];
    const above = new Uint8Array(below.length / count);
    below.forEach((bit, i) => {
      if (bit) above[Math.floor(i / count)] = 1;
    });
    reached.unshift(above);
  }
  // The first node is there even if nothing is.
  reached[0][0] = 1;
  const counts = reached.map((bits) => bits.reduce((sum, bit) => sum + bit, 0));
  const support = allocateSupport(memory, scope, shape, counts, counts[shape.length]);
  for (const [k, count] of shape.entries()) {
    const words = wordsOf(count);
    const level = memory.u32(support.levels[k], counts[k] * words * (LEVEL_BYTES / 4));
    const next = reached[k + 1];
    let node = 0;
    let child = 0;
    for (const [prefix, bit] of reached[k].entries()) {
      if (!bit) continue;
      for (let state = 0; state < count; state++) {
        if (!next[prefix * count + state]) continue;
        const at = (node * words + (state >>> 5)) * (LEVEL_BYTES / 4);
        if (level[at + LEVEL_STATES / 4] === 0) level[at + LEVEL_BEFORE / 4] = child;
        level[at + LEVEL_STATES / 4] |= 1 << (state & 31);
        child++;
      }
      node++;
    }
  }
  return support;
}

/** Entries of a block of a table on `shape` that has a support of its first axes. */
export const blockEntries = (shape: readonly number[], { axes }: Support): number => sizeOf(shape.slice(axes.length));
