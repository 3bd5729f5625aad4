/**
 * Learning the weights of graphs: gradients compared with enumeration, and learnt weights with the optimum of the
 * likelihood.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  adam,
  contrastiveDivergence,
  exactLikelihood,
  type FactorGraph,
  factorGraph,
  fit,
  type GraphLearner,
  infer,
  inverseTimeDecay,
  lbfgs,
  learnerFromJson,
  learnerNames,
  pseudoLikelihood,
} from "../../../src/entries/everything.ts";
import { LearntGraph } from "../../../src/graphs/learn/learnt-graph.ts";
import { power } from "../../power.ts";
import { conditionalAt, logValueAt } from "../../reference/conditionals.ts";
import { graphFrom, graphPlans } from "../../reference/random-factor-graph.ts";
import { optimumOf, smallWorld } from "./small-worlds.ts";

const engine = await openEngine({ families: ["graphs", "training"] });
const plan = { seed: 3, workers: 1, memory: 2 ** 28 };

describe("statistics and terms", () => {
  it("equal their definitions at any weights, on random graphs of all kinds of factors", () => {
    let [looked, weighed] = [0, 0];
    fc.assert(
      fc.property(graphPlans({ most: 6, widest: 6 }), fc.nat(), (made, seed) => {
        const graph = graphFrom(made);
        const draws = stream(seed, "weights").at(0);
        const given = graph.conditionals();
        // No weight is fixed here.
        const columns = { ...given, weightFixed: new Uint8Array(given.weightFixed.length) };
        const values = Float64Array.from(given.weightValues, () => draws.normal());
        const at = { ...columns, weightValues: values };
        const learnt = LearntGraph.of(columns, engine);
        learnt.weigh(values);
        const chain = learnt.chain(stream(seed, "chain"), 1);
        const { positions, slots, layout } = { ...learnt.layout, layout: learnt.layout };
        const states = Int32Array.from(positions, (position) => chain.current[position]);
        // The derivative of the value by each weight, as a difference, which is exact because the value is linear.
        const sums = new Float64Array(values.length);
        // Statistics are known up to constants, so two chains are compared.
        const second = learnt.chain(stream(seed, "another chain"), 1);
        const others = Int32Array.from(positions, (position) => second.current[position]);
        learnt.addStatistics(chain, 2);
        learnt.addStatistics(second, -2);
        learnt.takeSums(sums);
        second.dispose();
        const derivative = (value: (weights: Float64Array) => number, weight: number): number => {
          const [up, down] = [1, -1].map((by) => value(values.with(weight, values[weight] + by)));
          return (up - down) / 2;
        };
        const linear = (weights: Float64Array): number =>
          logValueAt({ ...at, weightValues: weights }, states) - logValueAt({ ...at, weightValues: weights }, others);
        if (Number.isFinite(linear(values))) {
          looked++;
          sums.forEach((sum, weight) => {
            expect(Math.abs(sum - 2 * derivative(linear, weight))).toBeLessThan(1e-9);
          });
          const free = Array.from(positions.keys()).filter((v) => positions[v] < layout.drawn);
          const score = learnt.pseudo(chain, 0, -1);
          const logs = (weights: Float64Array): number =>
            free.reduce((sum, v) => sum + Math.log(conditionalAt({ ...at, weightValues: weights }, states, v)[states[v]]), 0);
          expect(Math.abs(score - logs(values))).toBeLessThan(1e-9 * Math.max(1, Math.abs(score)));
          learnt.takeSums(sums);
          sums.forEach((sum, weight) => {
            const [up, down] = [1e-5, -1e-5].map((by) => logs(values.with(weight, values[weight] + by)));
            expect(Math.abs(sum + (up - down) / 2e-5)).toBeLessThan(2e-6 * Math.max(1, Math.abs(sum)));
            if (Math.abs(sum) > 1e-3) weighed++;
          });
          expect(slots.length).toBe(layout.drawn + 1);
        }
        chain.dispose();
        learnt.dispose();
      }),
      { numRuns: power(100, 300), seed: 8 },
    );
    expect(looked).toBeGreaterThan(power(20, 60));
    expect(weighed).toBeGreaterThan(power(33, 100));
  });
});

describe("exactLikelihood", () => {
  it.each([0, 0.3])("computes the loss and the gradient of enumeration, with %d of the evidence hidden", async (hidden) => {
    const { graph, loss } = smallWorld(5, { copies: 8, hidden });
    const objective = exactLikelihood().objective(graph.conditionals(), plan, engine);
    for (const w of [
      [0, 0, 0, 0, 0],
      [0.3, -0.5, 0.8, 0.2, -1],
    ]) {
      const gradient = new Float64Array(5);
      const value = await objective.evaluateOnWorkers(Float64Array.from(w), gradient);
      const wanted = loss(w);
      expect(Math.abs(value - wanted.value)).toBeLessThan(1e-10);
      gradient.forEach((g, i) => {
        expect(Math.abs(g - wanted.gradient[i])).toBeLessThan(1e-10);
      });
    }
  });
});

describe("contrastive divergence", () => {
  it("has the expectation that powers of the transition matrix predict for CD-k", async () => {
    const { graph, states, all } = smallWorld(9, { copies: 1 });
    const w = Float64Array.of(0.4, 0.7, -0.5, 0.6, -0.8);
    const columns = graph.conditionals();
    const at = { ...columns, weightValues: w, observed: columns.observed.map(() => -1) };
    const data = states.findIndex((of) => of.every((state, v) => state === columns.observed[v]));
    const { visits } = await order(columns);
    /** One sweep in the order of visits. */
    const matrix = states.map((from) => {
      let row = new Map([[from.join(""), 1]]);
      for (const variable of visits) {
        const next = new Map<string, number>();
        for (const [key, chance] of row) {
          const now = Int32Array.from(key, Number);
          conditionalAt(at, now, variable).forEach((p, state) => {
            const to = now.with(variable, state).join("");
            next.set(to, (next.get(to) ?? 0) + chance * p);
          });
        }
        row = next;
      }
      return states.map((to) => row.get(to.join("")) ?? 0);
    });
    let expected: number[] = states.map((_, k) => (k === data ? 1 : 0));
    const particles = power(2000, 10_000);
    for (const steps of [1, 2, 5]) {
      expected = states.map((_, k) => (k === data ? 1 : 0));
      for (let k = 0; k < steps; k++) expected = states.map((_, j) => expected.reduce((sum, p, i) => sum + p * matrix[i][j], 0));
      const algorithm = contrastiveDivergence({ steps, persistent: false, particles });
      const objective = algorithm.objective(columns, plan, engine);
      const gradient = new Float64Array(5);
      const n = 4;
      const mean = new Float64Array(5);
      for (let update = 0; update < n; update++) {
        objective.evaluate(w, gradient, update);
        gradient.forEach((g, i) => {
          mean[i] += g / n;
        });
      }
      objective.dispose();
      mean.forEach((g, i) => {
        const first = expected.reduce((sum, p, k) => sum + p * all[k][i], 0);
        const second = expected.reduce((sum, p, k) => sum + p * all[k][i] ** 2, 0);
        const error = Math.sqrt(Math.max(0, second - first * first) / (particles * n)) / 6;
        // Six observed variables. 4.5 standard errors have a probability of 7e-6 each, and 1e-4 for any of 15.
        expect(Math.abs(g - (first - all[data][i]) / 6)).toBeLessThan(4.5 * error + 1e-12);
      });
    }
  });

  it("starts each chain of CD-k at its own chain of the evidence", async () => {
    const graph = factorGraph();
    for (const name of ["a", "b", "seen"]) graph.variable(name);
    // Two unobserved variables that no sweep separates.
    graph.equal(["a", "b"], { weight: 20 });
    graph.isTrue("seen", { weight: graph.weight("w") });
    graph.observe("seen", "true");
    const algorithm = contrastiveDivergence({ particles: 8, persistent: false });
    const { clamped, free } = (await fit(graph, { algorithm, epochs: 3, seed: 1 })).particles!;
    const unseen = (chains: readonly Uint8Array[]) => chains.map(([a, b]) => `${a}${b}`);
    expect(unseen(free)).toEqual(unseen(clamped));
    expect(new Set(unseen(free))).toEqual(new Set(["00", "11"]));
  });

  it("finds the likelihood's optimum within 0.005 nats per variable with persistent chains, on random graphs", async () => {
    const learners: readonly (readonly [string, GraphLearner])[] = [
      ["PCD", contrastiveDivergence()],
      ["CD-1", contrastiveDivergence({ persistent: false })],
    ];
    const worst = new Map<string, number[]>();
    const [graphs, epochs] = [power(2, 20), power(200, 500)];
    for (let seed = 0; seed < graphs; seed++) {
      const { graph, loss } = smallWorld(seed, { hidden: seed % 2 === 0 ? 0 : 0.2 });
      const best = loss(optimumOf(loss, [0, 0, 0, 0, 0])).value;
      for (const [name, algorithm] of learners) {
        const { weights } = await fit(graph, { algorithm, epochs, seed });
        const off = loss(weights).value - best;
        worst.set(name, [...(worst.get(name) ?? []), off]);
      }
    }
    for (const [name, off] of worst) {
      const sorted = off.toSorted((a, b) => a - b);
      const [median, most] = [sorted[graphs >> 1], sorted[graphs - 1]].map((value) => value.toExponential(1));
      console.log(`${name}: median ${median}, worst ${most} nats a variable off`);
    }
    expect(Math.max(...worst.get("PCD")!)).toBeLessThan(0.005);
    // Ensures that the sampler's bias and lost efficiency are visible.
    expect(Math.max(...worst.get("CD-1")!)).toBeGreaterThan(Math.max(...worst.get("PCD")!));
  });
});

async function order(columns: ReturnType<ReturnType<typeof smallWorld>["graph"]["conditionals"]>): Promise<{ visits: number[] }> {
  const learnt = LearntGraph.of(columns, engine);
  const visits = Array.from(learnt.layout.variables.subarray(0, learnt.layout.drawn));
  learnt.dispose();
  return { visits };
}

describe("fit(graph)", () => {
  it("reaches a stationary point of pseudo-likelihood by L-BFGS, closer to 0 with an L2 penalty", async () => {
    const { graph } = smallWorld(2);
    const { weights } = await fit(graph, { algorithm: pseudoLikelihood(), rule: lbfgs(), until: { tolerance: 1e-9 } });
    const objective = pseudoLikelihood().objective(graph.conditionals(), plan, engine);
    const gradient = new Float64Array(5);
    objective.evaluate(weights, gradient);
    objective.dispose();
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-5);
    const shrunk = await fit(graph, { algorithm: pseudoLikelihood(), rule: lbfgs(), l2: 0.1 });
    expect(Math.hypot(...shrunk.weights)).toBeLessThan(0.8 * Math.hypot(...weights));
    const sparse = await fit(graph, { algorithm: pseudoLikelihood(), rule: adam({ rate: 0.02 }), l1: 0.5 });
    expect(sparse.weights.filter((w) => w === 0).length).toBeGreaterThan(0);
  });

  it("keeps fixed weights, returns a graph with learnt weights, and shows no held-out labels", async () => {
    const { graph, observed } = smallWorld(4);
    const prior = graph.weight("prior", 0.25, { fixed: true });
    for (let i = 0; i < 240; i++) graph.isTrue(i, { weight: prior });
    const learned = await fit(graph, { epochs: 50, heldOut: 0.25, seed: 1 });
    expect(learned.weight("prior")).toBe(0.25);
    expect(learned.weight("w1")).toBe(learned.weights[1]);
    expect(learned.graph.weightState("w1").value).toBe(learned.weights[1]);
    expect(graph.weightState("w1").value).toBe(0);
    expect(learned.heldOut.length).toBeGreaterThan(0.15 * observed);
    expect(learned.heldOut.length).toBeLessThan(0.35 * observed);
    for (const { variable, state } of learned.heldOut) {
      expect(learned.graph.observedState(variable)).toBe(-1);
      expect(graph.observedState(variable)).toBe(state);
    }
    const { certificate } = await infer(learned.graph);
    expect(certificate).toEqual({ exact: true });
  });

  it("computes the same bytes at 1 and 2 workers and after a checkpoint", async () => {
    const { graph } = smallWorld(6, { hidden: 0.3 });
    const rule = adam({ rate: inverseTimeDecay({ rate: 0.1, decay: 0.05 }) });
    for (const algorithm of [contrastiveDivergence({ particles: 7 }), pseudoLikelihood()]) {
      const options = { algorithm, rule, epochs: 60, seed: 5 };
      const wanted = [...(await fit(graph, options)).weights];
      expect([...(await fit(graph, { ...options, workers: 2 })).weights]).toEqual(wanted);
      const run = fit(graph, { ...options, epochs: 23 });
      await run;
      const bytes = await run.checkpoint();
      expect([...(await fit.resume(bytes, graph, { epochs: 60 })).weights]).toEqual(wanted);
      const other = smallWorld(7, { hidden: 0.3 }).graph;
      await expect(fit.resume(bytes, other)).rejects.toThrow(/another graph .*\[CHECKPOINT_MODEL\]/);
    }
  });

  it("starts from an earlier run's weights, matched by name, or by number if they have none", async () => {
    const world = (names: readonly (string | undefined)[], states: readonly string[] = ["no", "yes"]): FactorGraph => {
      const graph = factorGraph();
      const weights = names.map((name) => graph.weight(name, 0.5));
      for (let i = 0; i < 6; i++) {
        graph.variable(`v${i}`, states);
        graph.all([{ variable: i, state: states[1] }], { weight: weights[i % weights.length] });
        if (i > 0) graph.observe(i, states[i % 2]);
      }
      return graph;
    };
    const first = await fit(world(["a", "b", undefined]), { epochs: 9 });
    const [a, b, third] = first.weights;
    expect(new Set([a, b, third, 0.5]).size).toBe(4);
    const still = { epochs: 1, rule: adam({ rate: 1e-12 }) };
    const near = (weights: Float64Array, wanted: readonly number[]): void => {
      weights.forEach((w, i) => {
        expect(w).toBeCloseTo(wanted[i], 9);
      });
    };
    near((await fit(world(["b", "new", undefined, "a"]), { from: first, ...still })).weights, [b, 0.5, third, a]);
    // A number never matches a weight that has, or had, a name.
    near((await fit(world([undefined, "a", undefined]), { from: first, ...still })).weights, [0.5, a, third]);
    // Names are unknown without the graph.
    const { weights } = first;
    near((await fit(world(["b", "new", undefined, "a"]), { from: { weights }, ...still })).weights, [a, b, third, 0.5]);
    await expect(fit(world(["x", "y", "z"]), { from: first, ...still })).rejects.toThrow(
      /from has the weights "a", "b", none of which the graph learns.*\[OPTION_RANGE\]/,
    );
    await expect(fit(world(["a", "b"]), { from: first, ...still })).rejects.toThrow(
      /from has 3 weights, but the graph has 2.*\[OPTION_RANGE\]/,
    );
    await expect(fit(world(["a"]), { from: { weights }, ...still })).rejects.toThrow(
      /from has 3 weights, but the graph has 1.*\[OPTION_RANGE\]/,
    );
    await expect(fit(world(["a", "b", undefined], ["x", "y", "z"]), { from: first, ...still })).rejects.toThrow(
      /from has 2 states of the variable v0, but the graph has 3.*\[OPTION_RANGE\]/,
    );
  });

  it("refuses graphs that it cannot learn from", async () => {
    const { graph } = smallWorld(1);
    await expect(fit(graph, { rule: lbfgs() })).rejects.toThrow(/lbfgs\(\) compares losses.*\[RULE_CAPABILITY\]/);
    await expect(fit(graph, { algorithm: "pcd" as never })).rejects.toThrow(/a learner of graphs/);
    await expect(fit(graph, { heldOut: 1 })).rejects.toThrow(/heldOut.*\[OPTION_RANGE\]/);
    const bare = factorGraph();
    bare.variable("a");
    bare.isTrue("a", { weight: 2 });
    bare.observe("a", true);
    await expect(fit(bare)).rejects.toThrow(/no weight to learn.*\[GRAPH_WEIGHTS\]/);
    const blind = factorGraph();
    blind.variable("a");
    blind.isTrue("a", { weight: blind.weight("w") });
    await expect(fit(blind)).rejects.toThrow(/no variable was observed.*\[GRAPH_EVIDENCE\]/);
    const wide = factorGraph();
    const names = Array.from({ length: 14 }, (_, i) => `x${i}`);
    for (const name of names) wide.variable(name);
    wide.or(names, { weight: wide.weight("w") });
    wide.observe("x0", true);
    await expect(fit(wide, { algorithm: exactLikelihood(), epochs: 1 })).rejects.toThrow(/joint states.*\[GRAPH_WIDTH\]/);
  });

  it("rebuilds learners from JSON", () => {
    for (const name of learnerNames()) {
      const json = JSON.parse(JSON.stringify(learnerFromJson({ algorithm: name })));
      expect(learnerFromJson(json).toJSON()).toEqual(json);
    }
    expect(learnerFromJson({ algorithm: "contrastiveDivergence", steps: 3, particles: 2 }).toJSON()).toEqual({
      ...{ algorithm: "contrastiveDivergence", steps: 3, persistent: true, particles: 2 },
    });
    expect(() => learnerFromJson({ algorithm: "nothing" })).toThrow(/\[LEARNER_JSON\]/);
  });
});
