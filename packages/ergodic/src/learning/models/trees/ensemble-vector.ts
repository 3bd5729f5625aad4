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

/** Counts the trees and nodes of a vector, and finds out whether a node has a set. */
function counted(vector: Float64Array, outputs: number): { trees: number; nodes: number; hasSets: boolean } {
  let [trees, nodes, hasSets] = [0, 0, false];
  for (let at = outputs; at < vector.length; trees++) {
    const count = vector[at + 1];
    nodes += count;
    at += 2;
    for (let n = 0; n < count; n++) {
      const size = vector[at + FIELDS - 1];
      hasSets ||= size >= 0;
      at += FIELDS + Math.max(0, size);
    }
  }
  return { trees, nodes, hasSets };
}

/** Returns the ensemble of a vector with this number of outputs. Without any numbers, returns an ensemble without trees. */
export function ensembleOf(vector: Float64Array, outputs: number): Ensemble {
  const { trees, nodes, hasSets } = counted(vector, outputs);
  const ensemble = {
    firstNode: new Uint32Array(trees + 1),
    outputOf: new Uint32Array(trees),
    feature: new Int32Array(nodes),
    threshold: new Float32Array(nodes),
    left: new Int32Array(nodes),
    right: new Int32Array(nodes),
    rule: new Int32Array(nodes),
    set: new Int32Array(hasSets ? nodes : 0).fill(-1),
    values: new Float64Array((nodes + trees) / 2),
    leafWidth: 1,
    base: new Float64Array(outputs),
    isFloatSum: false,
    gain: new Float64Array(nodes),
    cover: new Float64Array(nodes),
  };
  ensemble.base.set(vector.subarray(0, outputs));
  const sets: number[] = [];
  let leaf = 0;
  let n = 0;
  for (let t = 0, at = outputs; t < trees; t++) {
    const first = n;
    ensemble.outputOf[t] = vector[at];
    ensemble.firstNode[t + 1] = first + vector[at + 1];
    for (at += 2; n < ensemble.firstNode[t + 1]; n++, at += FIELDS) {
      const isLeaf = vector[at] < 0;
      ensemble.feature[n] = vector[at];
      ensemble.threshold[n] = vector[at + 1];
      ensemble.left[n] = isLeaf ? leaf : first + vector[at + 2];
      ensemble.right[n] = isLeaf ? 0 : first + vector[at + 3];
      ensemble.rule[n] = vector[at + 4] === 1 ? MISSING_LEFT : 0;
      if (isLeaf) ensemble.values[leaf++] = vector[at + 5];
      ensemble.gain[n] = vector[at + 6];
      ensemble.cover[n] = vector[at + 7];
      const size = vector[at + FIELDS - 1];
      if (size < 0) continue;
      ensemble.set[n] = sets.length;
      sets.push(...wordsOf([...vector.subarray(at + FIELDS, at + FIELDS + size)]));
      at += size;
    }
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
