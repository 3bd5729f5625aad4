/**
 * Cost-complexity pruning: the tree that minimises R(T) + α × leaves, where R(T) is the mean impurity of its leaves. A
 * node t becomes a leaf at α = (R(t) − R(T_t)) / (leaves of T_t − 1), where T_t is the subtree of t, and the numerator is
 * the sum of the gains in T_t. The weakest node becomes a leaf first. Source: Breiman et al. 1984.
 */

import { refuse } from "../../../engine/errors/checks.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { TreesPredictor } from "../../../predict/trees/trees.ts";
import type { MeanNode } from "./forest-vector.ts";

/** A pruned tree. */
export interface Pruning {
  /** Smallest strength of pruning at which the tree is optimal. */
  readonly alpha: number;
  /** Number of leaves. */
  readonly leaves: number;
}

/** Shape of a tree. `left`: left child, or −1 for leaves; the right child follows. `gain`: sums, not means. */
interface Shape {
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly gain: ArrayLike<number>;
  /** Sum of the row weights. */
  readonly total: number;
}

/** Yields the nodes that become leaves, in the order of their α. */
function* weakestLinks({ left, right, gain, total }: Shape): Generator<{ node: number; alpha: number; leaves: number }> {
  const count = left.length;
  const sums = Float64Array.from({ length: count }, (_, n) => (left[n] < 0 ? 0 : gain[n]));
  const leaves = new Uint32Array(count).fill(1);
  const parent = new Int32Array(count).fill(-1);
  for (let n = count - 1; n >= 0; n--) {
    if (left[n] < 0) continue;
    leaves[n] = leaves[left[n]] + leaves[right[n]];
    sums[n] += sums[left[n]] + sums[right[n]];
    parent[left[n]] = n;
    parent[right[n]] = n;
  }
  const isGone = new Uint8Array(count);
  const alphaOf = (n: number): number => sums[n] / (leaves[n] - 1) / total;
  const heap = new Heap();
  for (let n = count - 1; n >= 0; n--) if (left[n] >= 0) heap.push(alphaOf(n), n);
  let alpha = 0;
  for (let top = heap.pop(); top; top = heap.pop()) {
    const [own, n] = top;
    // A node in the heap is out of date if it was pruned, or if its subtree has changed.
    if (isGone[n] || own !== alphaOf(n)) continue;
    const [gone, lost] = [sums[n], leaves[n] - 1];
    const below = [n];
    for (let m = below.pop(); m !== undefined; m = below.pop()) {
      if (left[m] < 0 || isGone[m]) continue;
      isGone[m] = 1;
      below.push(left[m], right[m]);
    }
    for (let m = n; m >= 0; m = parent[m]) {
      sums[m] -= gone;
      leaves[m] -= lost;
      if (m !== n) heap.push(alphaOf(m), m);
    }
    alpha = Math.max(alpha, own);
    yield { node: n, alpha, leaves: leaves[0] };
  }
}

/** Returns the nodes that become leaves at α. Nodes below them can be included, too. */
export function prunedLeaves(nodes: readonly MeanNode[], alpha: number): ReadonlySet<number> {
  const left = nodes.map((node) => (node.feature < 0 ? -1 : node.left));
  const shape = { left, right: left.map((n) => n + 1), gain: nodes.map(({ gain }) => gain), total: nodes[0].cover };
  const leaves = new Set<number>();
  for (const link of weakestLinks(shape)) {
    if (link.alpha > alpha) break;
    leaves.add(link.node);
  }
  return leaves;
}

/** Returns the tree in which these nodes are leaves. Its inner nodes have no values. */
export function withLeaves(nodes: readonly MeanNode[], leaves: ReadonlySet<number>): MeanNode[] {
  const kept: MeanNode[] = [];
  const order = [0];
  for (let k = 0; k < order.length; k++) {
    const node = nodes[order[k]];
    if (node.feature < 0 || leaves.has(order[k]))
      kept.push({ ...node, feature: -1, threshold: 0, left: 0, missingLeft: false, gain: 0, set: undefined });
    else {
      kept.push({ ...node, left: order.length, values: [] });
      order.push(node.left, node.left + 1);
    }
  }
  return kept;
}

/**
 * Returns the sequence of pruned trees of a model that `fit(tree(), data)` returned: for each tree, the smallest `alpha`
 * at which it is optimal, and its number of leaves. The first is the whole tree, and the last is a single leaf. Pass an
 * alpha to `tree({ alpha })`.
 *
 * @throws OptionError; CapabilityError unless the model is one tree with known gains
 *
 * @example
 * ```ts
 * const model = await fit(tree(), train);
 * for (const { alpha, leaves } of prunings(model)) console.log(alpha, leaves);
 * ```
 */
export function prunings(model: TreesPredictor): Pruning[] {
  if (!(model instanceof TreesPredictor)) refuse("prunings", "model", model, "a model of trees", "await fit(tree(), data)");
  const { ensemble, treeCount, description } = model;
  const kind = (description.model as { model?: unknown } | undefined)?.model;
  if (kind !== "tree" || treeCount !== 1 || ensemble.gain.length === 0)
    throw new CapabilityError(
      "prunings",
      `the model has ${treeCount} trees and was not made by tree(); give the model that fit(tree(), data) returned`,
      "MODEL_CAPABILITY",
    );
  const { feature, left, right, gain, cover } = ensemble;
  const own = [...feature.keys()];
  const shape = { left: own.map((n) => (feature[n] < 0 ? -1 : left[n])), right: [...right], gain, total: cover[0] };
  const found: Pruning[] = [{ alpha: 0, leaves: (feature.length + 1) / 2 }];
  for (const { alpha, leaves } of weakestLinks(shape)) {
    const last = found[found.length - 1];
    if (alpha <= last.alpha * (1 + SAME) + Number.MIN_VALUE) found[found.length - 1] = { alpha: last.alpha, leaves };
    else found.push({ alpha, leaves });
  }
  return found;
}

/** Strengths that differ by at most this share are equal, because gains are rounded. */
const SAME = 1e-9;

/** Pairs of a number and an index, the smallest first; of equal numbers, the largest index. */
class Heap {
  private readonly pairs: [number, number][] = [];

  push(key: number, index: number): void {
    const { pairs } = this;
    let k = pairs.push([key, index]) - 1;
    for (; k > 0; ) {
      const up = (k - 1) >>> 1;
      if (!isBefore(pairs[k], pairs[up])) break;
      [pairs[k], pairs[up]] = [pairs[up], pairs[k]];
      k = up;
    }
  }

  pop(): [number, number] | undefined {
    const { pairs } = this;
    const top = pairs[0];
    const last = pairs.pop();
    if (pairs.length === 0 || !last) return top;
    pairs[0] = last;
    for (let k = 0; ; ) {
      const children = [2 * k + 1, 2 * k + 2].filter((c) => c < pairs.length);
      const least = children.reduce((best, c) => (isBefore(pairs[c], pairs[best]) ? c : best), k);
      if (least === k) return top;
      [pairs[k], pairs[least]] = [pairs[least], pairs[k]];
      k = least;
    }
  }
}

const isBefore = (a: [number, number], b: [number, number]): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] > b[1]);
