/**
 * Trees as a vector of numbers, for checkpoints and for the loop: the base of each output, and then for each tree its
 * output, its number of nodes, and for each node FIELDS numbers, followed by the levels of its set.
 */

import { type Ensemble, MISSING_LEFT } from "../../../predict/trees/ensemble.ts";
import { levelsOf, wordsOf } from "./forest-vector.ts";

/** A node of a tree. Children are indices within the tree. A leaf has feature −1. */
export interface TreeNode {
  readonly feature: number;
  readonly threshold: number;
  readonly left: number;
  readonly right: number;
  readonly missingLeft: boolean;
  /** Value of the node, if it is a leaf; otherwise the value that it had as a leaf. */
  readonly value: number;
  readonly gain: number;
  readonly cover: number;
  /** Levels that go right, if the column is a category. */
  readonly set?: readonly number[];
}

/** A tree that adds its values to one output. */
export interface GrownTree {
  readonly output: number;
  readonly nodes: readonly TreeNode[];
}

const FIELDS = 9;

/** Returns the numbers of a tree. */
export function treeNumbers({ output, nodes }: GrownTree): number[] {
  const numbers = [output, nodes.length];
  for (const { feature, threshold, left, right, missingLeft, value, gain, cover, set } of nodes)
    numbers.push(feature, threshold, left, right, Number(missingLeft), value, gain, cover, set?.length ?? -1, ...(set ?? []));
  return numbers;
}

/** Reads trees from position `from` of a vector. */
function treesOf(vector: Float64Array, from: number): GrownTree[] {
  const trees: GrownTree[] = [];
  for (let at = from; at < vector.length; ) {
    const [output, count] = vector.subarray(at, at + 2);
    at += 2;
    const nodes: TreeNode[] = [];
    for (let n = 0; n < count; n++, at += FIELDS) {
      const [feature, threshold, left, right, missingLeft, value, gain, cover, size] = vector.subarray(at, at + FIELDS);
      const own = { feature, threshold, left, right, missingLeft: missingLeft === 1, value, gain, cover };
      if (size < 0) nodes.push(own);
      else {
        nodes.push({ ...own, set: [...vector.subarray(at + FIELDS, at + FIELDS + size)] });
        at += size;
      }
    }
    trees.push({ output, nodes });
  }
  return trees;
}

/** Returns the ensemble of a vector with this number of outputs. Without any numbers, returns an ensemble without trees. */
export function ensembleOf(vector: Float64Array, outputs: number): Ensemble {
  const trees = treesOf(vector, outputs);
  const nodes = trees.reduce((sum, tree) => sum + tree.nodes.length, 0);
  const leaves = trees.reduce((sum, tree) => sum + (tree.nodes.length + 1) / 2, 0);
  const hasSets = trees.some((tree) => tree.nodes.some(({ set }) => set));
  const ensemble = {
    firstNode: new Uint32Array(trees.length + 1),
    outputOf: Uint32Array.from(trees, ({ output }) => output),
    feature: new Int32Array(nodes),
    threshold: new Float32Array(nodes),
    left: new Int32Array(nodes),
    right: new Int32Array(nodes),
    rule: new Int32Array(nodes),
    set: new Int32Array(hasSets ? nodes : 0).fill(-1),
    values: new Float64Array(leaves),
    leafWidth: 1,
    base: new Float64Array(outputs),
    isFloatSum: false,
    gain: new Float64Array(nodes),
    cover: new Float64Array(nodes),
  };
  ensemble.base.set(vector.subarray(0, outputs));
  const sets: number[] = [];
  let leaf = 0;
  let first = 0;
  for (const [t, tree] of trees.entries()) {
    for (const [k, node] of tree.nodes.entries()) {
      const n = first + k;
      const isLeaf = node.feature < 0;
      ensemble.feature[n] = node.feature;
      ensemble.threshold[n] = node.threshold;
      ensemble.left[n] = isLeaf ? leaf : first + node.left;
      ensemble.right[n] = isLeaf ? 0 : first + node.right;
      ensemble.rule[n] = node.missingLeft ? MISSING_LEFT : 0;
      ensemble.gain[n] = node.gain;
      ensemble.cover[n] = node.cover;
      if (isLeaf) ensemble.values[leaf++] = node.value;
      if (node.set) {
        ensemble.set[n] = sets.length;
        sets.push(...wordsOf(node.set));
      }
    }
    first += tree.nodes.length;
    ensemble.firstNode[t + 1] = first;
  }
  return { ...ensemble, sets: Uint32Array.from(sets) };
}

/** The inverse of `ensembleOf`, for ensembles that this library grew. */
export function vectorOf(ensemble: Ensemble): Float64Array {
  const { firstNode, outputOf, feature, threshold, left, right, rule, set, sets, values, base, gain, cover } = ensemble;
  const parts: number[][] = [[...base]];
  for (let t = 0; t < outputOf.length; t++) {
    const first = firstNode[t];
    const nodes: TreeNode[] = [];
    for (let n = first; n < firstNode[t + 1]; n++) {
      const isLeaf = feature[n] < 0;
      nodes.push({
        feature: feature[n],
        threshold: threshold[n],
        left: isLeaf ? 0 : left[n] - first,
        right: isLeaf ? 0 : right[n] - first,
        missingLeft: (rule[n] & MISSING_LEFT) !== 0,
        value: isLeaf ? values[left[n]] : 0,
        gain: gain[n] ?? 0,
        cover: cover[n] ?? 0,
        ...(set.length > 0 && set[n] >= 0 ? { set: levelsOf(sets, set[n]) } : {}),
      });
    }
    parts.push(treeNumbers({ output: outputOf[t], nodes }));
  }
  return Float64Array.from(parts.flat());
}
