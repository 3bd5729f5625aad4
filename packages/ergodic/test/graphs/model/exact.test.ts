/**
 * Every kind of factor: elimination on the graph's tables and chains equals enumeration of the factors' definitions.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import { elimination, FactorGraph, factorGraph, graphGibbs, type Inferred, infer, not } from "../../../src/entries/everything.ts";
import { Observations } from "../../../src/graphs/model/evidence.ts";
import { Structure } from "../../../src/graphs/model/structure.ts";
import { tabling } from "../../../src/graphs/model/tables.ts";
import { power } from "../../power.ts";
import { factorValue, logicalValue } from "../../reference/factor-value.ts";
import { type GraphPlan, graphFrom, graphPlans } from "../../reference/random-factor-graph.ts";

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The sum and the largest product over all joint states, from the definitions. */
function enumerate(graph: FactorGraph) {
  const counts = indices(graph.variableCount).map((variable) => graph.stateCount(variable));
  const weights = indices(graph.weightCount).map((id) => graph.weightState(id).value);
  const factors = indices(graph.factorCount).map((i) => graph.factorAt(i));
  const observed = counts.map((_, variable) => graph.observedState(variable));
  const soft = counts.map((_, variable) => graph.softEvidence(variable));
  const marginals = counts.map((count) => new Float64Array(count));
  let [sum, largest] = [0, 0];
  const productAt = (states: ArrayLike<number>): number => {
    let product = 1;
    for (const factor of factors) product *= factorValue(factor, states, counts, weights);
    soft.forEach((likelihood, variable) => {
      if (likelihood) product *= likelihood[states[variable]];
    });
    return observed.some((state, variable) => state >= 0 && state !== states[variable]) ? 0 : product;
  };
  const states = new Int32Array(counts.length);
  for (;;) {
    const product = productAt(states);
    sum += product;
    largest = Math.max(largest, product);
    states.forEach((state, variable) => {
      marginals[variable][state] += product;
    });
    let variable = counts.length - 1;
    for (; variable >= 0 && ++states[variable] === counts[variable]; variable--) states[variable] = 0;
    if (variable < 0) break;
  }
  return { sum, largest, marginals, productAt };
}

const near = (found: number, wanted: number, within = 1e-12): void =>
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(within * Math.max(1, Math.abs(wanted)));

type Task = "marginals" | "partition" | "map";

async function agrees(plan: GraphPlan): Promise<void> {
  const graph = graphFrom(plan);
  await equalsEnumeration(graph, () => graph);
}

async function equalsEnumeration(graph: FactorGraph, asked: (task: Task) => Inferred): Promise<void> {
  const truth = enumerate(graph);
  const { logZ, certificate } = await infer(asked("partition"), { task: "partition" });
  expect(certificate).toEqual({ exact: true });
  if (truth.sum === 0) {
    expect(logZ).toBe(-Infinity);
    return;
  }
  near(logZ, Math.log(truth.sum));
  const answer = await infer(asked("marginals"));
  expect(answer.variables).toHaveLength(graph.variableCount);
  truth.marginals.forEach((wanted, variable) => {
    answer.marginal(variable).p.forEach((p, state) => {
      near(p, wanted[state] / truth.sum);
    });
  });
  const { best, gap } = await infer(asked("map"), { task: "map" });
  expect(gap).toBe(0);
  near(best.value, Math.log(truth.largest));
  near(truth.productAt(best.states) / truth.largest, 1);
}

describe("factor graphs", () => {
  it("equals enumeration with tables, on random graphs of all kinds of factors", async () => {
    await fc.assert(fc.asyncProperty(graphPlans({ most: 6, widest: 4 }), agrees), { numRuns: power(120, 400), seed: 14 });
  });

  it("equals enumeration with chains, on random graphs with factors of up to 11 variables", async () => {
    const wide = graphPlans({ most: 11, widest: 11 }).filter(
      ({ counts, factors }) =>
        counts.reduce((product, count) => product * count, 1) <= 10_000 &&
        factors.some(({ variables }) => variables.reduce((product, variable) => product * counts[variable], 1) > 256),
    );
    let chained = 0;
    await fc.assert(
      fc.asyncProperty(wide, async (plan) => {
        const { cardinalities, variableCount } = graphFrom(plan).factorTables("marginals");
        if (cardinalities.length > variableCount) chained++;
        await agrees(plan);
      }),
      { numRuns: power(30, 100), seed: 15 },
    );
    expect(chained).toBeGreaterThan(power(15, 50));
  });

  it("equals enumeration if every factor of three or more variables is a chain, on random graphs", async () => {
    let auxiliaries = 0;
    await fc.assert(
      fc.asyncProperty(graphPlans({ most: 5, widest: 5 }), async (plan) => {
        const structure = new Structure(2 ** 20);
        const observations = new Observations(structure.budget);
        const graph = graphFrom(plan, new FactorGraph(structure, observations));
        const split = (task: Task) => atOnce(tabling(structure, observations, task, 1));
        auxiliaries += split("marginals").cardinalities.length - graph.variableCount;
        await equalsEnumeration(graph, split);
      }),
      { numRuns: power(80, 300), seed: 19 },
    );
    expect(auxiliaries).toBeGreaterThan(power(80, 500));
  });

  it("counts the states of wide factors of each kind as by hand", async () => {
    const names = indices(30).map((i) => `b${i}`);
    const of = async (build: (graph: FactorGraph) => unknown): Promise<number> => {
      const graph = factorGraph();
      for (const name of names) graph.variable(name);
      build(graph);
      return Math.exp((await infer(graph, { task: "partition" })).logZ);
    };
    const e = Math.E;
    near(await of((graph) => graph.oneOf(names)), 30);
    near(await of((graph) => graph.atMost(2, names)), 1 + 30 + 435);
    near(await of((graph) => graph.or(names)), (2 ** 30 - 1) * e + 1 / e);
    near(await of((graph) => graph.equal(names)), 2 * e + (2 ** 30 - 2) / e);
    near(await of((graph) => graph.imply(names.slice(1), "b0")), (2 ** 30 - 1) * e + 1);
    near(await of((graph) => graph.linear(names.slice(1), not("b0"))), 2 ** 29 * e ** 29 + (1 + e) ** 29);
    const halves = names.slice(1).map((name): [string, number] => [name, 0.5]);
    near(await of((graph) => graph.noisyOr("b0", halves)), 2 ** 29);
    const on = (graph: FactorGraph) => {
      graph.noisyOr("b0", halves);
      graph.observe("b0", true);
    };
    near(await of(on), 2 ** 29 - 1.5 ** 29);
  });

  it("answers with the graph's own variables, without the auxiliary variables of wide factors", async () => {
    const graph = factorGraph();
    const names = indices(11).map((i) => `b${i}`);
    for (const name of names) graph.variable(name);
    graph.or(names);
    graph.noisyOr(
      "b0",
      names.slice(1).map((name): [string, number] => [name, 0.5]),
    );
    for (const algorithm of [elimination(), graphGibbs({ warmup: 50, sweeps: 100 })]) {
      const { marginals } = (await infer(graph, { algorithm, seed: 1 })).toJSON();
      expect(Object.keys(marginals as object)).toEqual(names);
    }
  });

  it("refuses map for a noisy-or that is too wide, unless evidence narrows it", async () => {
    const graph = factorGraph();
    const parents = indices(20).map((i): [string, number] => [`p${i}`, 0.1 + i / 100]);
    graph.variable("child");
    for (const [name] of parents) {
      graph.variable(name);
      graph.table([name], [0.9, 0.1]);
    }
    graph.noisyOr("child", parents, { leak: 0.01 });
    await expect(infer(graph, { task: "map" })).rejects.toThrow(
      /noisy or of 20 parents .* observe more parents.* \[GRAPH_WIDE\]/,
    );
    const { best } = await infer(graph, { task: "map", evidence: { child: false } });
    near(best.value, Math.log(0.99) + 20 * Math.log(0.9));
    const some = Object.fromEntries(parents.slice(10).map(([name]) => [name, false]));
    const on = await infer(graph, { task: "map", evidence: { child: true, ...some } });
    // Either the likeliest parent is on, or none is, and the leak is the cause.
    const cause = 0.1 * 0.9 ** 19 * (1 - 0.99 * (1 - 0.19));
    near(on.best.value, Math.log(Math.max(cause, 0.01 * 0.9 ** 20)));
  });

  it("returns values beyond the range of exp as logarithms", async () => {
    const graph = factorGraph();
    graph.variable("a");
    graph.variable("b");
    graph.equal(["a", "b"], { weight: 2000 });
    graph.isTrue("a", { weight: 0.5 });
    const { p } = (await infer(graph)).marginal("b");
    near(p[1], 1 / (1 + Math.exp(-1)));
    near((await infer(graph, { task: "partition" })).logZ, 2000 + Math.log(Math.exp(0.5) + Math.exp(-0.5)));
    const huge = factorGraph();
    huge.variable("a");
    for (let i = 0; i < 2; i++) huge.isTrue("a", { weight: 1.7e308 });
    await expect(infer(huge)).rejects.toThrow(/the sum of the potentials of a variable overflows.* \[GRAPH_OVERFLOW\]/);
    graph.equal(["a", "b"], { weight: 1e300, feature: 1e300 });
    await expect(infer(graph)).rejects.toThrow(/factor 2 \(equal\) .* which overflows.* \[GRAPH_OVERFLOW\]/);
  });
});

describe("functions of one and two arguments, as documented in graphs.md", () => {
  const rows: [string, number[], number][] = [
    ...([
      ["implyNatural", [0], -1],
      ["implyNatural", [1], 1],
      ["implyNatural", [0, 0], 0],
      ["implyNatural", [1, 0], -1],
    ] as [string, number[], number][]),
    ...([
      ["or", [0], -1],
      ["or", [0, 1], 1],
      ["and", [1, 0], -1],
      ["and", [1, 1], 1],
      ["isTrue", [0], -1],
    ] as [string, number[], number][]),
    ...([
      ["equal", [0, 0], 1],
      ["equal", [1, 0], -1],
      ["equal", [0], 1],
    ] as [string, number[], number][]),
    ...([
      ["linear", [0], 0],
      ["linear", [1], 1],
      ["linear", [1, 1, 0], 0],
      ["linear", [0, 1, 0], 1],
      ["linear", [0, 0, 1], 2],
    ] as [string, number[], number][]),
    ...([
      ["ratio", [1], 1],
      ["ratio", [0], 0],
      ["ratio", [0, 0, 0], Math.log2(3)],
      ["logical", [0], 0],
      ["logical", [1, 0], 0],
      ["logical", [0, 0], 1],
    ] as [string, number[], number][]),
    ...([
      ["all", [1, 1], 1],
      ["all", [0, 1], 0],
      ["imply", [0], 0],
      ["imply", [0, 0], 1],
      ["imply", [1, 0], 0],
    ] as [string, number[], number][]),
  ];
  it.each(rows)("%s of %j is %d", (kind, literals, wanted) => {
    const graph = factorGraph();
    const variables = literals.map((_, i) => graph.variable(`v${i}`));
    graph.logicalFactor(kind as "or", variables, { weight: 0.37 });
    const { values } = graph.factorTable(0);
    const at = literals.reduce((index, state) => 2 * index + state, 0);
    near(Math.log(values[at]), 0.37 * wanted);
    near(logicalValue(kind, literals), wanted);
    expect(graph.factorAt(0).kind).toBe(kind);
  });
});
