import type { Conditionals } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";

/** Largest number of joint states of the labels in one part. */
const MOST_LABELLINGS = 4096;

/** A part of a graph with evidence, for one assignment of the labels. */
export interface Labelled {
  readonly columns: Conditionals;
  /** Probability of the labelling. */
  readonly p: number;
}

/**
 * Splits E_q ln Z(evidence, y) into a sum of terms q(y) ln Z. The sum runs over the parts of the graph, and over the
 * labellings of each part. Two factors belong to the same part if they share a hidden variable. Labels and evidence do
 * not connect factors, because they are fixed in Z. Without labels there is a single part, the whole graph.
 *
 * @throws CapabilityError if a part has more than 4096 labellings
 */
export function* labelledParts(columns: Conditionals): Generator<Labelled> {
  const { cardinalities, observed, labels, ends, variables } = columns;
  if (!labels) {
    yield { columns, p: 1 };
    return;
  }
  const isHidden = (variable: number): boolean => observed[variable] < 0 && !labels.has(variable);
  const parents = Int32Array.from(cardinalities.keys());
  const root = (variable: number): number => {
    while (parents[variable] !== variable) variable = parents[variable] = parents[parents[variable]];
    return variable;
  };
  const scopes = Array.from(ends, (end, factor) => variables.subarray(factor === 0 ? 0 : ends[factor - 1], end));
  for (const scope of scopes) {
    const hidden = scope.filter(isHidden);
    for (const variable of hidden) parents[root(variable)] = root(hidden[0]);
  }
  /**
   * Factors grouped by the root of their hidden variables. A factor without hidden variables has the key −1 − its
   * index.
   */
  const parts = new Map<number, number[]>();
  scopes.forEach((scope, factor) => {
    const hidden = scope.find(isHidden);
    const key = hidden === undefined ? -1 - factor : root(hidden);
    parts.set(key, [...(parts.get(key) ?? []), factor]);
  });
  const rest: number[] = [];
  const gone = new Set<number>();
  for (const [key, factors] of parts) {
    const own = new Set(factors.flatMap((factor) => Array.from(scopes[factor])));
    const labelled = [...own].filter((variable) => observed[variable] < 0 && labels.has(variable));
    if (labelled.length === 0) {
      for (const factor of factors) rest.push(factor);
      continue;
    }
    if (key >= 0) for (const variable of own) if (isHidden(variable)) gone.add(variable);
    const count = labelled.reduce((product, variable) => product * cardinalities[variable], 1);
    if (count > MOST_LABELLINGS)
      throw new CapabilityError(
        "exactLikelihood",
        `hidden variables join ${labelled.length} labels with probabilities, which have ${count} joint states, but at most ${MOST_LABELLINGS} can be enumerated; use contrastiveDivergence()`,
        "GRAPH_WIDTH",
      );
    for (let number = 0; number < count; number++) {
      const seen = new Map<number, number>();
      let p = 1;
      let left = number;
      for (const variable of labelled) {
        const state = left % cardinalities[variable];
        left = Math.floor(left / cardinalities[variable]);
        seen.set(variable, state);
        p *= labels.get(variable)![state];
      }
      if (p > 0) yield { columns: partOf(columns, factors, own, (variable) => seen.get(variable) ?? observed[variable]), p };
    }
  }
  const others = Array.from(cardinalities.keys()).filter((variable) => !gone.has(variable));
  // The remaining factors contain no labels.
  yield { columns: partOf(columns, rest, others, (variable) => (labels.has(variable) ? 0 : observed[variable])), p: 1 };
}

/** Returns a part that consists of some factors and all their variables. Factors and variables are renumbered. */
export function partOf(
  columns: Conditionals,
  factors: readonly number[],
  own: Iterable<number>,
  observed: (variable: number) => number,
): Conditionals {
  const { ends, variables, literals, shapes, weights, features, cardinalities } = columns;
  const list = [...own];
  const numbers = new Map(list.map((variable, number) => [variable, number]));
  const edges = factors.flatMap((factor) => {
    const from = factor === 0 ? 0 : ends[factor - 1];
    return Array.from({ length: ends[factor] - from }, (_, i) => from + i);
  });
  let end = 0;
  return {
    ...columns,
    cardinalities: Uint32Array.from(list, (variable) => cardinalities[variable]),
    observed: Int32Array.from(list, observed),
    variableCount: list.length,
    ends: Uint32Array.from(factors, (factor) => (end += ends[factor] - (factor === 0 ? 0 : ends[factor - 1]))),
    variables: Uint32Array.from(edges, (edge) => numbers.get(variables[edge])!),
    literals: Uint32Array.from(edges, (edge) => literals[edge]),
    shapes: Uint32Array.from(factors, (factor) => shapes[factor]),
    weights: Int32Array.from(factors, (factor) => weights[factor]),
    ...(features ? { features: Float64Array.from(factors, (factor) => features[factor]) } : {}),
  };
}
