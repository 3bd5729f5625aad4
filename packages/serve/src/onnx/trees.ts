/**
 * Writes an ensemble of trees as one node TreeEnsembleRegressor, whose outputs are those of the ensemble before the link.
 *
 * Inputs are float32. A float64 threshold is replaced by the float32 number that decides in the same way for every
 * float32 input: the next one below for x <= threshold, and the next one above for x < threshold.
 *
 * @throws CapabilityError [ONNX_MODEL] for divisions by sets of categories, and where zero counts as missing
 */
import { CapabilityError, type TreesPredictor } from "ergodic";
import type { Graph } from "./graph.ts";

/** The arrays of an ensemble that this file reads. The library describes them in predict/trees/ensemble.ts. */
interface Ensemble {
  readonly firstNode: Uint32Array;
  readonly outputOf: Uint32Array;
  readonly feature: Int32Array;
  readonly threshold: ArrayLike<number>;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly rule: Int32Array;
  readonly sets: Uint32Array;
  readonly values: Float64Array;
  readonly leafWidth: number;
  readonly base: Float64Array;
  readonly divisor?: number;
}

/** Bits of a node's rule. */
const [MISSING_LEFT, INCLUSIVE, ZERO_MISSING, NAN_IS_ZERO] = [1, 2, 4, 8];

/** Adds the node, and returns the name of its result, float32 [rows, outputs]. */
export function writeTrees(graph: Graph, model: TreesPredictor, input: string): string {
  const { ensemble } = model as unknown as { ensemble: Ensemble };
  const { firstNode, feature, threshold, left, right, rule, values, leafWidth, base, divisor = 1 } = ensemble;
  const trees = ensemble.outputOf.length;
  if (ensemble.sets.length > 0) throw refused("divides levels of a category into sets, which ONNX trees cannot do");
  if (rule.some((one) => one & ZERO_MISSING)) throw refused("counts zero as missing, which ONNX trees cannot do");
  const count = feature.length;
  const tree = new Array<number>(count);
  for (let t = 0; t < trees; t++) tree.fill(t, firstNode[t], firstNode[t + 1]);
  const each = <T>(of: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => of(n));
  const isLeaf = (n: number): boolean => feature[n] < 0;
  const inTree = (n: number, child: number): number => (isLeaf(n) ? 0 : child - firstNode[tree[n]]);
  const leaves = each((n) => n).filter(isLeaf);
  const targets = leaves.flatMap((n) => Array.from({ length: leafWidth }, (_, k) => ({ n, k })));
  return graph.node("TreeEnsembleRegressor", [input], {
    n_targets: base.length,
    base_values: { floats: [...base] },
    nodes_treeids: tree,
    nodes_nodeids: each((n) => n - firstNode[tree[n]]),
    nodes_featureids: each((n) => Math.max(0, feature[n])),
    nodes_modes: { texts: each((n) => (isLeaf(n) ? "LEAF" : rule[n] & INCLUSIVE ? "BRANCH_LEQ" : "BRANCH_LT")) },
    nodes_values: { floats: each((n) => (isLeaf(n) ? 0 : asFloat(threshold[n], (rule[n] & INCLUSIVE) > 0))) },
    nodes_truenodeids: each((n) => inTree(n, left[n])),
    nodes_falsenodeids: each((n) => inTree(n, right[n])),
    nodes_missing_value_tracks_true: each((n) => Number(!isLeaf(n) && missingLeft(rule[n], threshold[n]))),
    target_treeids: targets.map(({ n }) => tree[n]),
    target_nodeids: targets.map(({ n }) => n - firstNode[tree[n]]),
    target_ids: targets.map(({ n, k }) => (leafWidth === 1 ? ensemble.outputOf[tree[n]] : k)),
    target_weights: { floats: targets.map(({ n, k }) => values[left[n] * leafWidth + k] / divisor) },
  });
}

/** Whether a missing value goes left. */
function missingLeft(rule: number, threshold: number): boolean {
  if (rule & NAN_IS_ZERO) return rule & INCLUSIVE ? threshold >= 0 : threshold > 0;
  return (rule & MISSING_LEFT) > 0;
}

/** Returns the float32 threshold that divides float32 numbers as `threshold` does. */
function asFloat(threshold: number, inclusive: boolean): number {
  const near = Math.fround(threshold);
  if (inclusive ? near <= threshold : near >= threshold) return near;
  const bits = new Int32Array(Float32Array.of(near).buffer);
  // Neighbours of a float32 number have neighbouring bits; those of a negative number are in reverse order.
  if (near === 0) return inclusive ? -(2 ** -149) : 2 ** -149;
  bits[0] += near > 0 === inclusive ? -1 : 1;
  return new Float32Array(bits.buffer)[0];
}

const refused = (what: string): CapabilityError =>
  new CapabilityError("toOnnx", `the model ${what}; use ergodic to predict with it`, "ONNX_MODEL");
