/**
 * Runs of `infer` that are stopped before their algorithm has an answer. An answer always exists and makes no false
 * claim, and the algorithm's own answer replaces it later.
 */
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CapabilityError } from "../../../src/engine/errors/errors.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import { type Answer, elimination, factorGraph, graphGibbs, type InferenceTask, infer } from "../../../src/entries/everything.ts";
import { exactOr } from "../../../src/graphs/infer/automatic.ts";
import { bestSoFar, leavesOpen } from "../../../src/graphs/infer/best-so-far.ts";
import { meanFieldStep } from "../../../src/graphs/infer/mean-field-step.ts";
import { inferenceRegistry } from "../../../src/graphs/infer/registry.ts";
import { effortFor, roughAnswer } from "../../../src/graphs/infer/rough-answer.ts";
import type { InferenceAlgorithm, PartAnswer } from "../../../src/graphs/parts/algorithm.ts";
import { LogTables } from "../../../src/graphs/parts/log-tables.ts";
import { positiveState } from "../../../src/graphs/parts/positive-state.ts";
import { reduce } from "../../../src/graphs/parts/reduction.ts";
import { power } from "../../power.ts";
import { conditionalAt } from "../../reference/conditionals.ts";
import { enumerateGraph, logProductAt } from "../../reference/enumerate-graph.ts";
import { followed } from "../../reference/followed.ts";
import { heldTo } from "../../reference/held-to-certificate.ts";
import { denseGraphs, graphOf, gridEdges, pairwiseGraph, randomGraphs, randomTrees } from "../../reference/random-graph.ts";

const TASKS = ["marginals", "partition", "map"] as const;
const EARLY = "the run ended before its algorithm had an answer";
const NO_STATE = "no state was found in which all factors are above 0";

function grid(side: number, strength = 0.5) {
  const draws = stream(3, "grid").at(side);
  return pairwiseGraph(side * side, gridEdges(side, side), strength, () => draws.normal());
}

/**
 * More pigeons than holes, with at most one pigeon per hole. This is impossible, but a search needs very long to prove
 * it.
 */
function pigeons(count: number, holes: number) {
  const apart = Array.from({ length: holes * holes }, (_, i) => (Math.floor(i / holes) === i % holes ? 0 : 1));
  const factors = pairsOf(count).map((scope) => ({ scope, values: apart }));
  return graphOf(new Array(count).fill(holes), factors);
}

const pairsOf = (count: number): number[][] =>
  Array.from({ length: count }, (_, a) => Array.from({ length: count - a - 1 }, (_, b) => [a, a + b + 1])).flat();

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a run that is stopped immediately", () => {
  it("answers every task with every algorithm, and its certificate reports the early end", async () => {
    for (const [name, make] of Object.entries(inferenceRegistry)) {
      const algorithm = make({});
      for (const task of algorithm.tasks) {
        const answer = await infer(grid(8), { task, algorithm }).stop();
        const said = [name, task, answer.certificate];
        if (task === "marginals") {
          expect(said).toEqual([name, task, { none: EARLY }]);
          for (const v of answer.variables) expect(answer.marginal(v).p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        } else expect(said).toEqual([name, task, { lower: expect.any(Number), upper: expect.any(Number) }]);
        expect(answer.method).toMatch(/, as a rough answer$/);
      }
    }
  });

  it("makes no false claim about small graphs", async () => {
    const graphs = [randomGraphs, denseGraphs, randomTrees].flatMap((kind, i) =>
      fc.sample(kind, { numRuns: power(30, 100), seed: 21 + i }),
    );
    const kinds = new Map<string, number>();
    for (const graph of graphs) {
      const truth = enumerateGraph(graph);
      for (const task of TASKS) {
        const answer = await infer(graph, { task, algorithm: elimination() })
          .stop()
          .then(
            (found) => found,
            (error) => void expect([String(error), truth.logZ]).toEqual([expect.stringContaining("GRAPH_IMPOSSIBLE"), -Infinity]),
          );
        if (!answer) continue;
        const kind = `${task} ${Object.keys(answer.certificate)[0]}`;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if (truth.logZ === -Infinity) {
          if (task === "partition") expect(answer.logZ === -Infinity || "none" in answer.certificate).toBe(true);
          else expect(answer.certificate).toHaveProperty("none");
        } else if (task === "marginals") {
          truth.marginals.forEach((p, v) => {
            const { certificate, p: found } = answer.marginal(v);
            p.forEach((value, s) => {
              expect(heldTo(certificate, found[s], value, s)).toBe("holds");
            });
          });
        } else if (task === "partition") expect(heldTo(answer.logZCertificate, answer.logZ, truth.logZ)).toBe("holds");
        else {
          const { states, value, bound } = answer.best;
          const slack = 1e-10 * Math.max(1, Math.abs(truth.logLargest));
          if (value > -Infinity) expect(Math.abs(logProductAt(graph, states) - value)).toBeLessThan(slack);
          else expect(answer.certificate).toEqual({ none: NO_STATE });
          expect(bound).toBeGreaterThanOrEqual(truth.logLargest - slack);
        }
      }
    }
    // All certificates that can occur.
    expect([...kinds.keys()].sort()).toEqual(
      ["map exact", "map lower", "marginals exact", "marginals none", "partition exact", "partition lower"].sort(),
    );
  });

  it("comes close if loopy belief propagation does, and closer after more rounds", async () => {
    const graph = grid(4);
    const truth = enumerateGraph(graph);
    const [part] = reduce(graph).components;
    const made = (task: InferenceTask, rounds: number): PartAnswer =>
      atOnce(roughAnswer(part, { task, seed: 0, pauses: 1, rounds, why: "a test" }));
    const off = (rounds: number): number =>
      Math.max(...made("marginals", rounds).marginals!.map(({ p }, v) => Math.abs(p[1] - truth.marginals[v][1])));
    expect(off(10)).toBeLessThan(0.03);
    expect(off(1)).toBeGreaterThan(off(10));
    // A step of mean field uses single-variable factors, and little else.
    expect(off(0)).toBeLessThan(0.35);
    const scale = reduce(graph).scale;
    const { value, certificate } = made("partition", 10).logZ!;
    expect(Math.abs(value + scale - truth.logZ)).toBeLessThan(0.2);
    const { lower } = certificate as { lower: number };
    // The evidence lower bound of good beliefs is much closer than the product at one state.
    expect(truth.logZ - lower - scale).toBeLessThan(1.5);
    expect(truth.logZ - truth.logLargest).toBeGreaterThan(3);
    expect(truth.logLargest - made("map", 10).map!.value - scale).toBeLessThan(0.5);
  });

  it("keeps the states of observed variables, in tables and in columns", async () => {
    const graph = factorGraph();
    for (let v = 0; v < 40; v++) graph.variable(`x${v}`);
    for (let v = 0; v < 40; v++) for (const w of [1, 3, 7]) graph.equal([v, (v + w) % 40], { weight: 0.5 });
    for (const algorithm of [elimination(), graphGibbs()]) {
      const answer = await infer(graph, { algorithm, evidence: { x5: 1, x7: 0 } }).stop();
      expect(answer.marginal("x5")).toMatchObject({ p: [0, 1] });
      expect(answer.marginal("x7")).toMatchObject({ p: [1, 0] });
      expect(answer.certificate).toEqual({ none: EARLY });
    }
  });

  it("reports that no possible state is known if columns contain zeros", async () => {
    const graph = factorGraph();
    for (let v = 0; v < 12; v++) graph.variable(`x${v}`);
    for (let v = 0; v < 12; v++) graph.table([v, (v + 1) % 12], [1, 0, 2, 3]);
    const answer = await infer(graph.conditionals(), { algorithm: graphGibbs() }).stop();
    expect(answer.certificate).toEqual({ none: `${EARLY}, and ${NO_STATE}` });
    for (const v of answer.variables) expect(answer.marginal(v).p.every((value) => value > 0 && value < 1)).toBe(true);
  });

  it("solves small parts and trees exactly", async () => {
    const graph = factorGraph();
    for (let v = 0; v < 30; v++) graph.variable(`x${v}`);
    // Pairs, and then a chain.
    for (let v = 0; v < 10; v += 2) graph.equal([v, v + 1], { weight: 0.3 });
    for (let v = 10; v < 29; v++) graph.equal([v, v + 1], { weight: 0.3 });
    graph.isTrue("x0", { weight: 1 });
    graph.isTrue("x10", { weight: 1 });
    const early = await infer(graph).stop();
    expect(early.certificate).toEqual({ exact: true });
    const whole = await infer(graph);
    for (const v of graph.factorTables("marginals").observed.keys())
      expect(early.marginal(v).p[1]).toBeCloseTo(whole.marginal(v).p[1], 12);
  });

  it("resumes bit for bit from its checkpoint", async () => {
    const plain = (answer: Answer): string => JSON.stringify({ ...answer.toJSON(), description: null });
    const run = infer(grid(8));
    run.stop();
    await run;
    const resumed = await infer.resume(await run.checkpoint(), grid(8));
    expect(plain(resumed)).toBe(plain(await infer(grid(8))));
  });
});

describe("a time limit that expires during planning", () => {
  it.each(TASKS)("returns a rough answer: %s", async (task) => {
    let clock = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (clock += 21));
    // Far too wide for elimination. The search for orders alone takes hundreds of stretches.
    const answer = await infer(grid(30), { task, until: { seconds: 0.5 } });
    expect(answer.description).toMatchObject({ run: { reason: "time is up" } });
    expect(answer.method).toMatch(/^loopy belief propagation: .*, as a rough answer$/);
    expect(Object.keys(answer.certificate)).toEqual(task === "marginals" ? ["none"] : ["lower", "upper"]);
  });
});

describe("hard zeros", () => {
  it.each(TASKS)("claims nothing about an impossible graph without a proof: %s", async (task) => {
    const answer = await infer(pigeons(14, 13), { task, algorithm: elimination() }).stop();
    expect((answer.certificate as { none: string }).none).toContain(NO_STATE);
    if (task !== "map") return;
    expect(answer.best.value).toBe(-Infinity);
    expect(answer.best.bound).toBeLessThan(Infinity);
    expect(answer.gap).toBe(Infinity);
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({ value: "-Infinity", certificate: { none: NO_STATE } });
    expect(String(answer)).toContain(`ln of the product of the factors: -Infinity; ${NO_STATE}\n`);
  });

  // 7 pigeons need the search, and 3 form a small part.
  it.each([7, 3])("reports a proof that no state is possible: %i pigeons", async (count) => {
    const stopped = (task: InferenceTask) => infer(pigeons(count, count - 1), { task, algorithm: elimination() }).stop();
    await expect(stopped("marginals")).rejects.toThrow("GRAPH_IMPOSSIBLE");
    await expect(stopped("map")).rejects.toThrow("GRAPH_IMPOSSIBLE");
    expect(await stopped("partition")).toMatchObject({ logZ: -Infinity, logZCertificate: { exact: true } });
  });

  it("finds a state if the most probable states of the beliefs are incompatible", async () => {
    // There are as many pigeons as holes.
    const answer = await infer(pigeons(12, 12), { task: "map", algorithm: elimination() }).stop();
    expect(answer.best.value).toBe(0);
    expect(new Set(answer.best.states).size).toBe(12);
    const { certificate } = await infer(pigeons(12, 12), { algorithm: elimination() }).stop();
    expect(certificate).toEqual({ none: EARLY });
  });

  it("searches states in the order of beliefs, and yields while it compares many variables", () => {
    const count = 3000;
    const never = graphOf(
      new Array(count).fill(3),
      Array.from({ length: count - 1 }, (_, v) => ({ scope: [v, v + 1], values: [1, 1, 1, 1, 1, 1, 1, 1, 0] })),
    );
    const [part] = reduce(never).components;
    const tables = LogTables.of(part);
    const beliefs = Array.from({ length: count }, (_, v) => Float64Array.of(0.1, v % 2 ? 0.7 : 0.2, v % 2 ? 0.2 : 0.7));
    const { value, pauses } = followed(positiveState(tables, stream(0, "test").at(0), beliefs));
    expect(value).toEqual(Int32Array.from({ length: count }, (_, v) => (v % 2 ? 1 : 2)));
    // The search compares all variables before each choice: 9,000,000 comparisons in total.
    expect(pauses).toBeGreaterThanOrEqual(8);
  });

  it("lets the automatic choice drop a failed algorithm, but reports the failure of a named one", async () => {
    const search: InferenceAlgorithm = {
      ...inferenceRegistry.graphAnnealing({}),
      start: () => ({
        ended: false,
        advance: () => Promise.reject(new CapabilityError("search", "no state", "GRAPH_ZEROS")),
        answer: () => undefined,
        report: () => ({}),
        snapshot: () => ({ tensors: {}, state: {} }),
        restore() {},
        dispose() {},
      }),
    };
    // No order makes this graph narrow.
    const wide = graphOf(
      new Array(60).fill(2),
      pairsOf(60).map((scope) => ({ scope, values: [1.1, 1, 1, 1.1] })),
    );
    await expect(infer(wide, { task: "map", algorithm: exactOr(search) })).rejects.toThrow("GRAPH_ZEROS");
    const answer = await infer(wide, { task: "map", algorithm: exactOr(search, true) });
    expect(answer.description).toMatchObject({ run: { reason: "converged" } });
    expect(answer.method).toMatch(/, as a rough answer$/);
    expect(answer.gap).toBeLessThan(Infinity);
  });
});

describe("amount of work", () => {
  it("derives the rounds from work and time limit, and makes none for very large parts", () => {
    const [part] = reduce(grid(30)).components;
    const roundsFor = (...given: Parameters<typeof effortFor>) => effortFor(...given).rounds;
    expect(effortFor([])).toEqual({ rounds: 10, pauses: 10 });
    expect([1, 3, 10, 500].map((count) => effortFor(new Array(count).fill(part)).pauses)).toEqual([10, 4, 1, 1]);
    expect(roundsFor([part])).toBeGreaterThan(1);
    expect(roundsFor([part])).toBeLessThan(10);
    expect(roundsFor([part], 10)).toBe(10);
    expect(roundsFor(new Array(10).fill(part))).toBe(1);
    expect(roundsFor(new Array(100).fill(part))).toBe(0);
    expect(roundsFor(new Array(100).fill(part), 100)).toBeGreaterThan(0);
    for (const task of TASKS) {
      const { logZ, map, marginals } = atOnce(roughAnswer(part, { task, seed: 0, pauses: 1, rounds: 0, why: "a test" }));
      expect([logZ?.certificate, map?.bound, marginals?.[0].certificate]).toEqual([
        task === "partition" ? { lower: expect.any(Number), upper: expect.any(Number) } : undefined,
        task === "map" ? 0 : undefined,
        task === "marginals" ? { none: "a test" } : undefined,
      ]);
    }
  });

  it("abandons oscillating messages after three rounds", () => {
    const draws = stream(1, "glass").at(0);
    const glass = pairwiseGraph(100, gridEdges(10, 10), 6, () => draws.normal());
    const [part] = reduce(glass).components;
    const { method } = atOnce(roughAnswer(part, { task: "marginals", seed: 0, pauses: 1, rounds: 10, why: "a test" }));
    expect(method).toContain("did not converge in 3 rounds");
    const own = inferenceRegistry.loopyBeliefPropagation({ rounds: 10 }).start(part, plan, undefined as never);
    atOnce((own as unknown as { finishing(): Generator<void> }).finishing());
    expect([own.ended, own.answer()!.method]).toEqual([true, expect.stringContaining("did not converge in 10 rounds")]);
  });

  const plan = { task: "marginals", seed: 0, workers: 1, memory: 2 ** 20 } as const;
});

it("a mean-field step equals the conditional given all other variables, for every kind of factor", () => {
  const draws = stream(5, "columns").at(0);
  const graph = factorGraph();
  const counts = [2, 3, 2, 4, 2, 3];
  counts.forEach((count, v) => void graph.variable(`x${v}`, count));
  graph.table(
    ["x0", "x1", "x3"],
    Float64Array.from({ length: 24 }, () => Math.exp(draws.normal())),
  );
  graph.table(
    ["x5", "x1"],
    Float64Array.from({ length: 9 }, () => Math.exp(draws.normal())),
  );
  graph.imply(["x0", "x2"], "x4", { weight: 0.7, feature: 1.5 });
  graph.ratio(["x4", "x2"], "x0", { weight: -0.4 });
  graph.equal(["x0", "x4"], { weight: 0.9 });
  const columns = graph.conditionals();
  for (let v = 0; v < counts.length; v++) {
    const states = Int32Array.from(counts, (count) => draws.integer(count));
    const observed = states.map((state, w) => (w === v ? -1 : state));
    const p = atOnce(meanFieldStep({ ...columns, observed }, 0));
    conditionalAt(columns, states, v).forEach((value, s) => {
      expect(p[v][s]).toBeCloseTo(value, 12);
    });
    p.forEach((of, w) => {
      if (w !== v) expect(of[states[w]]).toBe(1);
    });
  }
});

describe("the best answer so far", () => {
  const p = (...values: number[]): Float64Array => Float64Array.from(values);
  const rough = { method: "rough", marginals: [{ p: p(0.3, 0.7), certificate: { none: "early" } }] };
  const own = (certificate: NonNullable<PartAnswer["marginals"]>[number]["certificate"], blank?: boolean): PartAnswer => ({
    method: "own",
    marginals: [{ p: p(0.5, 0.5), certificate }],
    ...(blank ? { blank } : {}),
  });
  const between = (low: number, high: number) => ({
    interval: [[low, high] as const, [1 - high, 1 - low] as const],
    level: 0.99,
  });
  const logZ = (value: number, certificate: NonNullable<PartAnswer["logZ"]>["certificate"]): PartAnswer => ({
    method: "a",
    logZ: { value, certificate },
  });

  it("prefers its own marginals, limits them to a wide interval, and falls back if it has none", () => {
    expect(bestSoFar(undefined, rough)).toBe(rough);
    expect(bestSoFar(own({ none: "chains" }), rough).marginals![0].p).toEqual(p(0.5, 0.5));
    expect(bestSoFar(own({ none: "nothing yet" }, true), rough).marginals).toEqual(rough.marginals);
    expect(bestSoFar(own(between(0.2, 0.6)), rough).marginals![0].p).toEqual(p(0.5, 0.5));
    const wide = bestSoFar(own(between(0.2, 0.8)), rough).marginals![0];
    expect(wide).toEqual({ p: p(0.3, 0.7), certificate: between(0.2, 0.8) });
    expect(bestSoFar(own(between(0.35, 0.95)), rough).marginals![0].p).toEqual(p(0.5, 0.5));
    const bounds = { lower: [0, 0.1], upper: [0.9, 1] };
    expect(bestSoFar(own(bounds), rough).marginals![0]).toEqual({ p: p(0.3, 0.7), certificate: bounds });
    expect(
      [{ exact: true } as const, between(0.2, 0.6), between(0.2, 0.8), { none: "" }].map((one) => leavesOpen(own(one))),
    ).toEqual([...[false, false, true, false]]);
    expect([leavesOpen(undefined), leavesOpen(own({ none: "" }, true))]).toEqual([true, true]);
  });

  it("combines the more probable state with the smaller bound", () => {
    const state = (value: number, bound?: number): PartAnswer => ({
      method: "a",
      map: { states: Int32Array.of(value), value, ...(bound === undefined ? {} : { bound }) },
    });
    expect(bestSoFar(state(-3, 2), state(-1, 5)).map).toEqual({ states: Int32Array.of(-1), value: -1, bound: 2 });
    expect(bestSoFar(state(-1), state(-3, 5)).map).toEqual({ states: Int32Array.of(-1), value: -1, bound: 5 });
    expect(bestSoFar(state(-1, 0), state(-Infinity, -Infinity)).map!.bound).toBe(-Infinity);
    expect([leavesOpen(state(-1, 0)), leavesOpen(state(-1)), leavesOpen(state(-1, -1))]).toEqual([true, true, false]);
  });

  it("replaces a missing certificate of ln Z by bounds, and narrows wider ones", () => {
    const bounded = logZ(2, { lower: 0, upper: 10 });
    expect(bestSoFar(logZ(5, { none: "" }), bounded).logZ).toEqual(bounded.logZ);
    expect(bestSoFar(logZ(5, { khat: 0.1, ess: 300 }), bounded).logZ!.value).toBe(5);
    expect(bestSoFar(logZ(5, { interval: [-4, 8], level: 0.9 }), bounded).logZ).toEqual({
      value: 2,
      certificate: { interval: [0, 8], level: 0.9 },
    });
    expect(bestSoFar(logZ(5.2, { interval: [4.9, 5.5], level: 0.9 }), bounded).logZ!.value).toBe(5.2);
    expect(bestSoFar(logZ(5, { lower: 3, upper: 11 }), bounded).logZ).toEqual({ value: 3, certificate: { lower: 3, upper: 10 } });
    expect(bestSoFar(logZ(-5, { interval: [-9, -1], level: 0.9 }), bounded).logZ).toEqual(bounded.logZ);
    expect(bestSoFar(logZ(5, { exact: true }), bounded).logZ!.value).toBe(5);
    expect(bestSoFar(logZ(5, { none: "" }), logZ(3, { exact: true })).logZ!.value).toBe(3);
    const certificates = [
      { none: "" },
      { interval: [0, 1], level: 0.9 },
      { interval: [0, 2], level: 0.9 },
      { khat: 0.1, ess: 9 },
    ] as const;
    expect(certificates.map((one) => leavesOpen(logZ(0, one)))).toEqual([true, false, true, false]);
  });
});
