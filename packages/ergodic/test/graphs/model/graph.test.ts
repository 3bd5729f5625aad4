/** The graph builder: names and states, refused input, evidence, weights, JSON and printed text. */
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type FactorGraph,
  factorGraph,
  factorGraphFromJson,
  importanceSampling,
  infer,
  is,
  not,
} from "../../../src/entries/everything.ts";
import { graphFrom, graphPlans } from "../../reference/random-factor-graph.ts";

function weather(): FactorGraph {
  const graph = factorGraph();
  graph.variable("rain", ["no", "yes"]);
  graph.variable("sprinkler");
  graph.variable("wet", ["no", "yes"]);
  graph.variable("dice", 6);
  graph.variable("digit", [0, 1, 3]);
  graph.table(["rain"], [0.8, 0.2]);
  graph.table(
    ["rain", "wet"],
    [
      [0.9, 0.1],
      [0.2, 0.8],
    ],
  );
  return graph;
}

describe("factorGraph", () => {
  it("answers by name", async () => {
    const answer = await infer(weather(), { evidence: { wet: "yes" } });
    const { p, states } = answer.marginal("rain");
    expect(states).toEqual(["no", "yes"]);
    expect(p[1]).toBeCloseTo(0.16 / 0.24, 14);
    expect(answer.marginal("sprinkler")).toMatchObject({ states: ["false", "true"], p: [0.5, 0.5] });
    expect(answer.marginal("digit").states).toEqual(["0", "1", "3"]);
  });

  it("reads flat and nested tables equally, with the last variable fastest", () => {
    const graph = weather();
    const flat = graph.table(["rain", "wet"], Float64Array.of(0.9, 0.1, 0.2, 0.8));
    expect(graph.factorAt(flat)).toEqual(graph.factorAt(1));
    const constant = graph.table([], 3);
    expect(graph.factorAt(constant)).toMatchObject({ variables: [], values: Float64Array.of(3) });
  });

  it("treats numbers as names if states are numbers, and as indices otherwise", () => {
    const graph = weather();
    expect(graph.observe("digit", 3).observedState("digit")).toBe(2);
    expect(graph.observe("digit", "1").observedState("digit")).toBe(1);
    expect(graph.observe("dice", 5).observedState("dice")).toBe(5);
    expect(graph.observe("rain", 1).observedState("rain")).toBe(1);
    expect(graph.observe("sprinkler", true).observedState("sprinkler")).toBe(1);
    expect(() => graph.observe("digit", 2)).toThrow(/"digit": it has no state 2 \(its states are 0, 1, 3\)/);
    expect(() => graph.observe("rain", true)).toThrow(/it has no state true/);
  });

  it("copies the graph for evidence, and shares the factors", async () => {
    const graph = weather();
    const wet = graph.withEvidence({ wet: "yes", rain: [1, 3] });
    expect([graph.observedState("wet"), wet.observedState("wet"), wet.observedState("rain")]).toEqual([-1, 1, -1]);
    expect(wet.softEvidence("rain")).toEqual(Float64Array.of(1, 3));
    expect(graph.softEvidence("rain")).toBeUndefined();
    expect((await infer(wet)).marginal("rain").p[1]).toBeCloseTo((0.16 * 3) / (0.16 * 3 + 0.08), 14);
    graph.observe("rain", "no");
    expect(wet.observedState("rain")).toBe(-1);
  });

  it("names variables without a name by their numbers", () => {
    const graph = factorGraph();
    graph.variable();
    graph.variable("x0");
    expect([graph.variableName(0), graph.variableName(1)]).toEqual(["#0", "x0"]);
    expect(graph.variableNumber("#0")).toBe(0);
    expect(graph.variableNumber("x0")).toBe(1);
    expect(() => graph.variableNumber("x1")).toThrow(/no variable "x1"/);
  });

  it("accepts shared, named and numeric weights", () => {
    const graph = weather();
    const bias = graph.weight("bias", 1.5);
    graph.isTrue("sprinkler", { weight: bias });
    graph.isTrue("sprinkler", { weight: "bias", feature: 2 });
    graph.isTrue("sprinkler", { weight: 0.25 });
    graph.and(["sprinkler", is("rain", "yes")], { weight: 0.25 });
    expect(graph.weightCount).toBe(2);
    expect(graph.weightState("bias")).toEqual({ name: "bias", value: 1.5, fixed: false });
    expect(graph.weightState(1)).toEqual({ name: undefined, value: 0.25, fixed: true });
    graph.setWeights([-1, 0.5]);
    expect(Math.log(graph.factorTable(3).values[1])).toBeCloseTo(-2, 14);
    graph.isTrue("sprinkler", { weight: 0.25 });
    expect(graph.weightCount).toBe(3);
  });

  it("summarises its contents in a line", () => {
    const graph = weather();
    graph.imply(["sprinkler", not(is("rain", "yes"))], is("wet", "yes"), { weight: 2 });
    graph.observe("wet", "yes").soft("dice", [1, 1, 1, 1, 1, 2]);
    const line = "factor graph: 5 variables, 3 factors (table 2, imply 1), 6 edges, 1 weight, 1 observed, soft evidence of 1";
    expect(String(graph)).toBe(line);
    expect(inspect(graph)).toBe(line);
  });

  const refusals: [string, (graph: FactorGraph) => unknown, RegExp][] = [
    ["a variable twice", (g) => g.variable("rain"), /"rain" already.* \[NAME_TAKEN\]/],
    ["states of the same name", (g) => g.variable("a", ["x", "x"]), /two of its states are called "x"/],
    ["no states", (g) => g.variable("a", []), /no states/],
    ["zero states", (g) => g.variable("a", 0), /its states are 0/],
    ["an unknown variable", (g) => g.table(["rainy"], [1, 1]), /no variable "rainy"; did you mean "rain"\?.* \[OPTION_UNKNOWN\]/],
    ["an unknown state", (g) => g.observe("rain", "ye"), /"rain": it has no state "ye"; did you mean "yes"\?/],
    ["evidence of an unknown variable", (g) => g.withEvidence({ raim: "yes" }), /evidence: there is no variable "raim"/],
    ["a table of another size", (g) => g.table(["rain", "dice"], [1, 2]), /2 values were given, but 2 × 6 states make 12/],
    [
      "a table of another shape",
      (g) => g.table(["rain", "wet"], [[1, 2], [3]]),
      /values\[1\] is a list of 1, but must be a list of 2.*"wet"/,
    ],
    [
      "a negative value",
      (g) =>
        g.table(
          ["rain", "wet"],
          [
            [1, 2],
            [3, -1],
          ],
        ),
      /values\[1\]\[1\] is -1, but must be a number >= 0/,
    ],
    ["NaN", (g) => g.table(["rain"], [1, NaN]), /values\[1\] is NaN/],
    ["an infinite logarithm", (g) => g.table(["rain"], [1, Infinity], { logs: true }), /values\[1\] is Infinity/],
    ["a variable twice in a scope", (g) => g.table(["rain", "rain"], [1, 1, 1, 1]), /"rain" occurs twice/],
    ["a variable twice in literals", (g) => g.and(["sprinkler", not("sprinkler")]), /"sprinkler" occurs twice/],
    ["a literal without its state", (g) => g.or(["rain"]), /"rain": it is not Boolean; say which state/],
    ["not() of many states", (g) => g.or([not(is("dice", 3))]), /it has 6 states, of which not\(\) names none/],
    ["no literals", (g) => g.or([]), /at least one/],
    ["an unknown weight", (g) => g.or(["sprinkler"], { weight: "bia" }), /no weight "bia"/],
    ["a weight of another graph", (g) => g.or(["sprinkler"], { weight: { id: 7 } }), /weight is .* one of this graph's/],
    ["a weight that is no number", (g) => g.or(["sprinkler"], { weight: NaN }), /weight is NaN/],
    ["an unknown option", (g) => g.or(["sprinkler"], { wieght: 1 } as never), /unknown option "wieght"/],
    ["a child of three states", (g) => g.noisyOr(is("digit", 3), []), /more than two states/],
    ["a probability above 1", (g) => g.noisyOr("sprinkler", [[is("rain", "yes"), 1.2]]), /probability of parents\[0\] is 1.2/],
    ["likelihoods that are all 0", (g) => g.soft("rain", [0, 0]), /all likelihoods are 0/],
    ["likelihoods of another length", (g) => g.soft("rain", [1, 1, 1]), /3 likelihoods were given, but it has 2 states/],
    ["a text for the body", (g) => g.imply("sprinkler" as never, "rain"), /the body is "sprinkler", but must be a list/],
  ];
  it.each(refusals)("refuses %s", (_, call, message) => {
    expect(() => call(weather())).toThrow(message);
  });

  it("stays unchanged after a refused factor", () => {
    const graph = weather();
    for (const [, call] of refusals.slice(4)) expect(() => call(graph)).toThrow();
    expect([graph.variableCount, graph.factorCount, graph.edgeCount]).toEqual([5, 2, 3]);
  });
});

describe("infer with evidence", () => {
  it("suggests the nearest name of an unknown variable or state", async () => {
    await expect(infer(weather(), { evidence: { Rain: "yes" } })).rejects.toThrow(/did you mean "rain"\?/);
    await expect(infer(weather(), { evidence: { rain: "Yes" } })).rejects.toThrow(/did you mean "yes"\?/);
    await expect(infer(weather(), { evidence: [] as never })).rejects.toThrow(/must be an object of states by variable/);
  });

  it("accepts tables", async () => {
    const tables = weather().factorTables("marginals");
    const { p } = (await infer(tables, { evidence: { wet: 1 } })).marginal("rain");
    expect(p[1]).toBeCloseTo(0.16 / 0.24, 14);
    expect((await infer(tables, { evidence: { wet: [0, 1] } })).marginal("rain").p).toEqual(p);
    expect(tables.observed[2]).toBe(-1);
    const known = weather().observe("rain", "no").factorTables("marginals");
    expect((await infer(known, { evidence: { wet: 1 } })).marginal("rain").p).toEqual([1, 0]);
    const seen = await infer(tables, { evidence: { digit: 3, dice: 4 } });
    expect(seen.marginal("digit").p).toEqual([0, 0, 1]);
    expect(seen.marginal("dice").p).toEqual([0, 0, 0, 0, 1, 0]);
    await expect(infer(tables, { evidence: { Wet: 1 } })).rejects.toThrow(/no such variable; did you mean "wet"\?/);
    await expect(infer(tables, { evidence: { wet: "ye" } })).rejects.toThrow(/no state "ye"; did you mean "yes"\?/);
    await expect(infer(tables, { evidence: { wet: [1] } })).rejects.toThrow(/must be 2 numbers/);
  });

  it("resumes only with its original evidence", async () => {
    const evidence = { wet: "yes" };
    const run = infer(weather(), { evidence });
    const answer = await run;
    const kept = await run.checkpoint();
    const again = await infer.resume(kept, weather(), { evidence });
    expect(again.marginal("rain")).toEqual(answer.marginal("rain"));
    await expect(infer.resume(kept, weather())).rejects.toThrow(/checkpoint is of another graph/);
    for (const state of ["no", "yes"]) {
      const drier = weather();
      const last = infer(drier.withEvidence({ rain: state }));
      await last;
      const opposite = drier.withEvidence({ rain: state === "no" ? "yes" : "no" });
      await expect(infer.resume(await last.checkpoint(), opposite)).rejects.toThrow(/checkpoint is of another graph/);
    }
  });

  it("checks table values in a checkpoint, and keeps the plan", async () => {
    const of = (values: number[]) => {
      const graph = factorGraph();
      graph.variable("a");
      graph.table(["a"], values);
      return graph;
    };
    const run = infer(of([1, 2]), { until: { seconds: 77 }, seed: 5, memory: 0.25 });
    const { description } = await run;
    expect(description.plan).toEqual({ task: "marginals", seed: 5, memory: 0.25, seconds: 77 });
    const resumed = await infer.resume(await run.checkpoint(), of([1, 2]), { workers: 2, until: { seconds: 8 } });
    expect(resumed.description.plan).toEqual(description.plan);
    const tables = of([1, 2]).factorTables("marginals");
    const logs = Object.assign(Object.create(tables), { factors: tables.factors.map((factor) => ({ ...factor, logs: true })) });
    expect((await infer.resume(await run.checkpoint(), tables)).marginal("a").p).toEqual([1 / 3, 2 / 3]);
    for (const other of [of([1, 3]), logs])
      await expect(infer.resume(await run.checkpoint(), other)).rejects.toThrow(/checkpoint is of another graph/);
  });

  it("refuses a task that the algorithm does not answer", () => {
    expect(() => infer(weather(), { task: "map", algorithm: importanceSampling() })).toThrow(
      /task is "map", but importanceSampling\(\) answers "marginals", "partition" only.* \[INFER_TASK\]/,
    );
  });

  it("reports one method once, with the number of parts that used it", async () => {
    const graph = factorGraph();
    for (const name of ["a", "b", "c", "d"]) graph.variable(name);
    graph.equal(["a", "b"]);
    graph.equal(["c", "d"]);
    expect((await infer(graph)).method).toMatch(/^elimination: .* \(2 such parts\)$/);
  });
});

describe("JSON", () => {
  it("restores 200 random graphs", () => {
    fc.assert(
      fc.property(graphPlans({ most: 6, widest: 5 }), (plan) => {
        const graph = graphFrom(plan);
        const text = JSON.stringify(graph);
        const again = factorGraphFromJson(JSON.parse(text));
        expect(JSON.stringify(again)).toBe(text);
        expect(String(again)).toBe(String(graph));
        for (let i = 0; i < graph.factorCount; i++) expect(again.factorAt(i)).toEqual(graph.factorAt(i));
        for (let v = 0; v < graph.variableCount; v++) {
          expect(again.stateNames(v)).toEqual(graph.stateNames(v));
          expect(again.observedState(v)).toBe(graph.observedState(v));
          expect(again.softEvidence(v)).toEqual(graph.softEvidence(v));
        }
      }),
      { numRuns: 200, seed: 16 },
    );
  });

  it("keeps truthiness, fixed weights and features", () => {
    const graph = factorGraph();
    graph.variable("a", 2, { truthiness: [0.25, 1] });
    graph.weight("held", 1.5, { fixed: true });
    graph.isTrue(is("a", 1), { weight: "held", feature: 2.5 });
    const again = factorGraphFromJson(JSON.parse(JSON.stringify(graph)));
    expect(again.variableAt(0).truthiness).toEqual(Float64Array.of(0.25, 1));
    expect(again.weightState("held")).toEqual({ name: "held", value: 1.5, fixed: true });
    expect(again.factorAt(0).feature).toBe(2.5);
  });

  it("requires truthiness between 0 and 1 for each state", () => {
    const given = (truthiness: unknown) => () => factorGraph().variable("a", 2, { truthiness: truthiness as number[] });
    expect(given([0.5])).toThrow(
      'factorGraph.variable: "a": truthiness has 1 numbers, but the variable has 2 states; give one number for each [OPTION_RANGE]',
    );
    expect(given([0.5, 0.25, 0.25])).toThrow("truthiness has 3 numbers, but the variable has 2 states");
    expect(given([0.5, 2])).toThrow("truthiness[1] is 2, but must be a number >= 0 and <= 1 [OPTION_RANGE]");
    expect(given(null)).toThrow("truthiness is null; leave it out");
    for (const odd of [0.5, "ab", { length: 2 }, true])
      expect(given(odd)).toThrow(/truthiness is .*, but must be a list of numbers: write \[0\.2, 0\.8\] \[OPTION_TYPE\]$/);
    const json = { ...JSON.parse(JSON.stringify(factorGraph())), variables: [{ name: "a", states: 3, truthiness: [0.5, 0.5] }] };
    expect(() => factorGraphFromJson(json)).toThrow("truthiness has 2 numbers, but the variable has 3 states");
  });

  it("is readable by people", () => {
    const graph = factorGraph();
    graph.variable("rain", ["no", "yes"]);
    graph.variable("wet");
    graph.imply([is("rain", "yes")], "wet", { weight: graph.weight("soaks", 2) });
    graph.observe("wet", true);
    expect(graph.toJSON()).toEqual({
      format: "ergodic factor graph",
      version: 1,
      variables: [{ name: "rain", states: ["no", "yes"] }, { name: "wet" }],
      weights: [{ name: "soaks", value: 2 }],
      factors: [{ imply: [["rain", "yes"], "wet"], weight: "soaks" }],
      evidence: [["wet", true]],
      soft: [],
    });
  });

  const good = () => JSON.parse(JSON.stringify(graphFrom({ counts: [2, 3], factors: [], observed: [], soft: [] })));
  const damages: [string, (json: ReturnType<typeof good>) => unknown, RegExp][] = [
    ["no object", () => null, /null was given, but must be an object/],
    ["another format", (json) => ({ ...json, format: "x" }), /format is "x"/],
    ["a later version", (json) => ({ ...json, version: 2 }), /version is 2/],
    ["no variables", (json) => ({ ...json, variables: 3 }), /variables is 3, but must be a list/],
    ["a variable without states", (json) => ({ ...json, variables: [{ states: 0 }] }), /variables\[0\]: its states are 0/],
    ["an unknown factor", (json) => ({ ...json, factors: [{ xor: [0] }] }), /factors\[0\]: it has the keys xor/],
    [
      "a factor of an unknown variable",
      (json) => ({ ...json, factors: [{ or: [9], weight: 1 }] }),
      /factors\[0\]: there is no variable 9/,
    ],
    ["a weight that is not there", (json) => ({ ...json, factors: [{ or: ["b0"], weight: 1 }] }), /factors\[0\]: weight is/],
    ["evidence of no pair", (json) => ({ ...json, evidence: [0] }), /evidence\[0\]: 0 was given, but must be a pair/],
    ["a noisy or without leak", (json) => ({ ...json, factors: [{ noisyOr: ["b0"], probabilities: [] }] }), /0 probabilities/],
  ];
  it.each(damages)("refuses %s", (_, damage, message) => {
    expect(() => factorGraphFromJson(damage(good()))).toThrow(message);
  });
});
