import { OptionError, type TreesPredictor } from "ergodic";
import { checkNumber } from "ergodic/extend";
import { brief, checkedOptions, type ExplainPlotOptions, shortened } from "./explain-options.ts";
import { figure } from "./figure.ts";
import { element, label, line } from "./svg.ts";

// biome-ignore lint/suspicious/noExplicitAny: no narrower type has models of every kind and any column names
type AnyTrees = TreesPredictor<any, any>;

/** Bits of a node's rule, as in model files. */
const [MISSING_LEFT, INCLUSIVE] = [1, 2];
const MOST_LEVELS = 4;

interface Node {
  /** Condition for the left side, or the value of a leaf. */
  readonly text: string;
  readonly isMissingLeft: boolean;
  readonly cover: number | undefined;
  readonly children: readonly Node[];
}

/**
 * Returns a tree as indented text. Each line has a condition or, for a leaf, the value that the tree adds to the margin.
 *
 * @param predictor trees, trained by `fit` or loaded by `predictor`
 * @param tree index of the tree, from 0. With several classes, each round has one tree per class
 * @throws OptionError for other models, and unless 0 <= tree < treeCount
 */
export function treeText(predictor: AnyTrees, tree: number): string {
  const lines: string[] = [];
  // The stack replaces recursion, because files can have deep trees.
  const stack: [node: Node, depth: number, prefix: string][] = [[nodeOf("treeText", predictor, tree), 0, ""]];
  while (stack.length > 0) {
    const [{ text, children, cover, isMissingLeft }, depth, prefix] = stack.pop()!;
    const gap = children.length > 0 ? `, missing: ${isMissingLeft ? "yes" : "no"}` : "";
    const weight = cover === undefined ? "" : `  (${brief(cover)} rows)`;
    lines.push(`${"  ".repeat(depth)}${prefix}${text}${children.length > 0 ? "?" : ""}${gap}${weight}`);
    if (children.length > 0) stack.push([children[1], depth + 1, "no: "], [children[0], depth + 1, "yes: "]);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Plots a tree as SVG text. Rows that fulfil a condition go left. A dot marks the side of missing values.
 *
 * @param predictor trees, trained by `fit` or loaded by `predictor`
 * @param tree index of the tree, from 0
 * @throws OptionError for other models, unless 0 <= tree < treeCount, and for trees of more than 64 leaves
 */
export function plotTree(predictor: AnyTrees, tree: number, options: ExplainPlotOptions = {}): string {
  const where = "plotTree";
  const { width: least, title } = checkedOptions(where, options, []);
  const root = nodeOf(where, predictor, tree);
  const leaves = countLeaves(root);
  if (leaves > MOST_LEAVES)
    throw new OptionError(where, `tree ${tree} has ${leaves} leaves, more than ${MOST_LEAVES}; use treeText`, "OPTION_RANGE");
  const width = Math.max(least, leaves * LEAF);
  const each = (width - 40) / leaves;
  let next = 0;
  let deepest = 0;
  const [lines, boxes] = [[] as string[], [] as string[]];
  const place = ({ text, children, isMissingLeft, cover }: Node, depth: number): number => {
    deepest = Math.max(deepest, depth);
    const y = 26 + LEVEL * depth;
    const below = children.map((child) => place(child, depth + 1));
    const x = below.length > 0 ? (below[0] + below[1]) / 2 : 20 + each * (next++ + 0.5);
    below.forEach((to, k) => {
      lines.push(line(x, y + 8, to, y + LEVEL - 16, { stroke: "#999" }));
      if ((k === 0) === isMissingLeft)
        lines.push(element("circle", { cx: (x + to) / 2, cy: y + (LEVEL - 8) / 2, r: 3, fill: "#999" }));
    });
    const isLeaf = children.length === 0;
    const shown = shortened(text, isLeaf ? 12 : 26);
    const wide = 7 * shown.length + 12;
    const fill = isLeaf ? "#e6f0f7" : "#fff";
    boxes.push(element("rect", { x: x - wide / 2, y: y - 14, width: wide, height: 22, rx: 4, fill, stroke: "#0072b2" }));
    boxes.push(label(x, y + 1, shown, { "text-anchor": "middle" }));
    if (isLeaf && cover !== undefined) boxes.push(label(x, y + 22, brief(cover), { "text-anchor": "middle", fill: "#777" }));
    return x;
  };
  place(root, 0);
  const notes = ["Left if the condition holds. A dot marks the side of missing values; below leaves: weight of their rows."];
  const head = title ?? `Tree ${tree} of ${predictor.treeCount}`;
  return figure(head, width, 26 + LEVEL * deepest + 32, notes, [...lines, ...boxes]);
}

const MOST_LEAVES = 64;
const LEAF = 76;
const LEVEL = 58;

function countLeaves(root: Node): number {
  const stack = [root];
  let leaves = 0;
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.children.length === 0) leaves++;
    stack.push(...node.children);
  }
  return leaves;
}

/** Reads a tree. Children have larger numbers than their parents, so that nodes are read from the last to the first. */
function nodeOf(where: string, predictor: AnyTrees, tree: number): Node {
  if ((predictor as Partial<AnyTrees> | undefined)?.kind !== "trees")
    throw new OptionError(where, "the first argument must be trees: write await fit(trees(), train)", "OPTION_TYPE");
  checkNumber(where, "tree", tree, { low: 0, high: predictor.treeCount - 1, integer: true });
  const { ensemble, columns } = predictor;
  const { firstNode, feature, left, right, rule, cover, threshold, set, values, leafWidth } = ensemble;
  const inputs = new Map(predictor.pipeline.inputs?.map((input) => [input.name, input]));
  const first = firstNode[tree];
  const nodes: Node[] = [];
  for (let n = firstNode[tree + 1] - 1; n >= first; n--) {
    const weight = cover.length > 0 ? cover[n] : undefined;
    if (feature[n] < 0) {
      const own = values.subarray(left[n] * leafWidth, (left[n] + 1) * leafWidth);
      nodes[n - first] = { text: Array.from(own, brief).join(", "), isMissingLeft: false, cover: weight, children: [] };
      continue;
    }
    const name = columns[feature[n]];
    const input = inputs.get(name);
    const levels = input && "levels" in input ? input.levels : undefined;
    const isSet = set.length > 0 && set[n] >= 0;
    const text = isSet
      ? `${name} ${outsideSet(predictor, set[n], levels)}`
      : `${name} ${rule[n] & INCLUSIVE ? "≤" : "<"} ${brief(threshold[n])}`;
    const children = [nodes[left[n] - first], nodes[right[n] - first]];
    nodes[n - first] = { text, isMissingLeft: (rule[n] & MISSING_LEFT) !== 0, cover: weight, children };
  }
  return nodes[0];
}

/** Describes the levels that go left: those outside of the set. */
function outsideSet({ ensemble: { sets } }: AnyTrees, at: number, levels: readonly string[] | undefined): string {
  const codes: number[] = [];
  for (let code = 0; code < 32 * sets[at]; code++) if ((sets[at + 1 + (code >>> 5)] >>> (code & 31)) & 1) codes.push(code);
  const listed = (all: readonly number[]): string => {
    const names = all.slice(0, MOST_LEVELS).map((code) => levels?.[code] ?? String(code));
    return all.length > MOST_LEVELS ? `${names.join(", ")}, …` : names.join(", ");
  };
  const others = levels?.map((_, code) => code).filter((code) => !codes.includes(code));
  if (others && others.length <= codes.length) return others.length === 1 ? `is ${listed(others)}` : `is in ${listed(others)}`;
  return codes.length === 1 ? `is not ${listed(codes)}` : `is not in ${listed(codes)}`;
}
