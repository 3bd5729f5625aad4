import type { Curve } from "./description.ts";

/**
 * Isotonic regression: the non-decreasing function f that minimises Σ w_i (t_i − f(s_i))², found by pooling adjacent
 * violators.
 *
 * s: scores, finite, in any order; t: targets, 0 or 1 or shares between 0 and 1; w: weights, or null if all are 1. Rows
 * of weight 0 are ignored. Rows with equal scores are merged into one row whose target is their mean target, as in
 * scikit-learn (which also merges scores within 1e-15). Only the two ends of each interval on which f is constant are
 * stored.
 * Source: Zadrozny, Elkan 2002; Best, Chakravarti 1990.
 */
export function isotonicCurve(s: ArrayLike<number>, t: ArrayLike<number>, w: ArrayLike<number> | null): Curve {
  const order = Array.from({ length: s.length }, (_, i) => i)
    .filter((i) => !w || w[i] > 0)
    .sort((i, j) => s[i] - s[j]);
  // Blocks from left to right. Each block has a larger mean than the previous block.
  const blocks: Block[] = [];
  for (let at = 0; at < order.length; ) {
    const first = s[order[at]];
    let block: Block = { first, last: first, sum: 0, weight: 0 };
    for (; at < order.length && s[order[at]] === first; at++) {
      const weight = w ? w[order[at]] : 1;
      block.sum += weight * t[order[at]];
      block.weight += weight;
    }
    for (let before = blocks.at(-1); before && mean(before) >= mean(block); before = blocks.at(-1)) {
      blocks.pop();
      block = { first: before.first, last: block.last, sum: before.sum + block.sum, weight: before.weight + block.weight };
    }
    blocks.push(block);
  }
  const points = blocks.flatMap((block) =>
    [block.first, ...(block.last > block.first ? [block.last] : [])].map((x) => ({ x, p: mean(block) })),
  );
  // Adding 0 turns -0 into 0, because JSON cannot represent -0.
  return { scores: points.map(({ x }) => x + 0), probabilities: points.map(({ p }) => p) };
}

interface Block {
  readonly first: number;
  readonly last: number;
  sum: number;
  weight: number;
}

/** The result cannot exceed 1, because both sums are rounded in the same way. */
const mean = ({ sum, weight }: Block): number => sum / weight;
