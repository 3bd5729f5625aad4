/** Damaged checkpoints: each is refused with a typed error, or the run resumed from it ends. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { add } from "../../src/engine/compiler/index.ts";
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import * as e from "../../src/entries/everything.ts";
import { begin } from "./cost.ts";
import type { Fuzzed } from "./models.ts";
import { mutated, random } from "./mutations.ts";

interface Fixture {
  readonly name: string;
  readonly bytes: Uint8Array;
  resume(bytes: Uint8Array, signal: AbortSignal): PromiseLike<unknown>;
}

/**
 * Milliseconds after which a run is stopped. It can use several threads, and the time it then needs to stop also
 * counts.
 */
const PATIENCE = 100;

/** @throws an Error with the case's seed at the first case that ends in an untyped error or does not end */
export async function run(cases: number, seed: number): Promise<Fuzzed> {
  const fixtures = await made();
  const found = { cases, refused: 0, accepted: 0 };
  for (let k = 0; k < cases; k++) {
    const own = (seed + k) >>> 0;
    const draws = random(own);
    const { name, bytes, resume } = draws.pick(fixtures);
    const mutation = mutated(bytes, draws, {});
    const cost = begin();
    const signal = AbortSignal.timeout(PATIENCE);
    try {
      await resume(mutation.bytes, signal);
      found.accepted++;
    } catch (error) {
      const stopped = signal.aborted && error === signal.reason;
      if (!stopped && (!(error instanceof ErgodicError) || error.message.includes("please report")))
        throw new Error(`checkpoints: case ${own} (${name}, ${mutation.how}) ended in ${String(error)}`, { cause: error });
      // A valid number asked for a run longer than the test can wait.
      if (stopped) found.accepted++;
      else found.refused++;
    }
    const tooMuch = cost();
    if (tooMuch) throw new Error(`checkpoints: case ${own} (${name}, ${mutation.how}) ${tooMuch}`);
  }
  return found;
}

let fixtures: Promise<Fixture[]> | undefined;
const made = (): Promise<Fixture[]> => (fixtures ??= make());

interface Kept extends PromiseLike<unknown>, AsyncIterable<unknown> {
  checkpoint(path: string): Promise<void>;
  stop(): unknown;
}

async function make(): Promise<Fixture[]> {
  const folder = await mkdtemp(join(tmpdir(), "ergodic-fuzz-"));
  /** `early`: after the first stretch. */
  const kept = async (run: Kept, early: boolean): Promise<Uint8Array> => {
    const path = join(folder, "run.checkpoint");
    if (early) for await (const _ of run) break;
    else await run;
    await run.checkpoint(path);
    run.stop();
    // The run might have no answer yet.
    await Promise.resolve(run).catch((error: unknown) => {
      if (!early) throw error;
    });
    return new Uint8Array(await readFile(path));
  };
  try {
    const all: Fixture[] = [];
    for (const [name, begin, resume] of [...fits(), ...searches(), ...samples(), ...graphs()])
      all.push({ name, bytes: await kept(begin() as Kept, name.startsWith("early ")), resume: resume as Fixture["resume"] });
    return all;
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Named = [name: string, begin: () => unknown, resume: (bytes: Uint8Array, signal: AbortSignal) => unknown];

const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 4) / 2]);
const y = x.map(([a, b]) => a - b / 2);

/** Checkpoints of Gibbs sampling with each schedule, of exact inference, and of learning. */
function graphs(): Named[] {
  const graphOf = (fill: (graph: e.FactorGraph) => void): e.FactorGraph => {
    const graph = e.factorGraph();
    for (const name of ["own", "pair"]) graph.weight(name, 0.3);
    for (let i = 0; i < 16; i++) graph.variable();
    for (let i = 0; i < 16; i++) {
      graph.isTrue(i, { weight: "own", feature: 1.5 });
      graph.equal([i, (i + 1) % 16], { weight: "pair" });
    }
    fill(graph);
    return graph;
  };
  const pairs = graphOf(() => {});
  const votes = graphOf((graph) => graph.ratio([0, 2, 4], 6, { weight: "pair" }));
  const seen = graphOf((graph) => {
    for (let i = 0; i < 16; i += 2) graph.observe(i, i % 4 === 0);
  });
  const infer = (name: string, graph: e.FactorGraph, algorithm: e.InferenceAlgorithm): Named => [
    `early ${name}`,
    () => e.infer(graph, { algorithm, seed: 3 }),
    (bytes, signal) => e.infer.resume(bytes, graph, { signal }),
  ];
  const learn = (name: string, algorithm: e.GraphLearner): Named => [
    name,
    () => e.fit(seen, { algorithm, epochs: 3, seed: 3 }),
    (bytes, signal) => e.fit.resume(bytes, seen, { epochs: 5, signal }),
  ];
  const gibbs = { sweeps: 400, mcse: 0.001 };
  return [
    ...(["chromatic", "sequential", "random", "blocks"] as const).map((schedule) =>
      infer(schedule, votes, e.graphGibbs({ ...gibbs, schedule })),
    ),
    infer("tempered", votes, e.graphGibbs({ ...gibbs, tempered: true })),
    infer("replicas of bits", pairs, e.replicaGibbs(gibbs)),
    infer("elimination", votes, e.elimination()),
    learn("persistent chains", e.contrastiveDivergence({ persistent: true })),
    learn("pseudo-likelihood", e.pseudoLikelihood()),
    learn("exact likelihood", e.exactLikelihood()),
  ];
}

function fits(): Named[] {
  const numbers = e.Dataset.fromArrays({ x, y, names: ["a", "b", "c"] });
  const classes = e.Dataset.fromArrays({ x, y: y.map((v) => String(Number(v > 0))), names: ["a", "b", "c"] });
  const ratings = e.Ratings.fromTriples({ users: ["u", "u", "v", "w"], items: ["a", "b", "a", "c"], values: [3, 4, 2, 5] });
  const on = (name: string, model: unknown, data: unknown, options: object, more: object = { epochs: 4 }): Named => [
    name,
    () => e.fit(model as e.LinearModel, data as e.Dataset, { epochs: 2, seed: 3, ...options }),
    (bytes, signal) => e.fit.resume(bytes, data as e.Dataset, { ...more, signal }),
  ];
  const l1 = e.linear({ l1: 0.05 });
  const group = e.linear({ group: { strength: 1, groups: [["a", "b"]] } });
  const path = (name: string, model: e.LinearModel, options: e.FitPathOptions): Named => [
    name,
    () => e.fit.path(model, numbers, options),
    (bytes, signal) => e.fit.path.resume(bytes, numbers, { signal }),
  ];
  const net = e.network([e.dense(4), e.batchNorm(), e.relu(), e.dropout(0.2), e.dense(1)], { loss: "squared" });
  return [
    on("adam", e.linear(), numbers, { rule: e.adam({ rate: 0.01 }), batch: 4 }),
    on("descent with L2", e.linear({ l2: 0.1 }), classes, { rule: e.sgd({ rate: e.cosineDecay({ rate: 0.3, updates: 200 }) }) }),
    on("saga, replicas", e.linear({ l2: 0.1 }), numbers, { variance: e.saga(), replicas: 2, averageEvery: 0.5 }),
    on("svrg", e.linear(), numbers, { variance: e.svrg({ every: 2 }) }),
    on("line search", e.linear(), numbers, { rule: e.stochasticLineSearch() }),
    on("patience", e.linear(), numbers, { validate: numbers, patience: 3 }, { epochs: 4, validate: numbers }),
    on("adam on all rows", e.linear(), numbers, { rule: e.adam({ rate: 0.01 }), batch: "all" }),
    on("L-BFGS", e.linear(), numbers, { rule: e.lbfgs({ history: 2 }), precision: "f64" }),
    on("coordinates", l1, numbers, { algorithm: e.coordinateDescent({ pick: "greedy", block: 2 }) }),
    on("accelerated coordinates", l1, numbers, {
      algorithm: e.coordinateDescent({ acceleration: "nesterov", step: "lipschitz" }),
    }),
    on("working sets", l1, numbers, { algorithm: e.coordinateDescent() }),
    on("newton", e.linear({ loss: "logistic", l2: 0.1 }), classes, { algorithm: e.newtonCholesky() }),
    on("dual", e.linear({ loss: "logistic", l2: 0.1 }), classes, { algorithm: e.dualCoordinateDescent() }),
    on("network", net, numbers, { batch: 4 }),
    on("ratings", e.factorisation({ rank: 2 }), ratings, {}),
    on("rank one updates", e.factorisation({ rank: 2 }), ratings, { algorithm: e.factorCoordinateDescent() }),
    path("early path", e.linear(), { lambdas: 6, folds: 3 }),
    path("early path of groups", group, { lambdas: 4 }),
  ];
}

function searches(): Named[] {
  const f = (v: Float64Array): number => (v[0] - 1) ** 2 + Math.abs(v[1]);
  const named = [
    e.cmaEs(),
    e.nelderMead(),
    e.powell(),
    e.differentialEvolution(),
    e.simulatedAnnealing(),
    e.spsa(),
    e.randomSearch(),
  ];
  const target = e.coordinateTarget({
    dimension: 2,
    value: (v) => f(v) + v[1] ** 2,
    partial: (v, j) => (j === 0 ? 2 * (v[0] - 1) : Math.sign(v[1]) + 2 * v[1]),
  });
  const descent = e.coordinateDescent({ pick: "cyclic" });
  const trials = ({ rate }: { rate: number }, { signal }: { signal: AbortSignal }) =>
    e.fit(e.linear(), e.Dataset.fromArrays({ x, y }), { rule: e.sgd({ rate }), epochs: 1, signal });
  return [
    ...named.map(
      (algorithm): Named => [
        algorithm.name,
        () => e.minimize(f, [0, 3], { algorithm, evaluations: 23, seed: 1 }),
        (bytes, signal) => e.minimize.resume(bytes, f, { evaluations: 40, signal }),
      ],
    ),
    [
      "coordinate target",
      () => e.minimize(target, [0, 3], { algorithm: descent, epochs: 2 }),
      (bytes, signal) => e.minimize.resume(bytes, target, { until: { epochs: 5 }, signal }),
    ],
    [
      "tune",
      () => e.tune(trials, { over: { rate: { low: 1e-4, high: 0.1, scale: "log" } }, trials: 3, measure: ({ loss }) => loss }),
      (bytes, signal) => e.tune.resume(bytes, trials, { trials: 4, measure: ({ loss }) => loss, signal }),
    ],
  ];
}

const simple = e.model(({ data, param, observe }) => {
  const { y } = data({ y: e.vector("N") });
  observe(y, e.normal(param("mu", e.normal(0, 2)), 1));
});
const counted = e.model(({ data, param, observe }) => {
  const { y } = data({ y: e.vector("N") });
  const z = param("z", e.bernoulli(0.4));
  observe(y, e.normal(add(param("mu", e.normal(0, 2)), z), 1));
});

function samples(): Named[] {
  const data = { y: [1.2, -0.3, 0.8, 2.1, 0.4, 1.7] };
  const plan = { chains: 2, warmup: 30, draws: 12, seed: 1 };
  const by = (name: string, algorithm: e.Sampler, options: object = {}, model: e.StatisticalModel = simple): Named => [
    name,
    () => e.sample(model, data, { ...plan, ...options, algorithm }),
    (bytes, signal) => e.sample.resume(bytes, model, data, { draws: 14, workers: 1, signal }),
  ];
  return [
    by("nuts", e.nuts()),
    by("early nuts", e.nuts(), { warmup: 400 }),
    by("hmc", e.hmc()),
    by("randomWalk", e.randomWalk()),
    by("slice", e.slice()),
    by("sgld", e.sgld({ stepSize: 1e-3, batch: 2 }), { rows: "N" }),
    by("parallelTempering", e.parallelTempering()),
    by("sequentialMonteCarlo", e.sequentialMonteCarlo({ particles: 16 })),
    by("pathfinder", e.pathfinder({ paths: 2, draws: 50 })),
    by("meanField", e.meanField()),
    by("svgd", e.svgd({ particles: 14 }), { chains: 1, draws: 14 }),
    by("gibbs", e.gibbs({ z: e.enumerate(), mu: e.conjugate() }), {}, counted),
    by("gibbs by another", e.gibbs({ z: e.enumerate(), mu: e.slice() }), {}, counted),
  ];
}
