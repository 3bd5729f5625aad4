/**
 * Reads a model that XGBoost saved as JSON or UBJSON, and returns it as a saved model of this library.
 *
 * Margins equal those of XGBoost bit for bit: float32 thresholds with x < threshold, and sums in float32 in tree order,
 * which begin at the margin of `base_score`. All trees are used, as `Booster.predict` does; the classes of XGBoost's
 * scikit-learn interface stop at `best_iteration` instead. Leaves of DART are multiplied by the weights of their trees.
 *
 * @throws DataError for damaged files, linear boosters, survival objectives, and several numeric targets
 */

import type { SavedModel } from "../../../engine/contract/index.ts";
import { MISSING_LEFT } from "../ensemble.ts";
import { checkPart, damaged, type Origin, shownPart, unsupported } from "./faults.ts";
import { Fields, type Part } from "./fields.ts";
import { foreignTrees, MOST_COLUMNS } from "./foreign-trees.ts";
import { Forest, type Leaf, type Split } from "./forest.ts";
import { baseMargin, type Objective, objectives } from "./xgboost-objectives.ts";

/** Largest category, as in XGBoost. */
const MOST_CATEGORIES = 2 ** 24;
const MOST_NODES = 2 ** 31 - 1;
const MOST_CLASSES = 2 ** 16;

/** Whether parsed JSON looks like a model of XGBoost. */
export function isXgboost(json: unknown): json is Part {
  return typeof json === "object" && json !== null && Object.hasOwn(json, "learner");
}

export function xgboostModel(json: unknown, where: string): SavedModel {
  const origin: Origin = { where, library: "XGBoost" };
  const fields = new Fields(origin);
  const learner = fields.part(json, "learner");
  const name = fields.text(fields.part(learner, "objective"), "name");
  const objective = Object.hasOwn(objectives, name) ? objectives[name] : undefined;
  if (!objective)
    throw unsupported(origin, `the objective ${shownPart(name)}`, "predict with XGBoost, or train with another objective");
  const param = fields.part(learner, "learner_model_param");
  const columns = fields.count(param, "num_feature", { low: 0, high: MOST_COLUMNS });
  const outputs = outputsOf(fields, param, objective);
  const { model, weights } = boosterOf(fields, learner);
  const trees = fields.list(model, "trees");
  const info = fields.wholes(model, "tree_info", { low: 0, high: outputs - 1, count: trees.length });
  const dropped = weights && fields.numbers(weights, "weight_drop", trees.length);
  const forest = new Forest(origin);
  const width = widthOf(fields, trees[0], outputs);
  for (let t = 0; t < trees.length; t++) {
    const tree = trees[t] as Part;
    checkPart(origin, widthOf(fields, tree, outputs) === width, `has a tree ${t} with leaves of another size`);
    addTree(fields, forest, tree, { output: info[t], width, weight: dropped?.[t] ?? 1 });
  }
  const base = basesOf(origin, fields.text(param, "base_score"), objective, outputs);
  const ensemble = forest.ensemble({ leafWidth: width, base, isFloatSum: true, thresholds: "f32" });
  const { task, link, loss } = objective;
  return foreignTrees(origin, { ensemble, names: namesOf(fields, learner, columns), objective: name, task, link, loss });
}

/** Number of outputs. @throws DataError if it does not fit the objective */
function outputsOf(fields: Fields, param: Part, { task }: Objective): number {
  const { origin } = fields;
  const classes = fields.count(param, "num_class", { low: 0, high: MOST_CLASSES, absent: 0 });
  const targets = fields.count(param, "num_target", { low: 0, high: MOST_CLASSES, absent: 1 });
  if (targets > 1) throw unsupported(origin, `${targets} targets`, "train one model per target");
  if (task === "multiclass") checkPart(origin, classes > 1, `has ${classes} classes, but an objective of several classes`);
  else checkPart(origin, classes < 2, `has ${classes} classes, but an objective of one output`);
  return Math.max(1, classes);
}

/** Returns the part with the trees, and the part with the weights of trees if the booster is DART. */
function boosterOf(fields: Fields, learner: Part): { model: Part; weights?: Part } {
  const booster = fields.part(learner, "gradient_booster");
  const name = fields.text(booster, "name");
  if (name === "gbtree") return { model: fields.part(booster, "model") };
  if (name === "dart") return { model: fields.part(fields.part(booster, "gbtree"), "model"), weights: booster };
  throw unsupported(fields.origin, `the booster ${shownPart(name)}`, "this library reads gbtree and dart");
}

function namesOf(fields: Fields, learner: Part, columns: number): readonly string[] {
  const given = Object.hasOwn(learner, "feature_names") ? fields.texts(learner, "feature_names") : [];
  if (given.length === 0) return Array.from({ length: columns }, (_, j) => `f${j}`);
  checkPart(fields.origin, given.length === columns, `has ${given.length} feature names for ${columns} features`);
  return given;
}

/** Reads base_score: "5E-1" or, from version 3.1, "[5E-1]" with a number per output. */
function basesOf(origin: Origin, text: string, { base }: Objective, outputs: number): Float64Array {
  const scores = text.replace(/^\[(.*)\]$/s, "$1").split(",");
  const given = scores.map((score) => (/^\s*[-+]?[\d.]+(e[-+]?\d+)?\s*$/i.test(score) ? Number(score) : Number.NaN));
  const margins = given.map((score) => baseMargin(base, score));
  const fits = (margins.length === 1 || margins.length === outputs) && margins.every(Number.isFinite);
  if (!fits) throw damaged(origin, `has base_score ${shownPart(text)}, which has no margin`);
  return Float64Array.from({ length: outputs }, (_, k) => margins[k % margins.length]);
}

/** Number of values per leaf of a tree. */
function widthOf(fields: Fields, tree: unknown, outputs: number): number {
  if (tree === undefined) return 1;
  const width = Math.max(
    1,
    fields.count(fields.part(tree, "tree_param"), "size_leaf_vector", { low: 0, high: MOST_CLASSES, absent: 1 }),
  );
  checkPart(fields.origin, width === 1 || width === outputs, `has leaves of ${width} values for ${outputs} outputs`);
  return width;
}

function addTree(
  fields: Fields,
  forest: Forest,
  tree: Part,
  { output, width, weight }: { output: number; width: number; weight: number },
): void {
  const left = fields.numbers(tree, "left_children");
  const nodes = left.length;
  const right = fields.numbers(tree, "right_children", nodes);
  const feature = fields.wholes(tree, "split_indices", { low: 0, high: MOST_NODES, count: nodes });
  const condition = fields.numbers(tree, "split_conditions", nodes);
  const defaultLeft = fields.numbers(tree, "default_left", nodes);
  const vectors = width > 1 ? fields.numbers(tree, "base_weights", nodes * width) : condition;
  const gain = fields.optionalNumbers(tree, "loss_changes", nodes);
  const cover = fields.optionalNumbers(tree, "sum_hessian", nodes);
  const sets = setsOf(fields, tree, nodes);
  checkPart(fields.origin, nodes > 0, "has a tree without nodes");
  forest.add(output, 0, nodes, (n): Leaf | Split => {
    const seen = cover && { cover: Math.fround(cover[n]) };
    if (left[n] === -1)
      return {
        values: Array.from(vectors.subarray(n * width, (n + 1) * width), (value) =>
          Math.fround(Math.fround(value) * Math.fround(weight)),
        ),
        ...seen,
      };
    const set = sets.get(n);
    return {
      feature: feature[n],
      threshold: set ? 0 : condition[n],
      left: left[n],
      right: right[n],
      rule: defaultLeft[n] === 0 ? 0 : MISSING_LEFT,
      ...(set ? { set } : {}),
      ...(gain && { gain: Math.fround(gain[n]) }),
      ...seen,
    };
  });
}

/** Returns the sets of categories that go right, by node. */
function setsOf(fields: Fields, tree: Part, nodes: number): ReadonlyMap<number, Uint32Array> {
  const sets = new Map<number, Uint32Array>();
  const types = fields.optionalNumbers(tree, "split_type", nodes);
  if (!types?.some((type) => type !== 0)) return sets;
  const places = fields.wholes(tree, "categories_nodes", { low: 0, high: nodes - 1 });
  const { length: count } = places;
  const categories = fields.wholes(tree, "categories", { low: 0, high: MOST_CATEGORIES - 1 });
  const segments = fields.wholes(tree, "categories_segments", { low: 0, high: categories.length, count });
  const sizes = fields.wholes(tree, "categories_sizes", { low: 0, high: categories.length, count });
  for (const [k, n] of places.entries()) {
    const own = categories.subarray(segments[k], segments[k] + sizes[k]);
    checkPart(
      fields.origin,
      own.length === sizes[k] && types[n] === 1 && !sets.has(n),
      `has categories at node ${n} that do not fit`,
    );
    sets.set(n, setOf(own));
  }
  types.forEach((type, n) => {
    checkPart(fields.origin, type === 0 || sets.has(n), `has split_type ${type} at node ${n}, but no categories there`);
  });
  return sets;
}

/** Returns the words of a set of categories. A set without categories has one word. */
function setOf(categories: Float64Array): Uint32Array {
  const words = new Uint32Array((categories.reduce((most, code) => Math.max(most, code), 0) >>> 5) + 1);
  for (const code of categories) words[code >>> 5] |= 1 << (code & 31);
  return words;
}
