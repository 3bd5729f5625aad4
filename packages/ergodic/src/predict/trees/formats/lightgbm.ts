/**
 * Reads a model that LightGBM saved as text, and returns it as a saved model of this library.
 *
 * Outputs equal those of LightGBM bit for bit: float64 thresholds with x <= threshold, and sums in float64 in tree
 * order. In a node of numbers, bits 2 and 3 of its decision type say which values are missing: none, zero (of at most
 * 1e-35) or NaN. Unless NaN is missing, it counts as zero. A category in the set of its node goes left, and a missing or
 * negative one goes right.
 *
 * @throws DataError for damaged files, linear trees, and objectives that this library does not have
 */

import type { Link, SavedModel } from "../../../engine/contract/index.ts";
import { INCLUSIVE, MISSING_LEFT, NAN_IS_ZERO, ZERO_MISSING } from "../ensemble.ts";
import { checkPart, type Origin, unsupported } from "./faults.ts";
import { foreignTrees, MOST_COLUMNS } from "./foreign-trees.ts";
import { Forest, type Leaf, type Split } from "./forest.ts";
import { type Objective, objectiveOf } from "./lightgbm-objectives.ts";
import { type Block, blocksOf, Values } from "./lightgbm-text.ts";

/** Bits of a decision type. */
const [CATEGORY, DEFAULT_LEFT] = [1, 2];
/** Values of the bits 2 and 3. */
const [ZERO, NAN] = [1, 2];

const MOST_LEAVES = 2 ** 31 - 1;
const MOST_CLASSES = 2 ** 16;

export function lightgbmModel(text: string, where: string): SavedModel {
  const origin: Origin = { where, library: "LightGBM" };
  const values = new Values(origin);
  const { header, trees } = blocksOf(text, origin);
  const outputs = values.count(header, "num_tree_per_iteration", { low: 1, high: MOST_CLASSES });
  const columns = values.count(header, "max_feature_idx", { low: 0, high: MOST_COLUMNS - 1 }) + 1;
  const objective = objectiveOf(header.get("objective"), outputs, origin);
  checkPart(origin, trees.length % outputs === 0, `has ${trees.length} trees, which are not whole rounds of ${outputs}`);
  const forest = new Forest(origin);
  for (const [t, tree] of trees.entries()) addTree(values, forest, tree, { output: t % outputs, columns, origin });
  const names = (header.get("feature_names") ?? "").split(" ").filter(Boolean);
  const isAverage = header.has("average_output") && trees.length > 0;
  const ensemble = forest.ensemble({
    leafWidth: 1,
    base: new Float64Array(outputs),
    isFloatSum: false,
    thresholds: "f64",
    divisor: (isAverage ? trees.length / outputs : 1) / objective.slope,
  });
  checkPart(origin, names.length === columns, `has ${names.length} feature names for ${columns} features`);
  const link = linkOf(objective, isAverage, header, ensemble.values);
  const { task, loss } = objective;
  return foreignTrees(origin, { ensemble, names, objective: header.get("objective") ?? "none", task, link, loss });
}

/**
 * Forests of version v2 hold probabilities in their leaves, and their averages are the predictions. Later forests hold
 * raw scores. Late files of version v2 can hold scores, too; their leaves have values outside of [0, 1].
 */
function linkOf({ link, task }: Objective, isAverage: boolean, header: Block, values: Float64Array): Link {
  const isOld = isAverage && header.get("version") === "v2" && (task === "binary" || task === "multiclass");
  return isOld && values.every((value) => value >= 0 && value <= 1) ? "probabilities" : link;
}

function addTree(
  values: Values,
  forest: Forest,
  tree: Block,
  { output, columns, origin }: { output: number; columns: number; origin: Origin },
): void {
  if (tree.get("is_linear")?.trim() === "1")
    throw unsupported(origin, "linear trees", "predict with LightGBM, or train with linear_tree=false");
  const leaves = values.count(tree, "num_leaves", { low: 1, high: MOST_LEAVES });
  const value = values.numbers(tree, "leaf_value", leaves);
  const count = leaves - 1;
  if (count === 0) {
    forest.add(output, 0, 1, () => ({ values: [value[0]] }));
    return;
  }
  const feature = values.wholes(tree, "split_feature", { low: 0, high: columns - 1, count });
  const threshold = values.numbers(tree, "threshold", count);
  const type = values.wholes(tree, "decision_type", { low: 0, high: 15, count });
  const left = values.wholes(tree, "left_child", { low: -leaves, high: count - 1, count });
  const right = values.wholes(tree, "right_child", { low: -leaves, high: count - 1, count });
  const gain = values.optionalNumbers(tree, "split_gain", count);
  const leafCover = values.optionalNumbers(tree, "leaf_count", leaves);
  const cover = values.optionalNumbers(tree, "internal_count", count);
  const setOf = setsOf(values, tree, origin);
  /** Number of a child from 0: leaves follow the inner nodes, and leaf k is −k − 1 in the file. */
  const place = (child: number): number => (child < 0 ? count + (-child - 1) : child);
  forest.add(output, 0, count + leaves, (n): Leaf | Split => {
    if (n >= count) return { values: [value[n - count]], ...(leafCover && { cover: leafCover[n - count] }) };
    const [yes, no] = [place(left[n]), place(right[n])];
    const facts = { feature: feature[n], ...(gain && { gain: gain[n] }), ...(cover && { cover: cover[n] }) };
    // A category in the set goes right in this library, so that the children are exchanged.
    if (type[n] & CATEGORY) return { ...facts, threshold: 0, left: no, right: yes, rule: MISSING_LEFT, set: setOf(threshold[n]) };
    return { ...facts, threshold: threshold[n], left: yes, right: no, rule: ruleOf(type[n]) };
  });
}

/** Rule of a node of numbers. */
function ruleOf(type: number): number {
  const missing = type >> 2;
  const side = type & DEFAULT_LEFT && (missing === ZERO || missing === NAN) ? MISSING_LEFT : 0;
  return INCLUSIVE | side | (missing === NAN ? 0 : NAN_IS_ZERO) | (missing === ZERO ? ZERO_MISSING : 0);
}

/** Returns a function from the number of a set, which is the threshold of a category's node, to its words. */
function setsOf(values: Values, tree: Block, origin: Origin): (k: number) => Uint32Array {
  const sets = values.count(tree, "num_cat", { low: 0, high: MOST_LEAVES, absent: 0 });
  if (sets === 0) {
    return (k) => {
      checkPart(origin, false, `has set ${k}, but no sets of categories`);
      return new Uint32Array(0);
    };
  }
  const words = (tree.get("cat_threshold") ?? "").split(" ").filter(Boolean).length;
  const starts = values.wholes(tree, "cat_boundaries", { low: 0, high: words, count: sets + 1 });
  const bits = values.wholes(tree, "cat_threshold", { low: 0, high: 2 ** 32 - 1, count: words });
  return (k) => {
    const fits = Number.isInteger(k) && k >= 0 && k < sets && starts[k] <= starts[k + 1];
    checkPart(origin, fits, `has set ${k} of ${sets} sets of categories`);
    return Uint32Array.from(bits.subarray(starts[k], starts[k + 1]));
  };
}
