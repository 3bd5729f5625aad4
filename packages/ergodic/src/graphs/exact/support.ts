import type { Allocation, EngineMemory } from "../../engine/memory/memory.ts";
import { LEVEL_BEFORE, LEVEL_BYTES, LEVEL_STATES } from "../fields.ts";
import { sizeOf, type Table } from "../parts/factor-table.ts";

/**
 * Set of joint states of some axes. All other states have only zero entries. The set is stored as a tree (see
 * kernels/graphs/clique-support.ts). A table with a support stores a block of entries for each of these states. A block
 * covers all states of the table's other axes.
 */
export interface Support {
  /** Variables, in the order of the clique's axes. */
  readonly axes: readonly number[];
  /** Address of the level of each axis. */
  readonly levels: readonly number[];
  /** Number of joint states. */
  readonly blocks: number;
  readonly allocation: Allocation;
}

/** Returns the number of 32-bit words for an axis with this many states. */
export const wordsOf = (count: number): number => (count + 31) >>> 5;

/** Returns the size in bytes of a support, given the number of nodes per level. */
export function supportBytes(shape: readonly number[], nodes: readonly number[]): number {
  return shape.reduce((sum, count, k) => sum + nodes[k] * wordsOf(count) * LEVEL_BYTES, 0);
}

/** Allocates a zeroed support with these numbers of nodes per level. */
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

/** Returns the support of a table, which is the set of its positive entries. */
export function supportOf(memory: EngineMemory, { scope, shape, values }: Pick<Table, "scope" | "shape" | "values">): Support {
  // Marks, for each level, the joint states of the preceding axes that lead to a positive entry.
  const reached = [Uint8Array.from(values, (value) => (value > 0 ? 1 : 0))];
  for (const count of shape.toReversed()) {
    const below = reached[0];
    const above = new Uint8Array(below.length / count);
    below.forEach((bit, i) => {
      if (bit) above[Math.floor(i / count)] = 1;
    });
    reached.unshift(above);
  }
  // The first node exists even if the support is empty.
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

/**
 * Returns the number of entries per block. The table has the axes `shape`. The support covers the first axes, and a
 * block covers the others.
 */
export const blockEntries = (shape: readonly number[], { axes }: Support): number => sizeOf(shape.slice(axes.length));
