/**
 * Reads the nodes of TreeEnsembleRegressor and TreeEnsembleClassifier as a forest. A row goes to the true node if
 * x <= value (BRANCH_LEQ), x < value (BRANCH_LT), x > value (BRANCH_GT) or x >= value (BRANCH_GTE). The last two exchange
 * the children. A missing value goes to the false node unless `nodes_missing_value_tracks_true` is 1.
 */

import { INCLUSIVE, MISSING_LEFT } from "../ensemble.ts";
import { checkPart, type Origin, unsupported } from "./faults.ts";
import { MOST_COLUMNS } from "./foreign-trees.ts";
import { Forest, type Leaf, type Split } from "./forest.ts";
import type { Attributes } from "./onnx-graph.ts";

export interface OnnxTrees {
  readonly forest: Forest;
  readonly leafWidth: number;
  readonly columns: number;
  /** Whether thresholds are float64 in the file. */
  readonly isDouble: boolean;
  /** Number of scores per row: 1 if there are two classes, but all leaves add to one score, which is the second class's. */
  readonly outputs: number;
  /** Whether the single score of two classes has the second class's number. */
  readonly isSecond: boolean;
  /** Values of every leaf, by tree. */
  readonly leaves: readonly (readonly (readonly number[])[])[];
}

/** Largest number of values in all leaves. */
const MOST_VALUES = 2 ** 26;

/** A tree as places in the lists of nodes, by number of the node in the file. */
export interface Tree {
  readonly places: Map<number, number>;
  /** Values of leaves, as pairs of output and weight, by number of the node. */
  readonly weights: Map<number, [output: number, weight: number][]>;
}

/** `prefix`: "target" or "class", with which the names of the leaves' lists begin. */
export function onnxTrees(attributes: Attributes, prefix: "target" | "class", classes: number, origin: Origin): OnnxTrees {
  const { trees, count } = treesOf(attributes, origin);
  const used = addWeights(attributes, prefix, classes, trees, origin);
  const outputs = classes === 2 && used.size < 2 ? 1 : classes;
  const modes = attributes.texts("nodes_modes");
  checkPart(origin, modes.length === count, `has ${modes.length} values in "nodes_modes", but ${count} are wanted`);
  const list = (name: string): number[] => attributes.integers(`nodes_${name}`, count);
  const [feature, yes, no] = [list("featureids"), list("truenodeids"), list("falsenodeids")];
  const value = attributes.numbers("nodes_values", count);
  const tracks = attributes.integers("nodes_missing_value_tracks_true");
  checkPart(origin, [0, count].includes(tracks.length), `has ${tracks.length} values that track missing values`);
  const columns = modes.reduce((most, mode, k) => (mode === "LEAF" ? most : Math.max(most, feature[k] + 1)), 1);
  checkPart(origin, columns <= MOST_COLUMNS, `has column ${columns - 1}`);
  const outputOf = trees.map(({ weights }) => onlyOutput(weights));
  const leafWidth = outputOf.includes(undefined) ? outputs : 1;
  if (leafWidth * count > MOST_VALUES) throw unsupported(origin, `${count} nodes of ${outputs} values`, "make it smaller");
  const forest = new Forest(origin);
  const leaves: number[][][] = [];
  for (const [t, tree] of trees.entries()) {
    const { places, weights } = tree;
    const own: number[][] = [];
    const numbers = new Map([...places.keys()].map((id, k) => [id, k]));
    const ids = [...places.keys()];
    const child = (id: number): number => numbers.get(id) ?? -1;
    const isInner = (id: number): boolean => modes[places.get(id)!] !== "LEAF";
    const children = new Set(ids.filter(isInner).flatMap((id) => [yes[places.get(id)!], no[places.get(id)!]]));
    const roots = ids.filter((id) => !children.has(id));
    checkPart(origin, roots.length === 1, `has ${roots.length} roots in tree ${t}`);
    forest.add(outputs > 1 && leafWidth === 1 ? outputOf[t]! : 0, child(roots[0]), ids.length, (n): Leaf | Split => {
      const k = places.get(ids[n])!;
      if (modes[k] === "LEAF") {
        const values = new Array<number>(leafWidth).fill(0);
        for (const [output, weight] of weights.get(ids[n]) ?? []) values[leafWidth === 1 ? 0 : output] += weight;
        own.push(values);
        return { values };
      }
      const { swaps, inclusive } = branchOf(modes[k], origin);
      const missing = tracks[k] === 1 ? !swaps : swaps;
      const [left, right] = swaps ? [no[k], yes[k]] : [yes[k], no[k]];
      const rule = (inclusive ? INCLUSIVE : 0) | (missing ? MISSING_LEFT : 0);
      return { feature: feature[k], threshold: value.values[k], left: child(left), right: child(right), rule };
    });
    leaves.push(own);
  }
  return { forest, leafWidth, columns, isDouble: value.isDouble, outputs, isSecond: outputs === 1 && used.has(1), leaves };
}

/** Whether a mode exchanges the children, and whether x = value goes left then. @throws DataError for other modes */
function branchOf(mode: string, origin: Origin): { swaps: boolean; inclusive: boolean } {
  if (mode === "BRANCH_LEQ") return { swaps: false, inclusive: true };
  if (mode === "BRANCH_LT") return { swaps: false, inclusive: false };
  if (mode === "BRANCH_GT") return { swaps: true, inclusive: true };
  if (mode === "BRANCH_GTE") return { swaps: true, inclusive: false };
  throw unsupported(origin, `the branch mode ${JSON.stringify(mode.slice(0, 60))}`, "run it with onnxruntime");
}

function treesOf(attributes: Attributes, origin: Origin): { trees: Tree[]; count: number } {
  const treeIds = attributes.integers("nodes_treeids");
  const count = treeIds.length;
  const nodeIds = attributes.integers("nodes_nodeids", count);
  const trees = new Map<number, Tree>();
  for (let k = 0; k < count; k++) {
    let tree = trees.get(treeIds[k]);
    if (!tree) trees.set(treeIds[k], (tree = { places: new Map(), weights: new Map() }));
    checkPart(origin, !tree.places.has(nodeIds[k]), `has node ${nodeIds[k]} of tree ${treeIds[k]} twice`);
    tree.places.set(nodeIds[k], k);
  }
  checkPart(origin, count > 0, "has no nodes");
  return { trees: [...trees.values()], count };
}

/** Adds the values of leaves to their trees, and returns the outputs that they add to. */
function addWeights(
  attributes: Attributes,
  prefix: string,
  outputs: number,
  trees: readonly Tree[],
  origin: Origin,
): Set<number> {
  const outputIds = attributes.integers(`${prefix}_ids`);
  const { length: count } = outputIds;
  const treeIds = attributes.integers(`${prefix}_treeids`, count);
  const nodeIds = attributes.integers(`${prefix}_nodeids`, count);
  const { values } = attributes.numbers(`${prefix}_weights`, count);
  const byId = new Map([...new Set(attributes.integers("nodes_treeids"))].map((id, t) => [id, trees[t]]));
  for (let k = 0; k < count; k++) {
    const tree = byId.get(treeIds[k]);
    checkPart(
      origin,
      tree?.places.has(nodeIds[k]),
      `has values at node ${nodeIds[k]} of tree ${treeIds[k]}, which does not exist`,
    );
    checkPart(origin, outputIds[k] >= 0 && outputIds[k] < outputs, `has output ${outputIds[k]}, but ${outputs} outputs`);
    const own = tree!.weights.get(nodeIds[k]);
    if (own) own.push([outputIds[k], values[k]]);
    else tree!.weights.set(nodeIds[k], [[outputIds[k], values[k]]]);
  }
  return new Set(outputIds);
}

/** Returns the output of a tree whose leaves all add to the same output. */
function onlyOutput(weights: Tree["weights"]): number | undefined {
  const outputs = new Set<number>();
  for (const list of weights.values()) for (const [output] of list) outputs.add(output);
  return outputs.size > 1 ? undefined : ([...outputs][0] ?? 0);
}
