/**
 * A run that has ended is also ended in its checkpoint. When resumed, it gives the same bytes, counts, report and
 * reason without another update, whatever ended it. The tests cover every algorithm of every registry, with checkpoints
 * from its last tick and after its end. A larger budget continues a run that stopped at its limits, but not one that
 * converged.
 */
import { afterAll, describe, expect, it } from "vitest";
import { samplerRegistry } from "../../src/bayes/samplers/registry.ts";
import { compileFunction } from "../../src/engine/compiler/array/index.ts";
import { type Checkpoint, checkpointBytes, readCheckpoint } from "../../src/engine/loop/checkpoint.ts";
import type { Run } from "../../src/engine/loop/run.ts";
import * as e from "../../src/entries/everything.ts";
import { inferenceRegistry } from "../../src/graphs/infer/registry.ts";
import { learnerFromJson, learnerNames } from "../../src/graphs/learn/registry.ts";

type Bytes = Uint8Array;

interface Case {
  begin(): Run<unknown>;
  resume(bytes: Bytes): Run<unknown>;
  /** A larger budget for a run that converged before it used up its budget. */
  more?(bytes: Bytes): Run<unknown>;
}

/** All contents of a result except ticks, which belong to the process that made them. */
function shown(value: unknown): string {
  return JSON.stringify(value, (key, one: unknown) => {
    if (key === "ticks" || typeof one === "function") return undefined;
    if (ArrayBuffer.isView(one)) return Array.from(one as unknown as ArrayLike<number>, String);
    if (typeof one === "bigint") return String(one);
    if (typeof one === "number") return Number.isFinite(one) ? one : String(one);
    if (typeof one !== "object" || one === null) return one;
    if (one instanceof Map) return [...one];
    return Array.isArray(one) ? one : Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function described(result: unknown): Record<string, unknown> {
  const made = result as {
    toBytes?(): Bytes;
    toJSON?(): object;
    verdict?(): { text: string; findings: unknown };
    run?: e.RunSummary;
    quantities?: readonly { name: string }[];
    draws?(name: string): Float64Array;
    description?: object;
  };
  if (made.toBytes) return { bytes: Buffer.from(made.toBytes()).toString("hex"), run: shown(made.run) };
  if (made.quantities && made.draws) {
    const draws = made.quantities.map(({ name }) => [name, made.draws!(name)]);
    return { draws: shown(draws), verdict: shown(made.verdict!()), description: shown(made.description) };
  }
  return { result: shown(made) };
}

/** Returns the checkpoints at the last tick and after the end, and the result of the run. */
async function ended(begin: () => Run<unknown>): Promise<{ result: unknown; atTick: Bytes; after: Bytes }> {
  const run = begin();
  let atTick: Promise<Bytes> | undefined;
  for await (const _ of run) {
    atTick?.catch(() => undefined);
    atTick = run.checkpoint();
  }
  const result = await run;
  return { result, atTick: await (atTick ?? run.checkpoint()), after: await run.checkpoint() };
}

async function expectEnded({ begin, resume, more }: Case): Promise<void> {
  const { result, atTick, after } = await ended(begin);
  expect(Buffer.from(atTick).equals(Buffer.from(after))).toBe(true);
  const resumed = resume(after);
  expect(described(await resumed)).toEqual(described(result));
  expect(Buffer.from(await resumed.checkpoint()).equals(Buffer.from(after))).toBe(true);
  if (!more) return;
  expect((result as { run: e.RunSummary }).run.reason).not.toMatch(/all updates made/);
  expect(described(await more(after))).toEqual(described(result));
}

const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i), ((i * 7) % 11) / 11]);
const y = x.map(([a, b, c], i) => a - b / 2 + c + 0.3 * Math.sin(5 * i));
const numbers = e.Dataset.fromArrays({ x, y, names: ["a", "b", "c"] });
const classes = e.Dataset.fromArrays({ x, y: y.map((v) => (v > 0.4 ? "yes" : "no")), names: ["a", "b", "c"] });
const ratings = e.Ratings.fromTriples({
  users: x.map((_, i) => `u${i % 7}`),
  items: x.map((_, i) => `i${(i * 2) % 9}`),
  values: x.map((_, i) => 1 + (i % 5)),
});
afterAll(() => {
  numbers.dispose();
  classes.dispose();
});

const fitted = (model: e.LinearModel, data: e.Dataset, options: object): Case => ({
  begin: () => e.fit(model, data, { seed: 3, ...options }) as Run<unknown>,
  resume: (bytes) => e.fit.resume(bytes, data) as Run<unknown>,
});
const converging = (model: e.LinearModel, data: e.Dataset, options: object): Case => ({
  ...fitted(model, data, { epochs: 2000, ...options }),
  more: (bytes) => e.fit.resume(bytes, data, { epochs: 1e6 }) as Run<unknown>,
});

describe("resumption of ended fits by each rule", () => {
  const rules = Object.values(e.ruleRegistry).map(({ make, convex, inChain }) => {
    const rule = make(convex);
    return inChain ? inChain(rule as e.EquationRule) : rule;
  });
  it.each(rules.map((rule) => [rule.toJSON && JSON.stringify(rule.toJSON()).slice(0, 60), rule] as const))(
    "%s",
    async (_, rule) => {
      await expectEnded(fitted(e.linear({ l2: 0.1, standardise: false }), numbers, { rule, epochs: 10 }));
    },
  );
});

describe("resumption of ended fits by each other algorithm", () => {
  const [lasso, ridge] = [e.linear({ l1: 0.05 }), e.linear({ loss: "logistic", l2: 0.1 })];
  const cases: [string, Case][] = [
    ...[e.svrg(), e.saga(), e.sag()].map((variance): [string, Case] => [
      variance.name,
      fitted(ridge, classes, { variance, epochs: 4 }),
    ]),
    ...(["workingSets", "cyclic", "random", "permutation", "greedy"] as const).map((pick): [string, Case] => [
      `coordinateDescent ${pick}`,
      converging(lasso, numbers, { algorithm: e.coordinateDescent({ pick }) }),
    ]),
    [
      "coordinateDescent nesterov",
      converging(lasso, numbers, { algorithm: e.coordinateDescent({ acceleration: "nesterov", step: "lipschitz" }) }),
    ],
    ["dualCoordinateDescent", converging(ridge, classes, { algorithm: e.dualCoordinateDescent() })],
    ["dualCoordinateDescent, replicas", converging(ridge, classes, { algorithm: e.dualCoordinateDescent(), replicas: 2 })],
    ["newtonCholesky", converging(ridge, classes, { algorithm: e.newtonCholesky() })],
    ["lbfgs", converging(ridge, classes, { rule: e.lbfgs() })],
    ["two replicas", fitted(ridge, classes, { rule: e.adam(), replicas: 2, epochs: 3 })],
    ["full gradients", fitted(ridge, classes, { rule: e.adam(), batch: "all", epochs: 3 })],
    ["a network", fitted(e.network([e.dense(4), e.relu(), e.dense(1)]) as never, numbers, { epochs: 3 })],
    ...[e.alternatingLeastSquares(), e.factorCoordinateDescent()].map((algorithm): [string, Case] => [
      algorithm.name,
      {
        begin: () => e.fit(e.factorisation({ rank: 2, l2: 0.5 }), ratings, { algorithm, seed: 3, epochs: 500 }) as Run<unknown>,
        resume: (bytes) => e.fit.resume(bytes, ratings) as Run<unknown>,
        more: (bytes) => e.fit.resume(bytes, ratings, { epochs: 1e5 }) as Run<unknown>,
      },
    ]),
  ];
  it.each(cases)("%s", async (_, one) => {
    await expectEnded(one);
  });
});

describe("resumption of ended paths", () => {
  it.each([
    ["of working sets", e.linear(), { lambdas: 30, folds: 3 }],
    ["of groups", e.linear({ group: { strength: 1, groups: [["a", "b"]] } }), { lambdas: 8 }],
  ] as const)("%s", async (_, model, options) => {
    await expectEnded({
      begin: () => e.fit.path(model, numbers, options) as Run<unknown>,
      resume: (bytes) => e.fit.path.resume(bytes, numbers) as Run<unknown>,
    });
  });
});

describe("resumption of ended fits of a graph by each learner", () => {
  const graph = e.factorGraph();
  for (const name of ["own", "pair"]) graph.weight(name, 0.3);
  for (let i = 0; i < 12; i++) graph.variable();
  for (let i = 0; i < 12; i++) {
    graph.isTrue(i, { weight: "own", feature: 1.5 });
    graph.equal([i, (i + 1) % 12], { weight: "pair" });
    if (i % 3 < 2) graph.observe(i, i % 4 === 0);
  }
  const learnt = (algorithm: e.GraphLearner, options: object): Case => ({
    begin: () => e.fit(graph, { algorithm, seed: 3, ...options }) as Run<unknown>,
    resume: (bytes) => e.fit.resume(bytes, graph) as Run<unknown>,
  });
  it.each(learnerNames())("%s", async (name) => {
    await expectEnded(learnt(learnerFromJson({ algorithm: name }), { epochs: 4 }));
  });
  it("stays ended after a rule has converged", async () => {
    await expectEnded(learnt(e.pseudoLikelihood(), { rule: e.lbfgs(), l2: 0.1, epochs: 200 }));
  });
});

describe("resumption of ended searches by minimize", () => {
  const bowl = (v: Float64Array): number => (v[0] - 1) ** 2 + 3 * Math.abs(v[1]);
  const searched = (algorithm: e.SearchAlgorithm, options: object): Case => ({
    begin: () => e.minimize(bowl, [0, 3], { algorithm, seed: 1, ...options }) as Run<unknown>,
    resume: (bytes) => e.minimize.resume(bytes, bowl) as Run<unknown>,
  });
  const searches = Object.entries(e.searchRegistry).map(([name, { make, sphere }]) => [name, make(sphere.options)] as const);
  it.each(searches)("%s stays ended after all evaluations", async (_, algorithm) => {
    await expectEnded(searched(algorithm, { evaluations: 123 }));
  });
  it.each(searches)("%s stays ended after reaching its target", async (_, algorithm) => {
    await expectEnded(searched(algorithm, { evaluations: 3000, until: { target: 8 } }));
  });
  it("stays ended after a search has converged", async () => {
    await expectEnded(searched(e.nelderMead(), { evaluations: 1e6 }));
  });
  it("stays ended after coordinate descent", async () => {
    const target = e.coordinateTarget({
      dimension: 2,
      value: ([a, b]) => (a - 1) ** 2 + (a - b) ** 2,
      partial: ([a, b], j) => (j === 0 ? 2 * (a - 1) + 2 * (a - b) : 2 * (b - a)),
    });
    await expectEnded({
      begin: () => e.minimize(target, [0, 3], { algorithm: e.coordinateDescent({ pick: "cyclic" }) }) as Run<unknown>,
      resume: (bytes) => e.minimize.resume(bytes, target) as Run<unknown>,
    });
  });
  it.each([e.lbfgs(), e.adam()])("stays ended after gradient descent by $name", async (rule) => {
    const f = await compileFunction({ w: [2] }, ({ w }) => w.sub(3).square().sum(), { gradient: ["w"] });
    await expectEnded({
      begin: () => e.minimize(f, { w: [0, 1] }, { rule, epochs: 30 }) as Run<unknown>,
      resume: (bytes) => e.minimize.resume(bytes, f) as Run<unknown>,
    });
  });
  it("tune stays ended", async () => {
    const make = ({ rate }: { rate: number }, { signal }: { signal: AbortSignal }) =>
      e.fit(e.linear(), numbers, { rule: e.sgd({ rate }), epochs: 3, validate: numbers, signal });
    for (const until of [{ trials: 5 }, { trials: 9, target: 1e3 }])
      await expectEnded({
        begin: () => e.tune(make, { over: { rate: { low: 1e-3, high: 0.1, scale: "log" } }, until }) as Run<unknown>,
        resume: (bytes) => e.tune.resume(bytes, make) as Run<unknown>,
      });
  });
});

describe("resumption of ended draws by each sampler", () => {
  const rows: Record<string, object> = Object.fromEntries(
    ["sgld", "psgld", "sghmc", "sgnht"].map((name) => [name, { stepSize: 1e-4, batch: 5 }]),
  );
  const options: Record<string, object> = {
    ...rows,
    pathfinder: { paths: 2, draws: 50 },
    meanField: { maxIterations: 60, refineDraws: 20 },
    fullRank: { maxIterations: 60, refineDraws: 20 },
    svgd: { particles: 10, iterations: 100 },
    sequentialMonteCarlo: { particles: 64 },
  };
  const model = e.model(({ data, param, observe }) => {
    const { y } = data({ y: e.vector("N") });
    observe(y, e.normal(param("mu", e.normal(0, 2)), param("sigma", e.halfNormal(2))));
  });
  it.each(Object.keys(samplerRegistry))("%s", async (name) => {
    const algorithm = samplerRegistry[name](options[name] ?? {});
    const plan = { chains: name === "svgd" ? 1 : 2, warmup: 30, draws: name === "svgd" ? 10 : 12, seed: 7 };
    await expectEnded({
      begin: () => e.sample(model, { y }, { ...plan, algorithm, ...(name in rows ? { rows: "N" } : {}) }) as Run<unknown>,
      resume: (bytes) => e.sample.resume(bytes, model, { y }) as Run<unknown>,
    });
  });
  it("stays ended after no transitions", async () => {
    await expectEnded({
      begin: () => e.sample(model, { y }, { warmup: 0, draws: 0 }) as Run<unknown>,
      resume: (bytes) => e.sample.resume(bytes, model, { y }) as Run<unknown>,
    });
  });
});

describe("resumption of ended inference by each algorithm", () => {
  const graph = e.factorGraph();
  for (let i = 0; i < 14; i++) graph.variable(`v${i}`);
  for (let i = 0; i < 14; i++) {
    graph.isTrue(`v${i}`, { weight: 0.2 * Math.sin(i) });
    // Two components, one of them a loop.
    if (i < 8) graph.equal([`v${i}`, `v${(i + 1) % 8}`], { weight: 0.4 });
    else if (i < 13) graph.equal([`v${i}`, `v${i + 1}`], { weight: 0.7 });
  }
  const short: Record<string, object> = {
    annealedImportanceSampling: { particles: 100 },
    importanceSampling: { samples: 1000 },
    graphTempering: { ensembles: 8, warmup: 50, sweeps: 100, width: 0.3 },
    graphGibbs: { sweeps: 150 },
    replicaGibbs: { sweeps: 150 },
  };
  const cases = Object.entries(inferenceRegistry).flatMap(([name, make]) => {
    const algorithm = make(short[name] ?? {});
    return algorithm.tasks.map((task) => [name, task, algorithm] as const);
  });
  it.each(cases)("%s, %s", async (_, task, algorithm) => {
    await expectEnded({
      begin: () => e.infer(graph, { task, algorithm, seed: 3 }) as Run<unknown>,
      resume: (bytes) => e.infer.resume(bytes, graph) as Run<unknown>,
    });
  });
});

it("recomputes answers until the signal fires", async () => {
  const graph = e.factorGraph();
  for (let i = 0; i < 4; i++) graph.variable();
  for (let i = 0; i < 3; i++) graph.equal([i, i + 1], { weight: 0.5 });
  const run = e.infer(graph, { algorithm: e.importanceSampling({ samples: 20_000 }) });
  await run;
  const controller = new AbortController();
  const resumed = e.infer.resume(await run.checkpoint(), graph, { signal: controller.signal });
  await resumed.chosen;
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(Promise.resolve(resumed)).rejects.toBe(reason);
});

it("continues inference that has ended if the algorithm's options change", async () => {
  const graph = e.factorGraph();
  for (let i = 0; i < 4; i++) graph.variable();
  for (let i = 0; i < 4; i++) graph.equal([i, (i + 1) % 4], { weight: 0.5 });
  const sweeps = (count: number) => e.graphGibbs({ sweeps: count, mcse: 1e-9 });
  const run = e.infer(graph, { algorithm: sweeps(200), seed: 2 });
  const short = await run;
  const longer = await e.infer.resume(await run.checkpoint(), graph, { algorithm: sweeps(800) });
  const sweepsOf = (answer: e.Answer) => answer.chains?.sweeps;
  // The run had 200 iterations of warm-up.
  expect([sweepsOf(short), sweepsOf(longer)]).toEqual([400, 1000]);
});

/** Blocks of a stream might have grown since the checkpoint, so they are read again, which takes additional seconds. */
it("keeps a stream ended, and reads its blocks again", async () => {
  const blocks = [0, 1, 2].map((k) => numbers.select(Array.from({ length: 20 }, (_, i) => 20 * k + i)));
  const { result, after } = await ended(() => e.fit.stream(e.linear(), blocks, { seed: 3 }));
  const resumed = await e.fit.stream.resume(after, blocks);
  const { toBytes, run } = result as Awaited<typeof resumed>;
  expect(resumed.toBytes()).toEqual(toBytes.call(result));
  expect(resumed.run).toMatchObject({ ...run, seconds: expect.any(Number), ticks: expect.any(Array) });
});

describe("checkpoints of earlier versions, which do not record that a run ended", () => {
  const older = async (bytes: Bytes, forget: (kept: Checkpoint) => void): Promise<Bytes> => {
    const kept = await readCheckpoint(bytes);
    delete kept.loop.drop;
    forget(kept);
    return checkpointBytes(kept);
  };

  it("inference takes a few more steps and gives the same answer", async () => {
    const graph = e.factorGraph();
    for (let i = 0; i < 6; i++) graph.variable(`v${i}`);
    for (let i = 0; i < 6; i++) graph.equal([`v${i}`, `v${(i + 1) % 6}`], { weight: 0.1 * i });
    const run = e.infer(graph, { algorithm: e.loopyBeliefPropagation() });
    const answer = await run;
    const kept = await older(await run.checkpoint(), ({ snapshot: { state } }) => {
      expect(state.ended).toEqual([true]);
      delete state.ended;
      delete state.reports;
    });
    expect((await e.infer.resume(kept, graph)).marginal("v1")).toEqual(answer.marginal("v1"));
  });

  it("a search stays ended without knowing its last value", async () => {
    const bowl = (v: Float64Array): number => v[0] ** 2;
    const run = e.minimize(bowl, [3], { evaluations: 20 });
    const { x, run: summary } = await run;
    const kept = await older(await run.checkpoint(), ({ snapshot: { tensors } }) => {
      expect(tensors.lastValue).toEqual(Float64Array.of(summary.report.value));
      delete tensors.lastValue;
    });
    const again = await e.minimize.resume(kept, bowl);
    expect([again.x, again.evaluations]).toEqual([x, 20]);
  });
});
