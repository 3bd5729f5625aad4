/**
 * Reads an ONNX file whose graph is an ensemble of trees, and returns it as a saved model of this library.
 *
 * Sums are in float64, whereas onnxruntime adds float32 numbers in an order that depends on its threads. The columns are
 * f0, f1, …, because a graph has one input for all of them.
 *
 * @throws DataError for damaged files and other graphs; for several targets, MIN and MAX, SOFTMAX_ZERO and PROBIT, and
 * scores of classes that are neither probabilities nor margins
 */

import type { Link, SavedModel } from "../../../engine/contract/index.ts";
import { checkPart, type Origin, unsupported } from "./faults.ts";
import { type Answer, foreignTrees } from "./foreign-trees.ts";
import { type TreeGraph, treeGraph } from "./onnx-graph.ts";
import { type OnnxTrees, onnxTrees } from "./onnx-trees.ts";

const MOST_CLASSES = 2 ** 16;
const ADVICE = "run it with onnxPredictor of @ergodic/serve/onnx";
/** Largest distance of a sum of probabilities from 1. */
const ROUNDING = 1e-3;

export function onnxModel(bytes: Uint8Array, where: string): SavedModel {
  const origin: Origin = { where, library: "ONNX" };
  const graph = treeGraph(bytes, origin);
  return graph.operator === "TreeEnsembleRegressor" ? regressor(graph, origin) : classifier(graph, origin);
}

function regressor(graph: TreeGraph, origin: Origin): SavedModel {
  const { attributes } = graph;
  const targets = attributes.integer("n_targets", 1);
  if (targets !== 1) throw unsupported(origin, `${targets} targets`, "convert one model per target");
  const transform = attributes.text("post_transform", "NONE");
  if (transform !== "NONE" || graph.isNormalised)
    throw unsupported(origin, `numbers after ${graph.isNormalised ? "a Normalizer" : transform}`, ADVICE);
  const aggregate = attributes.text("aggregate_function", "SUM");
  if (aggregate !== "SUM" && aggregate !== "AVERAGE") throw unsupported(origin, `the aggregate ${aggregate}`, ADVICE);
  const trees = onnxTrees(attributes, "target", 1, origin);
  const base = basesOf(graph, 1, origin);
  const answer: Answer = { task: "regression", link: "identity", loss: "TreeEnsembleRegressor" };
  const divisor = aggregate === "AVERAGE" ? trees.forest.treeCount : 1;
  return saved(graph, trees, answer, { base, divisor, objective: `TreeEnsembleRegressor, ${aggregate}` }, origin);
}

function classifier(graph: TreeGraph, origin: Origin): SavedModel {
  const { attributes } = graph;
  const texts = attributes.texts("classlabels_strings");
  const classes = texts.length > 0 ? texts : attributes.integers("classlabels_int64s").map(String);
  checkPart(origin, classes.length <= MOST_CLASSES, `has ${classes.length} classes`);
  if (classes.length < 2) throw unsupported(origin, `${classes.length} classes`, ADVICE);
  const trees = onnxTrees(attributes, "class", classes.length, origin);
  const { outputs } = trees;
  const base = basesOf(graph, outputs, origin, trees.isSecond);
  const transform = attributes.text("post_transform", "NONE");
  const link = linkOf(graph, trees, base, transform, origin);
  const loss = link === "sigmoid" ? "logistic" : link === "softmax" ? "multinomial" : "TreeEnsembleClassifier";
  const answer: Answer = { task: outputs === 1 ? "binary" : "multiclass", link, loss };
  return saved(graph, trees, answer, { base, divisor: 1, objective: `TreeEnsembleClassifier, ${transform}`, classes }, origin);
}

/**
 * Returns the link from scores to probabilities. A single score of two classes is read as onnxruntime reads it: if no leaf
 * is negative, it is a probability, to which LOGISTIC is not applied. @throws DataError if there is no link
 */
function linkOf({ isNormalised }: TreeGraph, trees: OnnxTrees, base: Float64Array, transform: string, origin: Origin): Link {
  const { leaves } = trees;
  const isOne = base.length === 1;
  const every = (holds: (own: readonly number[]) => boolean): boolean => leaves.every((tree) => tree.every(holds));
  const isPositive = every((own) => own.every((w) => w >= 0)) && base.every((b) => b >= 0);
  // CatBoost writes the scores −z and z of two classes.
  const isMirrored = base.length === 2 && every((own) => own[0] + (own[1] ?? 0) === 0);
  if (transform === "LOGISTIC" && isOne && !isPositive) return "sigmoid";
  if (transform === "LOGISTIC" && !isOne && (isNormalised || isMirrored)) return "sigmoidNormalised";
  if (transform === "SOFTMAX" && !isOne) return "softmax";
  if (transform !== "NONE") {
    const several = transform === "LOGISTIC" ? "of several classes without a Normalizer" : "with one score";
    throw unsupported(origin, `the transform ${transform} ${isOne ? "with one score" : several}`, ADVICE);
  }
  if (isPositive && sumsToOne(leaves, base)) return "probabilities";
  if (isNormalised || (isOne && isPositive)) throw unsupported(origin, "scores that are not probabilities", ADVICE);
  return "sign";
}

/** Whether the scores of every row add up to 1 or, if there is one score, to at most 1. */
function sumsToOne(leaves: readonly (readonly (readonly number[])[])[], base: Float64Array): boolean {
  const totals = leaves.map((tree) => tree.map((own) => own.reduce((sum, w) => sum + w, 0)));
  const start = base.reduce((sum, b) => sum + b, 0);
  const most = totals.reduce((sum, tree) => sum + tree.reduce((m, w) => Math.max(m, w), 0), start);
  const least = totals.reduce((sum, tree) => sum + tree.reduce((m, w) => Math.min(m, w), Infinity), start);
  return most <= 1 + ROUNDING && (base.length === 1 || least >= 1 - ROUNDING);
}

/** Reads base_values. Those of two classes are refused where the answer of onnxruntime ignores or moves them. */
function basesOf({ attributes }: TreeGraph, outputs: number, origin: Origin, isSecond = false): Float64Array {
  const { values } = attributes.numbers("base_values");
  if (values.length === 0) return new Float64Array(outputs);
  if (outputs === 2 || isSecond || values.length > outputs)
    throw unsupported(origin, `${values.length} base values for ${outputs} scores`, "convert it without base values");
  checkPart(origin, values.length === outputs, `has ${values.length} base values for ${outputs} outputs`);
  return Float64Array.from(values);
}

function saved(
  graph: TreeGraph,
  trees: OnnxTrees,
  answer: Answer,
  { base, divisor, ...rest }: { base: Float64Array; divisor: number; objective: string; classes?: readonly string[] },
  origin: Origin,
): SavedModel {
  const thresholds = graph.compared === "f64" || trees.isDouble ? "f64" : "f32";
  const ensemble = trees.forest.ensemble({ leafWidth: trees.leafWidth, base, isFloatSum: false, thresholds, divisor });
  const columns = graph.columns ?? trees.columns;
  checkPart(origin, trees.columns <= columns, `has column ${trees.columns - 1}, but its input has ${columns} columns`);
  const names = Array.from({ length: columns }, (_, j) => `f${j}`);
  return foreignTrees(origin, { ...answer, ...rest, ensemble, names, type: graph.input });
}
