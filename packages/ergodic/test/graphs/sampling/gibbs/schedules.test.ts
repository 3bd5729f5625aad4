/** Properties of all schedules: shared colours, memory of a chain, resumed runs, and the bias of racing. */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { atOnce } from "../../../../src/engine/threads/steps.ts";
import { type Answer, type FactorGraph, factorGraph, graphGibbs, infer } from "../../../../src/entries/everything.ts";
import { Inference } from "../../../../src/graphs/infer/inference.ts";
import { Chain } from "../../../../src/graphs/sampling/gibbs/chain.ts";
import { Layout } from "../../../../src/graphs/sampling/gibbs/layout.ts";
import { chromatic, stretchesOf } from "../../../../src/graphs/sampling/gibbs/schedules/chromatic.ts";
import { hogwild } from "../../../../src/graphs/sampling/gibbs/schedules/hogwild.ts";
import { sequential } from "../../../../src/graphs/sampling/gibbs/schedules/sequential.ts";
import { power } from "../../../power.ts";
import { laidOut } from "./laid-out.ts";

const engine = await openEngine({ families: ["graphs"] });

describe("colours", () => {
  it("are shared among workers from 8192 variables, and consecutive smaller ones form one stretch", () => {
    expect(stretchesOf([8191, 8300, 16_491, 24_683, 24_683, 24_700, 24_710], 5)).toEqual([
      // 8191, 109 and 8191 are sequential, then 8192 is shared, then 0, 17 and 10 are sequential.
      { from: 5, to: 16_496, shared: false },
      { from: 16_496, to: 24_688, shared: true },
      { from: 24_688, to: 24_715, shared: false },
    ]);
    const laid = laidOut(chainOf(2 * 8192).conditionals(), engine, { schedule: chromatic, workers: 2 });
    const calls = laid.visits.stretches.map((stretch) => laid.chain.calls(stretch, chromatic, 0, 1, true, 2).length);
    expect(calls).toEqual([2, 2]);
    laid.dispose();
  });
});

/** Booleans in a chain, with a field. */
function chainOf(count: number): FactorGraph {
  const graph = factorGraph();
  for (let i = 0; i < count; i++) graph.variable();
  for (let i = 0; i < count; i++) graph.isTrue(i, { weight: 0.1 });
  for (let i = 0; i + 1 < count; i++) graph.equal([i, i + 1], { weight: 0.3 });
  return graph;
}

describe("chains", () => {
  it("need 26 bytes per Boolean however many states they saw, and 2 without sums", () => {
    const count = 30_000;
    const columns = chainOf(count).conditionals();
    const layout = Layout.of(columns, atOnce(sequential.visits(columns)).order, engine.memory);
    for (const [sums, most] of [
      [true, 26.1],
      [false, 2.1],
    ] as const) {
      const before = engine.memory.usedBytes;
      const chain = new Chain(layout, engine, stream(1, "bytes"), 1, undefined, sums);
      const bytes = (engine.memory.usedBytes - before) / count;
      expect(bytes).toBeLessThan(most);
      expect(bytes).toBeGreaterThan(most - 0.2);
      chain.dispose();
      expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    }
    layout.dispose();
  });
});

const numbersOf = (answer: Answer): string => JSON.stringify({ ...answer.toJSON(), description: undefined });

describe.each(["chromatic", "blocks", "sequential", "random", "hogwild"] as const)("runs of %s", (schedule) => {
  const graph = chainOf(600);
  for (let i = 0; i < 600; i += 3) graph.or([i, (i + 7) % 600, (i + 31) % 600], { weight: 0.3 });
  const algorithm = graphGibbs({ schedule, chains: 2, warmup: 10, sweeps: 100 });

  it("ends with the same result after a checkpoint at any stretch", async () => {
    const plan = { task: "marginals", seed: 3, workers: 1, memory: 2 ** 28 } as const;
    const open = (): Promise<Inference> => Inference.open(graph.conditionals(), algorithm, plan, engine);
    const found = (run: Inference): string =>
      JSON.stringify(run.found()[0].answer, (_, one) => (ArrayBuffer.isView(one) ? Array.from(one as Float64Array) : one));
    const whole = await open();
    while (!whole.converged) await whole.advance(1);
    const wanted = found(whole);
    for (const steps of [1, 4, Math.ceil(whole.step / 2), whole.step - 1]) {
      const [first, second] = [await open(), await open()];
      while (first.step < steps) await first.advance(1);
      second.restore(first.snapshot());
      first.dispose();
      while (!second.converged) await second.advance(1);
      expect([steps, found(second) === wanted]).toEqual([steps, true]);
      second.dispose();
    }
    whole.dispose();
  });

  it("ticks, pauses, checkpoints and resumes, and stops with an answer", async () => {
    const wanted = numbersOf(await infer(graph, { algorithm, seed: 2 }));
    const run = infer(graph, { algorithm, seed: 2 }).pause();
    const kept = [await run.checkpoint()];
    run.proceed();
    for await (const { sweeps } of run) {
      expect(sweeps as number).toBeLessThanOrEqual(110);
      if (kept.length < 3) kept.push(await run.pause().checkpoint());
      run.proceed();
    }
    expect(numbersOf(await run) === wanted).toBe(true);
    expect(kept.length).toBeGreaterThan(1);
    for (const bytes of kept) expect(numbersOf(await infer.resume(bytes, graph)) === wanted).toBe(true);
    const stopped = infer(graph, { algorithm: graphGibbs({ schedule, sweeps: 1e6 }), until: { seconds: 300 } });
    for await (const { sweeps } of stopped) if ((sweeps as number) > 30) stopped.stop("enough");
    expect((await stopped).marginal("x7").p[1]).toBeGreaterThan(0.5);
  });
});

describe("Hogwild", () => {
  it("has at most the measured bias of simultaneous draws if workers meet at every pair", async () => {
    // Pairs of neighbours that two equally fast workers draw simultaneously.
    const half = 20_000;
    const kept = power(60, 400);
    const [field, coupling] = [0.3, 0.6];
    const graph = factorGraph();
    for (let i = 0; i < 2 * half; i++) graph.variable();
    for (let i = 0; i < 2 * half; i++) graph.isTrue(i, { weight: field });
    for (let i = 0; i < half; i++) graph.equal([i, i + half], { weight: coupling });
    const weight = (a: number, b: number): number => Math.exp(field * (2 * a + 2 * b - 2) + (a === b ? coupling : -coupling));
    const given = (a: number, b: number): number => weight(a, b) / (weight(0, b) + weight(1, b));
    const pairs = [0, 1, 2, 3].map((code) => [code >> 1, code & 1] as const);
    const equal = (p: readonly number[]): number => (p[0] + p[3]) / p.reduce((sum, one) => sum + one);
    const exact = equal(pairs.map(([a, b]) => weight(a, b)));
    // Simultaneous draws: each is drawn given the previous state of the other.
    let pair: readonly number[] = [1, 1, 1, 1];
    for (let n = 0; n < 100; n++)
      pair = pairs.map(([a, b]) => pairs.reduce((sum, [c, d], from) => sum + pair[from] * given(a, d) * given(b, c), 0));
    const atOncePair = equal(pair);
    const share = async (workers: number): Promise<number> => {
      const laid = laidOut(graph.conditionals(), engine, { schedule: hogwild, workers, seed: workers });
      laid.chain.begin((v) => v % 2);
      let same = 0;
      for (let n = 0; n < 20 + kept; n++) {
        await laid.sweep(n);
        const { current } = laid.chain;
        if (n >= 20) for (let i = 0; i < half; i++) same += current[i] === current[i + half] ? 1 : 0;
      }
      laid.dispose();
      return same / (half * kept);
    };
    const [one, two] = [await share(1), await share(2)];
    console.log(
      `equal pairs: ${exact.toFixed(4)} exactly, ${one.toFixed(4)} by one worker, ${two.toFixed(4)} by two that race, ${atOncePair.toFixed(4)} if both were always drawn at once`,
    );
    // Each of 20,000 pairs has a memory of about two sweeps. The standard error is below 0.006 / √kept: 0.0003 for 400.
    const limit = (5 * 0.006) / Math.sqrt(kept);
    expect(Math.abs(one - exact)).toBeLessThan(limit);
    expect(two).toBeLessThan(exact + limit);
    expect(two).toBeGreaterThan(atOncePair - limit);
    expect(atOncePair).toBeLessThan(exact - 0.05);
  });
});
