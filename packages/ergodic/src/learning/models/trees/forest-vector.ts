/**
 * Trees with means in their leaves as a vector of numbers, for checkpoints and for the loop: the base of each output, and
 * then for each tree its number of nodes, and for each node FIELDS numbers, the levels of its set, and the values of a
 * leaf. Children are indices within the tree; the right child follows the left child. Values are those of the tree
 * itself; the ensemble in a file holds them divided by the number of trees, so that its sum is the mean.
 */

import { type Ensemble, MISSING_LEFT } from "../../../predict/trees/ensemble.ts";
import { Numbers } from "./numbers.ts";

/** A node. A leaf has feature −1 and the mean of each output; otherwise `values` is empty. */
export interface MeanNode {
  readonly feature: number;
  readonly threshold: number;
  readonly left: number;
  readonly missingLeft: boolean;
  readonly gain: number;
  readonly cover: number;
  /** Levels that go right, if the column is a category. */
  readonly set?: readonly number[] | undefined;
  readonly values: ArrayLike<number>;
}

const FIELDS = 7;

/** Appends a tree. */
export function appendTree(to: Numbers, nodes: readonly MeanNode[]): void {
  to.push(nodes.length);
  for (const { feature, threshold, left, missingLeft, gain, cover, set, values } of nodes) {
    to.push(feature, threshold, left, Number(missingLeft), gain, cover, set?.length ?? -1);
    if (set) to.append(set);
    to.append(values);
  }
}

/** Returns the position of every tree in a vector, and the vector's end. */
export function treeStarts(vector: Float64Array, outputs: number): number[] {
  const starts: number[] = [];
  let at = outputs;
  while (at < vector.length) {
    starts.push(at);
    const nodes = vector[at++];
    for (let n = 0; n < nodes; n++) at += FIELDS + Math.max(0, vector[at + 6]) + (vector[at] < 0 ? outputs : 0);
  }
  return [...starts, at];
}

/** Returns the ensemble of a vector, whose output is the mean over the trees. */
export function meanEnsemble(vector: Float64Array, outputs: number): Ensemble {
  const starts = treeStarts(vector, outputs);
  const trees = starts.length - 1;
  const firstNode = new Uint32Array(trees + 1);
  for (let t = 0; t < trees; t++) firstNode[t + 1] = firstNode[t] + vector[starts[t]];
  const count = firstNode[trees];
  const ints = (): Int32Array => new Int32Array(count);
  const [feature, left, right, rule, set] = [ints(), ints(), ints(), ints(), ints().fill(-1)];
  const [threshold, gain, cover] = [new Float32Array(count), new Float64Array(count), new Float64Array(count)];
  const values = new Float64Array(((count + trees) / 2) * outputs);
  const sets: number[] = [];
  let leaf = 0;
  for (let t = 0, n = 0; t < trees; t++) {
    const first = n;
    for (let at = starts[t] + 1; n < firstNode[t + 1]; n++) {
      const size = vector[at + 6];
      feature[n] = vector[at];
      threshold[n] = vector[at + 1];
      rule[n] = vector[at + 3] === 1 ? MISSING_LEFT : 0;
      gain[n] = vector[at + 4];
      cover[n] = vector[at + 5];
      if (size >= 0) {
        set[n] = sets.length;
        sets.push(...wordsOf(vector.subarray(at + FIELDS, at + FIELDS + size)));
      }
      const isLeaf = feature[n] < 0;
      left[n] = isLeaf ? leaf : first + vector[at + 2];
      right[n] = isLeaf ? 0 : left[n] + 1;
      at += FIELDS + Math.max(0, size);
      if (!isLeaf) continue;
      for (let k = 0; k < outputs; k++) values[leaf * outputs + k] = vector[at + k] / trees;
      leaf++;
      at += outputs;
    }
  }
  return {
    firstNode,
    outputOf: new Uint32Array(trees),
    feature,
    threshold,
    left,
    right,
    rule,
    set: sets.length > 0 ? set : new Int32Array(0),
    sets: Uint32Array.from(sets),
    values,
    leafWidth: outputs,
    base: vector.length > 0 ? vector.slice(0, outputs) : new Float64Array(outputs),
    isFloatSum: false,
    gain,
    cover,
  };
}

/** The inverse of `meanEnsemble`, for ensembles that this library grew. Values can differ in their last bit. */
export function meanVector(ensemble: Ensemble): Float64Array {
  const { firstNode, feature, threshold, left, rule, set, sets, values, base, gain, cover, leafWidth } = ensemble;
  const numbers = new Numbers(base);
  const trees = firstNode.length - 1;
  for (let t = 0; t < trees; t++) {
    const nodes: MeanNode[] = [];
    for (let n = firstNode[t]; n < firstNode[t + 1]; n++) {
      const isLeaf = feature[n] < 0;
      const own = values.subarray(left[n] * leafWidth, isLeaf ? (left[n] + 1) * leafWidth : left[n] * leafWidth);
      nodes.push({
        feature: feature[n],
        threshold: threshold[n],
        left: isLeaf ? 0 : left[n] - firstNode[t],
        missingLeft: (rule[n] & MISSING_LEFT) !== 0,
        gain: gain[n],
        cover: cover[n],
        set: set.length > 0 && set[n] >= 0 ? levelsOf(sets, set[n]) : undefined,
        values: own.map((value) => value * trees),
      });
    }
    appendTree(numbers, nodes);
  }
  return numbers.values();
}

/** Returns a set of levels as its number of words, followed by its words. */
export function wordsOf(levels: ArrayLike<number>): number[] {
  let largest = 0;
  for (let k = 0; k < levels.length; k++) largest = Math.max(largest, levels[k]);
  const words = new Uint32Array((largest >>> 5) + 1);
  for (let k = 0; k < levels.length; k++) words[levels[k] >>> 5] |= 1 << (levels[k] & 31);
  return [words.length, ...words];
}

export function levelsOf(sets: Uint32Array, at: number): number[] {
  const levels: number[] = [];
  for (let level = 0; level < 32 * sets[at]; level++) if ((sets[at + 1 + (level >>> 5)] >>> (level & 31)) & 1) levels.push(level);
  return levels;
}
