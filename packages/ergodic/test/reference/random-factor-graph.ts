import fc from "fast-check";
import { type FactorGraph, factorGraph, is, logicalFunctionNames } from "../../src/entries/everything.ts";
import { between } from "./between.ts";

/** Plan of a graph, so that it can be made twice. */
export interface GraphPlan {
  readonly counts: readonly number[];
  readonly factors: readonly FactorPlan[];
  readonly observed: readonly (readonly [number, number])[];
  readonly soft: readonly (readonly [number, number])[];
}
interface FactorPlan {
  readonly kind: string;
  readonly variables: readonly number[];
  readonly draws: readonly number[];
}

const kinds = [...logicalFunctionNames, ...logicalFunctionNames, "table", "logTable", "noisyOr", "oneOf", "atMost"];

/**
 * Plans with all functions, noisy ors, exclusive and bounded literals, tables with zeros, both kinds of evidence, and
 * factors as wide as the graph.
 */
export function graphPlans(limits: { most: number; widest: number }): fc.Arbitrary<GraphPlan> {
  return fc.array(fc.constantFrom(2, 2, 2, 3, 1), { minLength: 1, maxLength: limits.most }).chain((counts) => {
    const variable = fc.nat(counts.length - 1);
    const draws = fc.array(between(0, 1), { minLength: 32, maxLength: 32 });
    const factor = fc.record({
      kind: fc.constantFrom(...kinds),
      variables: fc.uniqueArray(variable, { minLength: 1, maxLength: limits.widest }),
      draws,
    });
    const seen = fc.tuple(variable, between(0, 0.999));
    return fc.record({
      counts: fc.constant(counts),
      factors: fc.array(factor, { minLength: 1, maxLength: 7 }),
      observed: fc.array(seen, { maxLength: 2 }),
      soft: fc.array(seen, { maxLength: 2 }),
    });
  });
}

/** Builds the graph of a plan. */
export function graphFrom({ counts, factors, observed, soft }: GraphPlan, graph = factorGraph()): FactorGraph {
  counts.forEach((count, i) => {
    if (count === 2 && i % 2 === 0) graph.variable(`b${i}`);
    else
      graph.variable(i % 3 === 0 ? undefined : `v${i}`, i % 4 === 1 ? Array.from({ length: count }, (_, s) => `s${s}`) : count);
  });
  const shared = graph.weight("shared", 0.7);
  for (const { kind, variables, draws } of factors) {
    const literals = variables.map((variable, i) => {
      const state = Math.floor(draws[i] * 0.999 * counts[variable]);
      return is(variable, graph.stateNames(variable)[state]);
    });
    const weight = draws[20] < 0.2 ? shared : 4 * draws[21] - 2;
    const options = { weight, feature: draws[22] < 0.5 ? 1 : 3 * draws[23] - 1.5 };
    if (kind === "table" || kind === "logTable") {
      const scope = variables.slice(0, 3);
      const size = scope.reduce((product, variable) => product * counts[variable], 1);
      const logs = kind === "logTable";
      const value = (i: number): number => {
        const draw = draws[i % 32] * (1 + i / 64);
        return draw < 0.2 ? (logs ? -Infinity : 0) : logs ? 6 * draw - 3 : draw;
      };
      graph.table(
        scope,
        Array.from({ length: size }, (_, i) => value(i)),
        { logs },
      );
    } else if (kind === "noisyOr") {
      const child = literals.findIndex(({ variable }) => counts[variable as number] === 2);
      if (child < 0) continue;
      const parents = literals.filter((_, i) => i !== child).map((one, i): [typeof one, number] => [one, draws[i + 8]]);
      graph.noisyOr(literals[child], parents, { leak: draws[24] < 0.5 ? 0 : draws[25] });
    } else if (kind === "oneOf") graph.oneOf(literals);
    else if (kind === "atMost") graph.atMost(Math.floor(draws[26] * literals.length), literals);
    else graph.logicalFactor(kind as (typeof logicalFunctionNames)[number], literals, options);
  }
  for (const [variable, draw] of observed)
    graph.observe(variable, graph.stateNames(variable)[Math.floor(draw * counts[variable])]);
  for (const [variable, draw] of soft)
    graph.soft(
      variable,
      Array.from({ length: counts[variable] }, (_, s) => draw + s * 0.3 + 0.01),
    );
  return graph;
}
