import type { Conditionals } from "../../engine/contract/index.ts";
import { partOf } from "./label-parts.ts";

/** Parts of a graph that occur equally often, once each. */
export interface EqualParts {
  readonly columns: Conditionals;
  /** Number of times that each of these parts occurs in the whole graph. */
  readonly count: number;
}

/**
 * Groups equal connected parts, such as the copies of a graph for rows with the same evidence. Two parts are equal if
 * their variables, evidence and factors are the same in the same order, up to their numbers. So the log partition
 * function of the graph is Σ count × ln Z(columns).
 */
export function equalParts(columns: Conditionals): EqualParts[] {
  const { cardinalities, observed, ends, variables, literals, shapes, weights, features } = columns;
  const parents = Int32Array.from(cardinalities.keys());
  const root = (variable: number): number => {
    while (parents[variable] !== variable) variable = parents[variable] = parents[parents[variable]];
    return variable;
  };
  const begin = (factor: number): number => (factor === 0 ? 0 : ends[factor - 1]);
  for (let factor = 0; factor < ends.length; factor++)
    for (let edge = begin(factor) + 1; edge < ends[factor]; edge++) parents[root(variables[edge])] = root(variables[edge - 1]);
  const parts = new Map<number, { own: number[]; factors: number[] }>();
  const number = Uint32Array.from(cardinalities.keys(), (variable) => {
    const part = parts.get(root(variable)) ?? { own: [], factors: [] };
    parts.set(root(variable), part);
    return part.own.push(variable) - 1;
  });
  const bare: number[] = [];
  for (let factor = 0; factor < ends.length; factor++) {
    if (begin(factor) === ends[factor]) bare.push(factor);
    else parts.get(root(variables[begin(factor)]))!.factors.push(factor);
  }
  const factorKey = (factor: number): string => {
    const edges = Array.from({ length: ends[factor] - begin(factor) }, (_, i) => begin(factor) + i);
    const literalsKey = edges.map((edge) => `${number[variables[edge]]}:${literals[edge]}`).join(",");
    return `${shapes[factor]} ${weights[factor]} ${features?.[factor] ?? 1} ${literalsKey}`;
  };
  const groups = new Map<string, { own: number[]; factors: number[]; count: number }>();
  for (const part of parts.values()) {
    const variablesKey = part.own.map((variable) => `${cardinalities[variable]}:${observed[variable]}`).join(",");
    const key = `${variablesKey}|${part.factors.map(factorKey).join("|")}`;
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { ...part, count: 1 });
  }
  // Parts that occur equally often are evaluated together.
  const byCount = new Map<number, { own: number[]; factors: number[] }>(bare.length > 0 ? [[1, { own: [], factors: bare }]] : []);
  for (const { own, factors, count } of groups.values()) {
    const all = byCount.get(count) ?? { own: [], factors: [] };
    byCount.set(count, all);
    for (const variable of own) all.own.push(variable);
    for (const factor of factors) all.factors.push(factor);
  }
  return [...byCount].map(([count, { own, factors }]) => ({
    columns: partOf(columns, factors, own, (variable) => observed[variable]),
    count,
  }));
}
