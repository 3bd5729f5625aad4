/**
 * Contrastive divergence in several lanes: averaged replicas, each with its own weights and chains, and workers that
 * race on one vector of weights.
 */
import { describe, expect, it } from "vitest";
import type { Snapshot } from "../../../src/engine/contract/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { FullDescent } from "../../../src/engine/optimise/full.ts";
import { FullLanes } from "../../../src/engine/optimise/full-lanes.ts";
import type { FullObjective } from "../../../src/engine/optimise/objective.ts";
import {
  adam,
  contrastiveDivergence,
  exactLikelihood,
  type FactorGraph,
  factorGraph,
  fit,
  type GraphFitOptions,
  inverseTimeDecay,
  momentum,
  pseudoLikelihood,
  sgd,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";
import { optimumOf, smallWorld } from "./small-worlds.ts";

const engine = await openEngine({ families: ["graphs", "training"] });
const rule = adam({ rate: inverseTimeDecay({ rate: 0.1, decay: 0.05 }) });

/** Nats per variable above the optimum, on random graphs, in ascending order. */
async function offs(options: GraphFitOptions): Promise<number[]> {
  // The default is 41 chains for two lanes.
  const algorithm = contrastiveDivergence({ particles: power(20, 41) });
  const found: number[] = [];
  for (let seed = 0; seed < power(2, 20); seed++) {
    const { graph, loss } = smallWorld(seed, { hidden: seed % 2 === 0 ? 0 : 0.2 });
    const { weights } = await fit(graph, { algorithm, epochs: power(200, 500), ...options, seed });
    found.push(loss(weights).value - loss(optimumOf(loss, [0, 0, 0, 0, 0])).value);
  }
  return found.sort((a, b) => a - b);
}

/** A world in which some labels have probabilities and some variables are hidden. */
function labelled(): FactorGraph {
  const { graph } = smallWorld(3, { hidden: 0.3, copies: 10 });
  const likeness = graph.weight("labels");
  for (let i = 0; i < 12; i++) {
    const label = graph.variable(undefined, undefined, { truthiness: [0.3, 0.7] });
    graph.equal([i, label], { weight: likeness });
  }
  return graph;
}

describe("averaged replicas", () => {
  it("end within 0.005 nats per variable of the likelihood's optimum, on random graphs", async () => {
    const off = await offs({ replicas: 2, averageEvery: 5, workers: 2 });
    console.log(
      `2 replicas: median ${off[off.length >> 1].toExponential(1)}, worst ${off.at(-1)!.toExponential(1)} nats a variable off`,
    );
    expect(off.at(-1)).toBeLessThan(0.005);
  });

  const learners = {
    "persistent chains": contrastiveDivergence({ particles: 3 }),
    "chains that begin at the evidence": contrastiveDivergence({ particles: 3, persistent: false, steps: 2 }),
    "tempered ones": contrastiveDivergence({ particles: 2, tempered: true }),
  };
  for (const [name, algorithm] of Object.entries(learners))
    it(`produce the same bytes at 1 and 3 workers, and after a checkpoint between two averages: ${name}`, async () => {
      const graph = labelled();
      const options = { algorithm, rule, epochs: 40, seed: 5, replicas: 3, averageEvery: 7 };
      const whole = await fit(graph, options);
      const wanted = [...whole.weights];
      const { weights, particles } = await fit(graph, { ...options, workers: 3 });
      expect([...weights]).toEqual(wanted);
      expect(particles).toEqual(whole.particles);
      const run = fit(graph, { ...options, epochs: 24, workers: 2 });
      await run;
      const bytes = await run.checkpoint();
      expect([...(await fit.resume(bytes, graph, { epochs: 40 })).weights]).toEqual(wanted);
      expect([...(await fit(graph, { ...options, averageEvery: 8 })).weights]).not.toEqual(wanted);
    });

  it("run independently until they are averaged", async () => {
    const { graph } = smallWorld(6, { hidden: 0.3, copies: 10 });
    const algorithm = contrastiveDivergence({ particles: 2 });
    const columns = graph.conditionals();
    const ends: Float64Array[] = [];
    for (const number of [0, 1]) {
      const plan = { seed: 4, workers: 1, memory: 2 ** 28, lane: { number, count: 2 } };
      const objective = algorithm.objective(columns, plan, engine);
      const how = { objective, rule, penalty: undefined, precision: "f64", workers: 1, deterministic: false } as const;
      const lane = new FullDescent(how, rule, engine);
      for (let epoch = 0; epoch < 20; epoch++) await lane.advance(1);
      ends.push(lane.parameters());
      lane.dispose();
    }
    expect(ends[0]).not.toEqual(ends[1]);
    const { weights, run } = await fit(graph, { algorithm, rule, epochs: 20, seed: 4, replicas: 2, averageEvery: 1000 });
    weights.forEach((w, i) => {
      expect(w).toBeCloseTo((ends[0][i] + ends[1][i]) / 2, 14);
    });
    expect([run.epochs, run.updates]).toEqual([20, 40]);
  });

  it("resume from their mean, including states of the rule", async () => {
    // Known gradients: lane l pulls towards l + 1.
    const objective = (l: number): FullObjective => ({
      count: 1,
      rows: 1,
      start: Float64Array.of(0),
      evaluate: (x, gradient) => {
        gradient![0] = x[0] - (l + 1);
        return 0;
      },
      evaluateOnWorkers: async () => Number.NaN,
      dispose: () => {},
    });
    const descent = new FullLanes(
      {
        ...{ objectives: [objective(0), objective(1), objective(2)], rule: momentum({ rate: 0.1, momentum: 0.5 }) },
        ...{ racing: false, averageEvery: 2, penalty: undefined, precision: "f64", workers: 1, deterministic: false },
      },
      engine,
    );
    // By definition: v ← v/2 + g, p ← p − v/10, and both are averaged after two updates.
    let [p, v] = [
      [0, 0, 0],
      [0, 0, 0],
    ];
    const mean = (of: number[]): number[] => of.map(() => of.reduce((a, b) => a + b) / 3);
    for (let epoch = 1; epoch <= 6; epoch++) {
      v = v.map((old, l) => old / 2 + p[l] - (l + 1));
      p = p.map((at, l) => at - v[l] / 10);
      if (epoch % 2 === 0) [p, v] = [mean(p), mean(v)];
      await descent.advance(1);
      const { tensors } = descent.snapshot();
      for (const l of [0, 1, 2]) expect(tensors[`lane.${l}.vector.parameter`][0]).toBeCloseTo(p[l], 13);
      expect(descent.parameters()[0]).toBeCloseTo(mean(p)[0], 13);
    }
    descent.dispose();
  });

  it("begin where the chains of an earlier run ended, each from its own chains", async () => {
    const { graph } = smallWorld(6, { hidden: 0.3, copies: 10 });
    const options = { algorithm: contrastiveDivergence({ particles: 2 }), rule, epochs: 3, seed: 4, replicas: 2 };
    const first = await fit(graph, options);
    expect(first.particles!.free).toHaveLength(4);
    expect(first.particles!.clamped).toHaveLength(4);
    expect(first.particles!.updates).toBe(3);
    expect(new Set(first.particles!.free.map((states) => states.join(""))).size).toBe(4);
    const columns = graph.conditionals();
    for (const number of [0, 1]) {
      const plan = { seed: 9, workers: 1, memory: 2 ** 28, lane: { number, count: 2 }, from: first.particles! };
      const objective = options.algorithm.objective(columns, plan, engine);
      expect(objective.particles!().free).toEqual(first.particles!.free.slice(2 * number, 2 * number + 2));
      objective.dispose();
    }
  });

  it("draw labels and swap states with their own random numbers", () => {
    const graph = factorGraph();
    const weight = graph.weight("w");
    for (let i = 0; i < 60; i++) {
      graph.variable(undefined, undefined, { truthiness: [0.5, 0.5] });
      graph.isTrue(i, { weight });
    }
    const [one, other] = [0, 1].map((number) => {
      const plan = { seed: 9, workers: 1, memory: 2 ** 28, lane: { number, count: 2 } };
      const algorithm = contrastiveDivergence({ particles: 1, tempered: true });
      const objective = algorithm.objective(graph.conditionals(), plan, engine);
      objective.evaluate(Float64Array.of(0), new Float64Array(1), 0);
      const [labels] = objective.particles!().clamped;
      // Only the stream itself shows how swaps are drawn.
      const { swaps } = Reflect.get(objective, "ladder") as { swaps: { key: readonly number[] }[] };
      const { key } = swaps[0];
      objective.dispose();
      return { labels: labels.join(""), key };
    });
    expect(one.labels).not.toBe(other.labels);
    expect(one.key).not.toEqual(other.key);
  });

  it("compute the same loss and gradient on a worker as on the main thread", async () => {
    const graph = labelled();
    const columns = graph.conditionals();
    const lane = { number: 1, count: 2 };
    const make = () =>
      contrastiveDivergence({ particles: 2, steps: 2 }).objective(
        columns,
        { seed: 5, workers: 2, memory: 2 ** 28, lane },
        engine,
      );
    const [here, there] = [make(), make()];
    const x = here.start!.map((_, i) => 0.3 - 0.2 * i);
    const gradients = [new Float64Array(x.length), new Float64Array(x.length)];
    for (let update = 0; update < 3; update++) {
      const loss = here.evaluate(x, gradients[0], update);
      expect(await there.evaluateOnWorkers(x, gradients[1], update)).toBe(loss);
      expect(gradients[1]).toEqual(gradients[0]);
    }
    here.dispose();
    there.dispose();
  });

  it("share the default number of chains, so that an update costs no more", () => {
    const columns = smallWorld(1).graph.conditionals();
    const chains = (count: number): number => {
      const plan = { seed: 9, workers: 1, memory: 2 ** 28, lane: { number: 0, count } };
      const objective = contrastiveDivergence().objective(columns, plan, engine);
      const { length } = objective.particles!().free;
      objective.dispose();
      return length;
    };
    // 240 variables, so 20,000 / 240 chains.
    expect([1, 2, 4, 1000].map(chains)).toEqual([83, 41, 20, 1]);
  });
});

describe("racing workers", () => {
  it("end within 0.005 nats per variable of the optimum, on random graphs", async () => {
    const off = await offs({ replicas: "shared", workers: 2 });
    console.log(
      `2 racing workers: median ${off[off.length >> 1].toExponential(1)}, worst ${off.at(-1)!.toExponential(1)} nats a variable off`,
    );
    expect(off.at(-1)).toBeLessThan(0.005);
  });

  it("warn of biased weights that cannot be reproduced, unlike other modes", async () => {
    const { graph } = smallWorld(1, { copies: 5 });
    const racing = await fit(graph, { replicas: "shared", workers: 3, epochs: 5 });
    expect(racing.findings).toMatchObject([{ code: "racing", serious: true }]);
    expect(racing.findings[0].text).toMatch(/3 workers raced .* biases the weights.* another run gives different weights/);
    expect(racing.findings[0].advice).toMatch(/replicas: 3/);
    expect([racing.run.epochs, racing.run.updates]).toEqual([5, 15]);
    for (const options of [{ workers: 2 }, { replicas: 2, workers: 2 }, { replicas: "shared", workers: 1 }] as const)
      expect((await fit(graph, { ...options, epochs: 5 })).findings).toEqual([]);
  });

  it("update one vector concurrently, each from the current weights", async () => {
    // Two lanes whose evaluations end on command.
    const calls: { x: number; update: number; end: (gradient: number) => void }[] = [];
    const objective: FullObjective = {
      ...{ count: 1, rows: 1, start: Float64Array.of(0), dispose: () => {} },
      evaluate: () => Number.NaN,
      evaluateOnWorkers: (x, gradient, update) =>
        new Promise((resolve) => {
          const end = (value: number): void => {
            gradient[0] = value;
            resolve(0);
          };
          calls.push({ x: x[0], update: update!, end });
        }),
    };
    const racing = new FullLanes(
      {
        ...{ objectives: [objective, { ...objective }], rule: sgd({ rate: 1 }), racing: true, averageEvery: 1 },
        ...{ penalty: undefined, precision: "f64", workers: 2, deterministic: false },
      },
      engine,
    );
    const first = racing.advance(1);
    await settled();
    expect(calls.map(({ x }) => x)).toEqual([0, 0]);
    calls[1].end(-1);
    await settled();
    // The second lane has made a step and computes again, while the first is still at its first evaluation.
    expect(calls.map(({ x }) => x)).toEqual([0, 0, 1]);
    calls[2].end(-10);
    await first;
    expect(racing.parameters()[0]).toBe(11);
    expect([racing.step, racing.updates]).toEqual([1, 2]);
    const second = racing.advance(1);
    calls[0].end(-100);
    await settled();
    expect(racing.parameters()[0]).toBe(111);
    expect(calls.map(({ x }) => x)).toEqual([0, 0, 1, 11, 111]);
    // Each lane draws by the number of its own evaluations.
    expect(calls.map(({ update }) => update)).toEqual([0, 0, 1, 2, 1]);
    calls[3].end(0);
    await second;
    racing.dispose();
  });

  it("release their memory once no worker writes to it any more", async () => {
    let disposed = 0;
    let end: () => void = () => {};
    const objective: FullObjective = {
      ...{ count: 1, rows: 1, start: Float64Array.of(0), evaluate: () => Number.NaN },
      evaluateOnWorkers: () => new Promise((resolve) => (end = () => resolve(0))),
      dispose: () => disposed++,
    };
    const ready: FullObjective = { ...objective, evaluateOnWorkers: async () => 0 };
    const racing = new FullLanes(
      {
        ...{ objectives: [ready, objective], rule: sgd({ rate: 1 }), racing: true, averageEvery: 1 },
        ...{ penalty: undefined, precision: "f64", workers: 2, deterministic: false },
      },
      engine,
    );
    await racing.advance(1);
    racing.dispose();
    await settled();
    expect(disposed).toBe(0);
    end();
    await settled();
    expect(disposed).toBe(2);
  });

  it("rethrow the error of a worker", async () => {
    const failing: FullObjective = {
      ...{ count: 1, rows: 1, start: Float64Array.of(0), evaluate: () => Number.NaN, dispose: () => {} },
      evaluateOnWorkers: async () => {
        throw new RangeError("met");
      },
    };
    const fine: FullObjective = { ...failing, evaluateOnWorkers: async () => 0 };
    for (const [racing, objectives] of [
      [true, [failing, failing]],
      [false, [failing, failing]],
      [false, [fine, failing]],
    ] as const) {
      const lanes = new FullLanes(
        {
          ...{ objectives, rule: sgd({ rate: 1 }), racing, averageEvery: 1 },
          ...{ penalty: undefined, precision: "f64", workers: 2, deterministic: false },
        },
        engine,
      );
      await expect(lanes.advance(1)).rejects.toThrow("met");
      lanes.dispose();
    }
  });

  it("draw new random numbers when they resume", async () => {
    const drawn: number[][] = [[], []];
    const objective = (l: number): FullObjective => ({
      ...{ count: 1, rows: 1, start: Float64Array.of(0), evaluate: () => Number.NaN, dispose: () => {} },
      evaluateOnWorkers: async (_x, gradient, update) => {
        gradient.fill(0);
        drawn[l].push(update!);
        return 0;
      },
    });
    const lanes = (): FullLanes =>
      new FullLanes(
        {
          ...{ objectives: [objective(0), objective(1)], rule: sgd({ rate: 1 }), racing: true, averageEvery: 1 },
          ...{ penalty: undefined, precision: "f64", workers: 2, deterministic: false },
        },
        engine,
      );
    const first = lanes();
    for (let epoch = 0; epoch < 3; epoch++) await first.advance(1);
    const kept = first.snapshot();
    const before = drawn.map((numbers) => Math.max(...numbers));
    first.dispose();
    const second = lanes();
    second.restore(kept);
    await second.advance(1);
    second.dispose();
    for (const [l, numbers] of drawn.entries()) {
      expect(before[l]).toBeGreaterThan(0);
      expect(numbers).toEqual(numbers.map((_, i) => i));
      expect(numbers.at(-1)).toBeGreaterThan(before[l]);
    }
  });

  it("resume from a checkpoint with the same number of workers", async () => {
    const { graph } = smallWorld(6, { hidden: 0.3, copies: 10 });
    const run = fit(graph, { algorithm: contrastiveDivergence({ particles: 3 }), replicas: "shared", workers: 2, epochs: 20 });
    const { weights } = await run;
    const bytes = await run.checkpoint();
    const same = await fit.resume(bytes, graph, { epochs: 20 });
    expect([...same.weights]).toEqual([...weights]);
    expect(same.findings).toHaveLength(1);
    const longer = await fit.resume(bytes, graph, { epochs: 30, workers: 2 });
    expect([longer.run.epochs, longer.run.updates]).toEqual([30, 60]);
    await expect(fit.resume(bytes, graph, { epochs: 30, workers: 3 })).rejects.toThrow(
      /workers is 3, but 2 workers shared the weights.*\[CHECKPOINT_PLAN\]/,
    );
  });
});

/** Resolves after all pending work. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("meaningless combinations", () => {
  it.each<[string, GraphFitOptions, RegExp]>([
    [
      "racing with fixed orders",
      { replicas: "shared", workers: 2, deterministic: true },
      /deterministic is true.*\[PLAN_MEANING\]/,
    ],
    [
      "replicas of one gradient",
      { algorithm: pseudoLikelihood(), replicas: 2 },
      /pseudoLikelihood\(\) computes a single gradient.*\[PLAN_MEANING\]/,
    ],
    [
      "racing on one gradient",
      { algorithm: exactLikelihood(), replicas: "shared" },
      /replicas is "shared".*a single gradient.*\[PLAN_MEANING\]/,
    ],
    ["averages of one", { averageEvery: 3 }, /averageEvery is 3, but there is one replica.*\[PLAN_MEANING\]/],
    ["half a replica", { replicas: 1.5 }, /replicas is 1.5.*\[OPTION_RANGE\]/],
    ["no epoch between averages", { replicas: 2, averageEvery: 0 }, /averageEvery is 0.*\[OPTION_RANGE\]/],
    ["workers", { workers: 0 }, /workers is 0.*\[OPTION_RANGE\]/],
    ["a flag that is none", { deterministic: "yes" as never }, /deterministic.*\[OPTION_TYPE\]/],
  ])("refuses %s", async (_, options, message) => {
    const { graph } = smallWorld(1, { copies: 2 });
    await expect(fit(graph, { ...options, epochs: 2 })).rejects.toThrow(message);
  });

  it("allows replicas in deterministic runs, and workers on one sequence", async () => {
    const { graph } = smallWorld(1, { copies: 2 });
    const options = { epochs: 5, workers: 2, algorithm: contrastiveDivergence({ particles: 2 }) };
    for (const replicas of [1, 2]) {
      const { weights } = await fit(graph, { ...options, replicas });
      expect([...(await fit(graph, { ...options, replicas, deterministic: true })).weights]).toEqual([...weights]);
    }
  });

  it("refuses a checkpoint with missing lanes", async () => {
    const { graph } = smallWorld(1, { copies: 2 });
    const descent = (count: number) => {
      const objective = (number: number) =>
        contrastiveDivergence({ particles: 1 }).objective(
          graph.conditionals(),
          { seed: 1, workers: 1, memory: 2 ** 28, lane: { number, count } },
          engine,
        );
      const objectives = Array.from({ length: count }, (_, l) => objective(l));
      const how = {
        racing: false,
        averageEvery: 1,
        penalty: undefined,
        precision: "f64",
        workers: 1,
        deterministic: false,
      } as const;
      return new FullLanes({ objectives, rule, ...how }, engine);
    };
    const [two, three] = [descent(2), descent(3)];
    await two.advance(1);
    const kept: Snapshot = two.snapshot();
    expect(() => three.restore(kept)).toThrow(/lanes.*\[CHECKPOINT_FORMAT\]/);
    two.dispose();
    three.dispose();
  });
});
