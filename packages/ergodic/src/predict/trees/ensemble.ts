/**
 * An ensemble of decision trees as arrays, as in files.
 *
 * The nodes of all trees are numbered from 0; tree t has the nodes firstNode[t] … firstNode[t + 1] − 1, and the first of
 * them is its root. A child has a larger number than its parent. Node n sends a row to `left[n]` or `right[n]`:
 *
 * - `feature[n]` >= 0 without a set: left if x < threshold (or x <= threshold, if the rule says so).
 * - `feature[n]` >= 0 with `set[n]` >= 0: x is the index of a category. Right if the set contains x, otherwise left. A set
 *   is stored in `sets` as its number of words, followed by its words of 32 bits.
 * - `feature[n]` = −1: a leaf. `left[n]` is the leaf's number, and `values` has `leafWidth` numbers per leaf.
 *
 * A missing value goes left if the rule says so, otherwise right. A category without a bit in the set goes left.
 * The output of a row is z_k = base_k + the sum of its leaves in tree order. With leafWidth 1, a tree adds its value to
 * output `outputOf[t]`; otherwise leafWidth is the number of outputs. With a divisor other than 1, the sum begins at 0
 * and is divided before the base is added: z_k = base_k + sum / divisor.
 */

import type { JsonObject, SavedModel } from "../../engine/contract/index.ts";
import type { Tensor } from "../../engine/files/safetensors.ts";
import { checkedTensor, checkModel, isObject, shownJson } from "../check-model.ts";

/** Bits of a node's rule. */
export const MISSING_LEFT = 1;
/** Left if x <= threshold, not only if x < threshold. */
export const INCLUSIVE = 2;
/** Zero counts as missing, too. */
export const ZERO_MISSING = 4;
/** NaN counts as 0. */
export const NAN_IS_ZERO = 8;

/** Values of at most this size, 1e-35 in float32, count as zero where zero counts as missing (LightGBM). */
export const ZERO_SIZE = 1.0000000180025095e-35;

export interface Ensemble {
  readonly firstNode: Uint32Array;
  readonly outputOf: Uint32Array;
  readonly feature: Int32Array;
  /** Thresholds. If they are float32, inputs are rounded to float32 before they are compared. */
  readonly threshold: Float32Array | Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly rule: Int32Array;
  /** Position of each node's set in `sets`, or −1. Empty if no node has a set. */
  readonly set: Int32Array;
  readonly sets: Uint32Array;
  readonly values: Float64Array;
  readonly leafWidth: number;
  readonly base: Float64Array;
  /** Whether outputs are summed in float32, as XGBoost does. */
  readonly isFloatSum: boolean;
  /** Divisor of the sums, > 0. Default 1. */
  readonly divisor?: number;
  /** Reduction of the objective by each split; 0 for leaves. Empty if it is not known. */
  readonly gain: Float64Array;
  /** Weight of the training rows that reached each node. Empty if it is not known. */
  readonly cover: Float64Array;
}

/** Returns the outputs before any tree is added. */
export const startOf = ({ base, divisor = 1 }: Ensemble): Float64Array => (divisor === 1 ? base : new Float64Array(base.length));

/** Returns the description and the tensors of an ensemble, for a `SavedModel`. */
export function ensembleParts(ensemble: Ensemble): Pick<SavedModel, "tensors"> & { description: JsonObject } {
  const { leafWidth, base, isFloatSum, divisor = 1, set, sets, gain, cover, ...always } = ensemble;
  const own = { leafWidth, base: [...base], sum: isFloatSum ? "f32" : "f64" };
  return {
    description: { ensemble: divisor === 1 ? own : { ...own, divisor } },
    tensors: {
      ...always,
      ...(sets.length > 0 ? { set, sets } : {}),
      ...(gain.length > 0 ? { gain } : {}),
      ...(cover.length > 0 ? { cover } : {}),
    },
  };
}

/** Shapes of the tensors in the file. */
export function ensembleShapes(ensemble: Ensemble): Record<string, number[]> {
  const { tensors } = ensembleParts(ensemble);
  const shapeOf = (name: string, { length }: ArrayLike<number>): number[] =>
    name === "values" && ensemble.leafWidth > 1 ? [length / ensemble.leafWidth, ensemble.leafWidth] : [length];
  return Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, shapeOf(name, values)]));
}

export function ensembleTensors(ensemble: Ensemble): Record<string, Tensor> {
  const { tensors } = ensembleParts(ensemble);
  const shapes = ensembleShapes(ensemble);
  return Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, { shape: shapes[name], values } as Tensor]));
}

/** Reads and checks an ensemble. `columns` and `outputs`: numbers of columns and outputs of the model. @throws DataError */
export function ensembleFrom(
  { description, tensors }: Pick<SavedModel, "description" | "tensors">,
  { columns, outputs, where }: { columns: number; outputs: number; where: string },
): Ensemble {
  const own = description.ensemble;
  checkModel(where, isObject(own), "lacks the description of its trees");
  const { leafWidth, base, sum, divisor = 1 } = own;
  checkModel(
    where,
    leafWidth === 1 || leafWidth === outputs,
    `has leafWidth ${shownJson(leafWidth)}, but 1 or ${outputs} is wanted`,
  );
  checkModel(
    where,
    Array.isArray(base) && base.length === outputs && base.every(Number.isFinite),
    `has base ${shownJson(base)}, but ${outputs} finite numbers are wanted`,
  );
  checkModel(where, sum === "f32" || sum === "f64", `has sum ${shownJson(sum)}, but "f32" or "f64" is wanted`);
  const divides = typeof divisor === "number" && Number.isFinite(divisor) && divisor > 0;
  checkModel(where, divides, `has divisor ${shownJson(divisor)}, but a number > 0 is wanted`);
  const read = <T>(name: string, type: new () => T): T => {
    const values: unknown = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    checkModel(where, values instanceof type, `has no tensor "${name}" of type ${type.name.replace("Array", "").toLowerCase()}`);
    return values;
  };
  const int = (name: string): Int32Array => read(name, Int32Array);
  const threshold = Object.hasOwn(tensors, "threshold") ? tensors.threshold : undefined;
  checkModel(
    where,
    threshold instanceof Float32Array || threshold instanceof Float64Array,
    'has no tensor "threshold" of floats',
  );
  const nodes = threshold.length;
  const hasSets = Object.hasOwn(tensors, "sets");
  const optional = (name: string): Float64Array =>
    Object.hasOwn(tensors, name) ? checkedTensor(where, tensors, name, nodes) : new Float64Array(0);
  const values = read("values", Float64Array);
  const ensemble: Ensemble = {
    firstNode: read("firstNode", Uint32Array),
    outputOf: read("outputOf", Uint32Array),
    feature: int("feature"),
    threshold,
    left: int("left"),
    right: int("right"),
    rule: int("rule"),
    set: hasSets ? int("set") : new Int32Array(0),
    sets: hasSets ? read("sets", Uint32Array) : new Uint32Array(0),
    values: checkedTensor(where, tensors, "values", values.length),
    leafWidth,
    base: Float64Array.from(base as number[]),
    isFloatSum: sum === "f32",
    divisor,
    gain: optional("gain"),
    cover: optional("cover"),
  };
  checkEnsemble(ensemble, { columns, outputs, where });
  return ensemble;
}

function checkEnsemble(ensemble: Ensemble, { columns, outputs, where }: { columns: number; outputs: number; where: string }) {
  const { firstNode, outputOf, feature, threshold, left, right, rule, set, sets, values, leafWidth } = ensemble;
  const nodes = threshold.length;
  const trees = outputOf.length;
  const lengths = { feature, left, right, rule, ...(sets.length > 0 || set.length > 0 ? { set } : {}) };
  for (const [name, { length }] of Object.entries(lengths))
    checkModel(where, length === nodes, `has ${length} numbers in "${name}", but ${nodes} are wanted`);
  checkModel(where, firstNode.length === trees + 1, `has ${firstNode.length} first nodes for ${trees} trees`);
  checkModel(where, firstNode[0] === 0 && firstNode[trees] === nodes, "has trees that do not cover its nodes");
  checkModel(where, values.length % leafWidth === 0, `has ${values.length} leaf values, which are not whole leaves`);
  const leaves = values.length / leafWidth;
  const parents = new Uint32Array(nodes);
  let leafCount = 0;
  // Messages are made only for wrong nodes, because a large ensemble has millions of right ones.
  const refuse = (problem: string): never => {
    checkModel(where, false, problem);
  };
  for (let t = 0; t < trees; t++) {
    const end = firstNode[t + 1];
    if (!(firstNode[t] < end && end <= nodes)) refuse(`has no nodes in tree ${t}`);
    if (!(outputOf[t] < (leafWidth === 1 ? outputs : 1))) refuse(`has output ${outputOf[t]} for tree ${t}`);
    for (let n = firstNode[t]; n < end; n++) {
      if (!(n === firstNode[t] || parents[n] === 1)) refuse(`has node ${n} with ${parents[n]} parents`);
      if (!(rule[n] >= 0 && rule[n] < 16)) refuse(`has rule ${rule[n]} at node ${n}`);
      if (feature[n] === -1) {
        if (!(left[n] === leafCount)) refuse(`has leaf ${left[n]} at node ${n}, but ${leafCount} is wanted`);
        leafCount++;
        continue;
      }
      if (!(feature[n] >= 0 && feature[n] < columns)) refuse(`has column ${feature[n]} at node ${n}, but has ${columns} columns`);
      if (Number.isNaN(threshold[n])) refuse(`has the threshold NaN at node ${n}`);
      for (const child of [left[n], right[n]]) {
        if (!(child > n && child < end)) refuse(`has child ${child} at node ${n}, outside of tree ${t}`);
        parents[child]++;
      }
      if (set.length === 0) continue;
      const at = set[n];
      if (!(at >= -1 && at < sets.length)) refuse(`has set ${at} at node ${n}`);
      if (!(at < 0 || at + sets[at] < sets.length)) refuse(`has a set at node ${n} that ends after all sets`);
    }
  }
  checkModel(where, leafCount === leaves, `has ${leaves} leaf values for ${leafCount} leaves`);
}

/** Returns the leaf of tree `t` for a row, as a node. `x`: the row, rounded to float32 if the thresholds are float32. */
export function leafNode(ensemble: Ensemble, t: number, x: Float64Array, from = 0): number {
  const { feature, left, right } = ensemble;
  let n = ensemble.firstNode[t];
  for (let f = feature[n]; f >= 0; f = feature[n]) n = goesLeft(ensemble, n, x[from + f]) ? left[n] : right[n];
  return n;
}

/** Whether node `n` sends the value to its left child. */
export function goesLeft({ threshold, rule, set, sets }: Ensemble, n: number, value: number): boolean {
  const own = rule[n];
  let x = value;
  if (Number.isNaN(x)) {
    if (!(own & NAN_IS_ZERO)) return (own & MISSING_LEFT) !== 0;
    x = 0;
  }
  if (own & ZERO_MISSING && Math.abs(x) <= ZERO_SIZE) return (own & MISSING_LEFT) !== 0;
  if (set.length > 0 && set[n] >= 0) return !contains(sets, set[n], x);
  return own & INCLUSIVE ? x <= threshold[n] : x < threshold[n];
}

/** Whether the set at `at` contains category x, truncated to a whole number. */
export function contains(sets: Uint32Array, at: number, x: number): boolean {
  const code = Math.trunc(x);
  if (!(code >= 0 && code < 32 * sets[at])) return false;
  return ((sets[at + 1 + (code >>> 5)] >>> (code & 31)) & 1) === 1;
}
