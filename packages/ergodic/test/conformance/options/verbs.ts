/** Options of every verb: calls with options on very small data, and the values that each option accepts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ergodic from "../../../src/entries/everything.ts";
import * as explain from "../../../src/predict/explain/index.ts";
import type { Declared } from "./factories.ts";
import { above, callable, either, flag, group, list, made, none, number, one, seed, type Takes, text, whole } from "./values.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-options-"));
// Test files that share a process share the folder.
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const data = ergodic.Dataset.fromArrays({
  x: Array.from({ length: 12 }, (_, i) => [i % 5, (i * i) % 7]),
  y: Array.from({ length: 12 }, (_, i) => i % 3),
});
const squares = ergodic.linear({ loss: "squared", standardise: false });
const dense = ergodic.network(ergodic.dense(1), { loss: "squared", standardise: false });
const ratings = ergodic.Ratings.fromTriples({ users: [0, 0, 1, 1], items: [0, 1, 0, 1], values: [1, 2, 3, 4] });
const bowl = (x: Float64Array): number => x[0] ** 2 + x[1] ** 2;
const normal = ergodic.model(({ data: given, param, observe }) => {
  const mu = param("mu", ergodic.normal(0, 1));
  observe(given({ y: ergodic.vector("N") }).y, ergodic.normal(mu, 1));
});
const y = { y: [0.1, 0.4] };
const plain = (x: Float64Array): number => -0.5 * x[0] ** 2;
const compiled = await ergodic.compileFunction({ x: [2] }, ({ x }) => x.mul(x).sum(), { gradient: ["x"] });
const target = ergodic.coordinateTarget({ dimension: 2, value: bowl });

async function kept(
  name: string,
  run: { checkpoint(path: string): Promise<void>; then: unknown } & PromiseLike<unknown>,
): Promise<string> {
  const path = join(folder, name);
  await run;
  await run.checkpoint(path);
  return path;
}

const graph = ergodic.factorGraph();
graph.variable("rain", ["no", "yes"]);
graph.table(["rain"], [0.7, 0.3]);

const coordinates = { algorithm: ergodic.coordinateDescent() };
const short = { warmup: 0, draws: 2, chains: 1, seed: 1, algorithm: ergodic.randomWalk() };
const trial = ({ rate }: Record<string, number>) => {
  const ticks = async function* () {
    yield { epoch: 1, validation: { loss: rate } };
  };
  return ticks();
};
const over = { rate: { low: 0.1, high: 1 } };
const files = {
  fit: await kept("fit", ergodic.fit(squares, data, { epochs: 1 })),
  stream: await kept("stream", ergodic.fit.stream(squares, [data], { until: { updates: 1 } })),
  path: await kept("path", ergodic.fit.path(squares, data, { lambdas: 2 })),
  sample: await kept("sample", ergodic.sample(normal, y, short)),
  minimize: await kept("minimize", ergodic.minimize(bowl, [1, 1], { evaluations: 10 })),
  coordinates: await kept("coordinates", ergodic.minimize(target, [1, 1], coordinates)),
  gradient: await kept("gradient", ergodic.minimize(compiled, [1, 1], { until: { epochs: 1 } })),
  infer: await kept("infer", ergodic.infer(graph)),
  tune: await kept("tune", ergodic.tune(trial as never, { over, trials: 1 })),
};
export const posterior = await ergodic.sample(normal, y, { ...short, draws: 20, chains: 2 });
export const recommender = await ergodic.fit(ergodic.factorisation({ rank: 1 }), ratings, { epochs: 1 });
const judged = await ergodic.fit(ergodic.linear({ loss: "squared", l2: 0 }), data, { algorithm: ergodic.newtonCholesky() });
const boosted = await ergodic.fit(ergodic.trees(), data, { epochs: 1 });
const zeroOne = ergodic.Dataset.fromArrays({
  x: Array.from({ length: 12 }, (_, i) => [i % 2, i % 3 === 0 ? 1 : 0]),
  y: new Float64Array(12),
});
const boltzmann = ergodic.boltzmannMachine({ hidden: 2 });
const machine = await ergodic.fit(boltzmann, zeroOne, { epochs: 1 });
const series = Float64Array.from({ length: 20 }, (_, i) => i % 7);

const positive = above(0);
const count = whole(1);
const small = whole(1, 64);
const signal = none;
const seconds = { "until.seconds": positive };
const stop = { until: none, "until.epochs": positive, "until.updates": positive, ...seconds, "until.tolerance": number(0) };
const within = (option: string): object => ({ until: { [option === "tolerance" ? "epochs" : "tolerance"]: 1 } });
const bases = {
  "until.epochs": within("epochs"),
  "until.updates": within("updates"),
  "until.seconds": within("seconds"),
  "until.tolerance": within("tolerance"),
};
const plan = {
  workers: whole(1, 1024),
  replicas: whole(1, 65536),
  data: none,
  precision: group,
  "precision.data": none,
  "precision.model": none,
  schedule: none,
  blockRows: whole(1, 2 ** 31),
  batch: whole(1, 2 ** 31),
  averageEvery: positive,
  deterministic: flag,
  seed,
};
const fitting = {
  rule: made("a rule"),
  variance: made("variance reduction"),
  algorithm: none,
  epochs: positive,
  ...stop,
  validate: none,
  validateEvery: positive,
  patience: count,
  signal,
  from: none,
  // Useless without the previous option.
  optimiser: none,
  reset: none,
  ...plan,
};
const held = { validate: data, epochs: 1 };
const fitBase = {
  ...bases,
  ...Object.fromEntries(Object.keys(plan).map((option) => [option, { epochs: 1 }])),
  blockRows: { epochs: 1, schedule: "blocks" },
  averageEvery: { epochs: 1, replicas: 2 },
  rule: { epochs: 1 },
  variance: { epochs: 1 },
  algorithm: { epochs: 1 },
  validate: { epochs: 1 },
  validateEvery: held,
  patience: held,
  signal: { epochs: 1 },
  from: { epochs: 1 },
  reset: { epochs: 1 },
};
const watched = {
  ...stop,
  epochs: positive,
  validate: none,
  validateEvery: positive,
  patience: count,
  signal,
  workers: whole(1, 1024),
};
/** Two coordinates within their bounds. */
const two: Takes = (value) => value instanceof Float64Array;
/** Infinity means no limit. */
const unlimited = either(whole(1), one(Infinity));
const searching = {
  x0: list(number()),
  bounds: none,
  scale: none,
  integer: flag,
  stepSize: either(positive, two),
  algorithm: made("a search"),
  seed,
  evaluations: unlimited,
  repeat: count,
  commonRandomNumbers: flag,
};
const started = { x0: [1, 1] };
const searchBase = Object.fromEntries(Object.keys(searching).map((option) => [option, option === "x0" ? {} : started]));
const ran = { evaluations: 8, ...started };
const searchUntil = { until: group, "until.evaluations": unlimited, "until.target": number(), ...seconds };
const budget = { evaluations: 8 };
const trials = { until: group, "until.trials": unlimited, "until.target": number(), ...seconds };

type Verbs = Readonly<Record<string, Declared>>;

export const fits: Verbs = {
  "fit of a linear model": { call: (o) => ergodic.fit(squares, data, o), options: fitting, base: fitBase },
  "fit of a network": { call: (o) => ergodic.fit(dense, data, o), options: fitting, base: fitBase },
  "fit of a Boltzmann machine": {
    call: (o) => ergodic.fit(boltzmann, zeroOne, o),
    options: fitting,
    base: {
      ...fitBase,
      validateEvery: { validate: zeroOne, epochs: 1 },
      patience: { validate: zeroOne, epochs: 1 },
    },
  },
  "fit of a factorisation": {
    call: (o) => ergodic.fit(ergodic.factorisation({ rank: 1 }), ratings, o),
    options: fitting,
    base: { ...fitBase, validateEvery: { validate: ratings, epochs: 1 }, patience: { validate: ratings, epochs: 1 } },
  },
  "fit by coordinates": {
    call: (o) => ergodic.fit(squares, data, o),
    options: fitting,
    base: Object.fromEntries(
      Object.entries({ ...fitBase, until: {} }).map(([option, base]) => [
        option,
        { ...base, algorithm: ergodic.coordinateDescent() },
      ]),
    ),
  },
  "fit of a statistical model": {
    call: (o) => ergodic.fit(normal, y, o),
    options: {
      rule: made("a rule"),
      algorithm: made("a rule"),
      epochs: positive,
      ...stop,
      start: none,
      starts: whole(1, 100),
      seed,
      deterministic: flag,
      signal,
    },
    base: bases,
  },
  "fit.resume": {
    call: (o) => ergodic.fit.resume(files.fit, data, o),
    options: watched,
    base: { ...bases, validateEvery: { validate: data }, patience: { validate: data } },
  },
  "fit.stream": {
    call: (o) => ergodic.fit.stream(squares, [data], o),
    options: {
      rule: made("a rule"),
      batch: whole(1, 65536),
      seed,
      table: none,
      classes: none,
      until: group,
      "until.updates": positive,
      ...seconds,
      signal,
    },
  },
  "fit.stream.resume": {
    call: (o) => ergodic.fit.stream.resume(files.stream, [data], o),
    options: { until: group, "until.updates": positive, ...seconds, signal },
  },
  "fit.path": {
    call: (o) => ergodic.fit.path(squares, data, o),
    options: {
      lambdas: either(whole(1, 1e6), list(positive)),
      ratio: above(0, 1),
      l1Ratio: above(0, 1),
      tolerance: positive,
      folds: (value) => value === 0 || whole(2, 12)(value),
      select: none,
      signal,
      workers: whole(1, 1024),
      deterministic: flag,
      seed,
      precision: group,
    },
    base: { ratio: { lambdas: 2 }, l1Ratio: { lambdas: 2 }, select: { lambdas: 2, folds: 2 } },
  },
  "fit.path.resume": {
    call: (o) => ergodic.fit.path.resume(files.path, data, o),
    options: { workers: whole(1, 1024), signal },
  },
};

const sampling = {
  algorithm: made("a sampler"),
  chains: small,
  warmup: whole(0),
  draws: whole(0),
  seed,
  workers: whole(1, 1024),
  deterministic: flag,
  rows: none,
  // No parameters are fixed, so all are drawn.
  start: group,
  until: group,
  ...seconds,
  signal,
};
const sampleBase = Object.fromEntries(Object.keys(sampling).map((option) => [option, short]));
const missingStart = { ...sampling, start: none };

export const samples: Verbs = {
  "sample of a model": { call: (o) => ergodic.sample(normal, y, o), options: sampling, base: sampleBase },
  "sample of a function": {
    call: (o) => ergodic.sample(plain, { dimension: 1 }, o),
    options: { ...missingStart, workers: one(1), rows: text },
    base: sampleBase,
  },
  "sample.resume": {
    call: (o) => ergodic.sample.resume(files.sample, normal, y, o),
    options: { algorithm: none, draws: whole(2), workers: whole(1, 1024), until: group, ...seconds, signal },
  },
  infer: {
    call: (o) => ergodic.infer(graph, o),
    options: {
      task: one("marginals", "partition", "map"),
      evidence: group,
      algorithm: none,
      from: none,
      seed,
      memory: above(0, 4),
      deterministic: flag,
      workers: whole(1, 1024),
      until: group,
      ...seconds,
      signal,
    },
  },
  "infer.resume": {
    call: (o) => ergodic.infer.resume(files.infer, graph, o),
    options: { evidence: group, algorithm: none, workers: whole(1, 1024), until: group, ...seconds, signal },
  },
  regression: {
    call: (o) => ergodic.regression("y ~ x", o),
    options: { family: one(...ergodic.familyNames), priors: group, levels: group, name: text },
  },
  calibrate: {
    call: (o) => ergodic.calibrate(normal, y, o),
    options: {
      algorithm: made("a sampler"),
      simulations: count,
      draws: count,
      thin: count,
      warmup: whole(0),
      bins: whole(2),
      seed,
      signal,
    },
    base: Object.fromEntries(
      ["algorithm", "draws", "thin", "warmup", "bins", "seed", "signal"].map((option) => [
        option,
        { simulations: 1, ...(option === "draws" || option === "bins" ? {} : { draws: 3, bins: 2, warmup: 0, thin: 1 }) },
      ]),
    ),
  },
};

export const searchesOf: Verbs = {
  search: { call: ergodic.search, options: searching, base: searchBase },
  minimize: {
    call: (o) => ergodic.minimize(bowl, o),
    options: { ...searching, ...searchUntil, signal, concurrency: count, workers: one(1) },
    base: {
      ...Object.fromEntries(
        [...Object.keys(searching), "signal", "concurrency", "workers"].map((option) => [option, option === "x0" ? budget : ran]),
      ),
      evaluations: started,
      until: started,
      "until.evaluations": started,
      "until.target": { ...started, until: { evaluations: 8 } },
      "until.seconds": { ...started, until: { evaluations: 8 } },
    },
  },
  "minimize.resume": {
    call: (o) => ergodic.minimize.resume(files.minimize, bowl, o),
    options: { evaluations: unlimited, ...searchUntil, signal, concurrency: count, workers: one(1) },
  },
  "minimize by coordinates": {
    call: (o: object) => ergodic.minimize(bowl, [1, 1], { ...coordinates, ...o }),
    options: { epochs: positive, ...stop, seed, signal },
    base: bases,
  },
  "minimize.resume by coordinates": {
    call: (o) => ergodic.minimize.resume(files.coordinates, target, o),
    options: { ...stop, signal },
    base: bases,
  },
  "minimize along gradients": {
    call: (o) => ergodic.minimize(compiled, [1, 1], o),
    options: { rule: made("a rule"), algorithm: none, epochs: positive, ...stop, data: group, signal },
    base: bases,
  },
  "minimize.resume along gradients": {
    call: (o) => ergodic.minimize.resume(files.gradient, compiled, o),
    options: { ...stop, data: group, signal },
    base: bases,
  },
  tune: {
    call: (o) => ergodic.tune(trial as never, o),
    options: {
      over: none,
      "over.rate.low": number(),
      "over.rate.high": number(0.1),
      "over.rate.scale": none,
      "over.rate.integer": one(false),
      algorithm: made("a search"),
      trials: unlimited,
      ...trials,
      halving: either(one(false), group),
      "halving.eta": number(2),
      "halving.first": positive,
      measure: callable,
      value: none,
      concurrency: count,
      seed,
      signal,
    },
    base: {
      ...Object.fromEntries(
        ["algorithm", "halving", "halving.eta", "halving.first", "measure", "value", "concurrency", "seed", "signal"].map(
          (option) => [option, { over, trials: 1 }],
        ),
      ),
      over: { trials: 1 },
      "over.rate.low": { trials: 1, over: { rate: { high: Number.MAX_VALUE } } },
      "over.rate.high": { trials: 1, over },
      "over.rate.scale": { trials: 1, over },
      "over.rate.integer": { trials: 1, over },
      trials: { over },
      until: { over },
      "until.trials": { over },
      "until.target": { over, until: { trials: 1 } },
      "until.seconds": { over, until: { trials: 1 } },
    },
  },
  "tune.resume": {
    call: (o) => ergodic.tune.resume(files.tune, trial as never, o),
    options: { trials: unlimited, ...trials, measure: callable, concurrency: count, signal },
  },
  coordinateAscent: {
    call: ergodic.coordinateAscent,
    options: { start: none, factors: none, elbo: callable, iterations: whole(0, 1e9), tolerance: number(0) },
    base: Object.fromEntries(
      ["start", "factors", "elbo", "iterations", "tolerance"].map((option) => [
        option,
        { start: { a: Float64Array.of(1) }, factors: { a: () => Float64Array.of(1) }, elbo: () => 0 },
      ]),
    ),
  },
  gaussianMixture: {
    call: (o: object) => ergodic.gaussianMixture([[1], [2], [4], [7]], { components: 1, ...o }),
    options: {
      components: whole(1, 1e4),
      concentration: positive,
      meanPrecision: positive,
      degrees: positive,
      spread: positive,
      starts: whole(1, 1e4),
      seed,
      iterations: whole(1, 1e9),
      tolerance: number(0),
    },
  },
  topics: {
    call: (o: object) =>
      ergodic.topics(
        [
          [1, 2],
          [0, 1],
        ],
        { topics: 1, ...o },
      ),
    options: {
      topics: whole(1, 1e5),
      documentConcentration: positive,
      wordConcentration: positive,
      batch: count,
      seed,
      iterations: whole(0, 1e9),
      tolerance: number(0),
      epochs: whole(1, 1e9),
      delay: number(0),
      forgetting: above(0.5, 1),
    },
    base: { delay: { batch: 1 } },
  },
};

const width = whole(24);
const size = { width, height: whole(4) };
const share = number(0, 1);
const rows = either(count, none);

const measured = { seconds: 1e-9, warmup: 0, queries: 1 };
const quickly = { ...measured, scenario: "server", p99Ms: 1e9, rate: 1e9 };

export const others: Verbs = {
  measure: {
    call: (o) => ergodic.measure(() => 1, [[1]], o),
    options: {
      scenario: none,
      batch: whole(1, 2 ** 24),
      rows: whole(1, 2 ** 24),
      queries: whole(1, 2 ** 24),
      seconds: positive,
      p99Ms: positive,
      rate: positive,
      warmup: number(0),
      seed,
      call: callable,
      powercap: text,
      clock: none,
      signal,
    },
    base: {
      ...Object.fromEntries(
        ["batch", "queries", "seconds", "warmup", "seed", "call", "powercap", "clock", "signal"].map((option) => [
          option,
          measured,
        ]),
      ),
      rows: { ...measured, scenario: "offline" },
      p99Ms: quickly,
      rate: quickly,
    },
  },
  "data.split": {
    call: (o: object) => data.split(0.5, { seed: 1, ...o }),
    options: { seed: whole(), stratify: one(false) },
  },
  "data.subsample": { call: (o: object) => data.subsample(3, { seed: 1, ...o }), options: { seed: whole() } },
  "data.standardise": { call: (o) => data.standardise(o), options: { by: none, indicators: flag } },
  "ratings.split": { call: (o: object) => ratings.split(0.5, { seed: 1, ...o }), options: { seed: whole() } },
  "recommender.recommend": {
    call: (o) => recommender.recommend(0, o),
    options: { count, exclude: list(() => true, { empty: true }) },
  },
  "recommender.recommendFor": {
    call: (o) => recommender.recommendFor([{ item: 0, value: 1 }], o),
    options: { count, exclude: list(() => true, { empty: true }) },
  },
  "recommender.similar": { call: (o) => recommender.similar(0, o), options: { count } },
  "recommender.evaluate": { call: (o) => recommender.evaluate(ratings, o), options: { count, exclude: none } },
  "machine.logPartition": {
    call: (o) => machine.logPartition(o),
    options: {
      method: one("auto", "exact", "annealed"),
      chains: whole(2),
      steps: count,
      level: number(Number.MIN_VALUE, 1 - Number.EPSILON / 2),
      seed: whole(),
    },
  },
  "machine.sample": { call: (o) => machine.sample(2, o), options: { sweeps: count, seed: whole() } },
  "machine.complete": { call: (o) => machine.complete([1, Number.NaN], o), options: { sweeps: count, seed: whole() } },
  explain: {
    call: (o) => ergodic.explain(dense, o),
    options: { rowShape: either(list(count)), outputs: one(1), batch: rows, precision: none },
    base: Object.fromEntries(
      ["rowShape", "outputs", "batch", "precision"].map((option) => [option, { rowShape: [2], outputs: 1 }]),
    ),
  },
  compileFunction: {
    call: (o) => ergodic.compileFunction({ x: [2] }, ({ x }) => x.sum(), o),
    options: { precision: none, gradient: list(none, { empty: true }), deterministic: flag, key: two, name: text },
  },
  "draws.summary": {
    call: (o) => posterior.summary(o),
    options: { of: list(none, { empty: true }), probabilities: list(share, { empty: true }) },
  },
  "draws.check": {
    call: (o) => posterior.check("y", o),
    options: { seed: whole(), statistics: group },
  },
  "draws.predict": { call: (o) => posterior.predict(o), options: { seed: whole() } },
  "draws.predictor": {
    call: (o) => posterior.predictor(o),
    options: { level: number(Number.MIN_VALUE, 1 - Number.EPSILON / 2), draws: count, seed: whole(), rows: text },
  },
  "draws.loo": { call: (o) => posterior.loo("y", o), options: { oneStepAhead: flag } },
  "draws.waic": { call: (o) => posterior.waic("y", o), options: { oneStepAhead: flag } },
  regressionTable: {
    call: (o) => ergodic.regressionTable(judged, data, o),
    options: { level: number(Number.MIN_VALUE, 0.999999) },
  },
  crossValidate: {
    call: (o) => ergodic.crossValidate(squares, data, o),
    options: { folds: whole(2, 12), groups: none, time: none, fit: group, onFold: callable, seed, signal },
    base: { fit: { folds: 2 } },
  },
  saveDraws: { call: (o) => ergodic.saveDraws(posterior, join(folder, "draws"), o), options: { format: none } },
  tracePlot: { call: (o) => ergodic.tracePlot(series, 2, o), options: { ...size, height: whole(3) } },
  histogramPlot: { call: (o) => ergodic.histogramPlot(series, o), options: { width, height: count, bins: small } },
  rankBars: { call: (o) => ergodic.rankBars(series, 2, o), options: { width, height: count, bins: whole(1, 60) } },
  intervalPlot: { call: (o) => ergodic.intervalPlot(posterior.summary(), o), options: { width } },
  densityOverlay: {
    call: (o) => ergodic.densityOverlay([1, 2], series, o),
    options: { width, height: whole(2), bins: whole(1, 60) },
  },
  compare: {
    call: (o) => ergodic.compare({ a: posterior, b: posterior }, o),
    options: { of: none, oneStepAhead: flag, weights: one("stacking", "pseudoBma"), seed },
  },
  looPit: {
    call: (o: object) => ergodic.looPit([1, 2], series, series, { chainCount: 2, ...o }),
    options: { chainCount: count, relativeEfficiency: either(positive, two) },
  },
  attributions: { call: (o) => explain.attributions(boosted, data, o), options: { interactions: flag } },
  importance: {
    call: (o) => explain.importance(boosted, o),
    options: { by: none, data: none, seed, repeats: count },
    base: { seed: { data }, repeats: { data } },
  },
  partialDependence: {
    call: (o) => explain.partialDependence(boosted, data, "x0", o),
    options: { grid: either(whole(2, 10_000), list(number())), curves: flag },
  },
  metrics: {
    call: (o) => ergodic.metrics("regression", 2, o),
    options: { outputs: none, mean: none, "mean.value": number() },
    base: { "mean.value": { mean: { of: "training" } } },
  },
};
