/**
 * Forests, extra trees and single trees on columns of numbers and categories, as plain functions of lists. Random numbers
 * are drawn in the same order as in the kernel, so that trees are equal, not only alike.
 */
import { type Draws, stream } from "../../../../src/engine/random/stream.ts";

export interface ForestCase {
  readonly kind: "forest" | "extraTrees" | "tree";
  /** Rows; NaN is missing. A category is the index of its level. */
  readonly x: readonly (readonly number[])[];
  /** Target per row: a number, or the index of a class. */
  readonly y: readonly number[];
  /** Number of classes; 0 for numbers. */
  readonly classes: number;
  readonly weights: readonly number[];
  /** Number of levels per column; 0 for numbers. */
  readonly levels: readonly number[];
  readonly perSplit: number;
  /** Rows drawn with replacement; 0 for all. */
  readonly draws: number;
  readonly minRows: number;
  readonly depth: number;
  readonly minGain: number;
  readonly seed: number;
}

export interface PlainNode {
  readonly column: number;
  /** Whether a value goes right. */
  readonly goesRight: (value: number) => boolean;
  readonly left: number;
  readonly values: readonly number[];
}

export interface PlainTree {
  readonly nodes: readonly PlainNode[];
  readonly counts: readonly number[];
}

interface Division {
  readonly score: number;
  readonly column: number;
  readonly goesRight: (value: number) => boolean;
}

/** Returns tree number `t`. */
export function plainTree(given: ForestCase, t: number): PlainTree {
  const { x, y, classes, weights, seed, kind } = given;
  const draws = stream(seed, kind).at(t);
  const counts = y.map(() => (given.draws > 0 ? 0 : 1));
  for (let k = 0; k < given.draws; k++) counts[draws.integer(y.length)]++;
  const outputs = Math.max(1, classes > 2 ? classes : 1);
  const order = x[0].map((_, j) => j);
  const weight = (i: number): number => weights[i] * counts[i];
  const sum = (rows: readonly number[], k: number): number =>
    rows.reduce((all, i) => all + weight(i) * (outputs === 1 ? y[i] : Number(y[i] === k)), 0);
  const total = (rows: readonly number[]): number => rows.reduce((all, i) => all + weight(i), 0);
  const scoreOf = (rows: readonly number[]): number => {
    let squares = 0;
    for (let k = 0; k < outputs; k++) squares += sum(rows, k) ** 2;
    return squares / total(rows);
  };
  const pending = [{ rows: [...y.keys()].filter((i) => weight(i) > 0), depth: 0 }];
  const nodes: PlainNode[] = [];
  for (let n = 0; n < pending.length; n++) {
    const { rows, depth } = pending[n];
    const values = Array.from({ length: outputs }, (_, k) => sum(rows, k) / total(rows));
    const isPure = rows.every((i) => y[i] === y[rows[0]]);
    const canDivide = depth < given.depth && rows.length >= Math.max(2, 2 * given.minRows) && !isPure;
    const best = canDivide ? search(given, { rows, draws, order, scoreOf, total, sum, outputs }) : undefined;
    const factor = classes === 2 ? 2 : 1;
    if (!best || (given.minGain > 0 && factor * (best.score - scoreOf(rows)) < given.minGain)) {
      nodes.push({ column: -1, goesRight: () => false, left: -1, values });
      continue;
    }
    nodes.push({ column: best.column, goesRight: best.goesRight, left: pending.length, values });
    for (const side of [false, true])
      pending.push({ rows: rows.filter((i) => best.goesRight(x[i][best.column]) === side), depth: depth + 1 });
  }
  return { nodes, counts };
}

export function plainValues({ nodes }: PlainTree, row: readonly number[]): readonly number[] {
  let n = 0;
  while (nodes[n].column >= 0) n = nodes[n].left + Number(nodes[n].goesRight(row[nodes[n].column]));
  return nodes[n].values;
}

interface Node {
  readonly rows: readonly number[];
  readonly draws: Draws;
  readonly order: number[];
  readonly outputs: number;
  readonly scoreOf: (rows: readonly number[]) => number;
  readonly total: (rows: readonly number[]) => number;
  readonly sum: (rows: readonly number[], k: number) => number;
}

function search(given: ForestCase, node: Node): Division | undefined {
  const { order, draws } = node;
  let best: Division | undefined;
  let tried = 0;
  for (let k = 0; k < order.length && tried < given.perSplit; k++) {
    if (given.perSplit < order.length) {
      const chosen = k + draws.integer(order.length - k);
      [order[k], order[chosen]] = [order[chosen], order[k]];
    }
    const found = given.levels[order[k]] > 0 ? levelCuts(given, node, order[k]) : numberCuts(given, node, order[k]);
    if (!found) continue;
    tried++;
    for (const one of found) {
      const rows = node.rows.filter((i) => one.goesRight(given.x[i][one.column]));
      if (Math.min(rows.length, node.rows.length - rows.length) < given.minRows) continue;
      const left = node.rows.filter((i) => !one.goesRight(given.x[i][one.column]));
      const score = node.scoreOf(left) + node.scoreOf(rows);
      if (score > (best?.score ?? -Infinity) + 1e-10 * Math.abs(score)) best = { ...one, score };
    }
  }
  return best;
}

type Candidate = Omit<Division, "score">;

/** Returns the cuts to try, or undefined if the column is constant. */
function numberCuts({ x, kind }: ForestCase, { rows, draws, total }: Node, column: number): Candidate[] | undefined {
  const all = [...new Set(x.map((row) => row[column]).filter((v) => !Number.isNaN(v)))].sort((a, b) => a - b);
  const binOf = (v: number): number => all.findLastIndex((low) => low <= v);
  const bins = [...new Set(rows.map((i) => x[i][column]).filter((v) => !Number.isNaN(v)))].map(binOf).sort((a, b) => a - b);
  const hasMissing = rows.some((i) => Number.isNaN(x[i][column]));
  if (bins.length === 0 || (bins.length === 1 && !hasMissing)) return undefined;
  const [first, last] = [bins[0], bins.at(-1)!];
  const cuts = kind === "extraTrees" ? [first === last ? last : first + draws.integer(last - first)] : bins;
  return cuts.flatMap((b) => {
    const isLast = b === last;
    if (isLast && !hasMissing) return [];
    // Other rows than the node's are divided in the middle between the node's values, in the order of all values.
    const next = kind === "extraTrees" || isLast ? b + 1 : bins[bins.indexOf(b) + 1];
    const middle = b + Math.floor((next - 1 - b) / 2);
    const threshold = middle + 1 < all.length ? Math.fround(all[middle] / 2 + all[middle + 1] / 2) : Infinity;
    const goes =
      (missingRight: boolean) =>
      (v: number): boolean =>
        Number.isNaN(v) ? missingRight : v >= threshold;
    const left = rows.filter((i) => x[i][column] < threshold);
    if (!hasMissing) return [{ column, goesRight: goes(2 * total(left) < total(rows)) }];
    return (isLast ? [true] : [true, false]).map((missingRight) => ({ column, goesRight: goes(missingRight) }));
  });
}

function levelCuts({ x, kind, levels }: ForestCase, node: Node, column: number): Candidate[] | undefined {
  const { rows, draws, total, sum, outputs } = node;
  // A missing value is one more level, the last.
  const levelOf = (v: number): number => (Number.isNaN(v) ? levels[column] : v);
  const ofLevel = (level: number): number[] => rows.filter((i) => levelOf(x[i][column]) === level);
  const present = Array.from({ length: levels[column] + 1 }, (_, level) => level).filter((level) => ofLevel(level).length > 0);
  if (present.length < 2) return undefined;
  const division = (right: ReadonlySet<number>): Candidate => {
    const left = rows.filter((i) => !right.has(levelOf(x[i][column])));
    const rest = 2 * total(left) < total(rows);
    const goesRight = (v: number): boolean => (present.includes(levelOf(v)) ? right.has(levelOf(v)) : rest);
    return { column, goesRight };
  };
  if (kind === "extraTrees") {
    const right = new Set(present.filter(() => (draws.bits() & 1) === 1));
    if (right.size === 0) right.add(present[draws.integer(present.length)]);
    else if (right.size === present.length) right.delete(present[draws.integer(present.length)]);
    return [division(right)];
  }
  const sums = Array.from({ length: outputs }, (_, k) => sum(rows, k));
  const common = outputs === 1 ? 0 : sums.indexOf(Math.max(...sums));
  const ratio = (level: number): number => sum(ofLevel(level), common) / total(ofLevel(level));
  const sorted = [...present].sort((a, b) => ratio(a) - ratio(b) || a - b);
  return sorted.slice(0, -1).map((_, k) => division(new Set(sorted.slice(k + 1))));
}
