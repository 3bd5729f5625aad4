/**
 * What every factory takes: by its name, how it is called with options, and of each option what it may be. The test (options.test.ts) finds the
 * factories by their registries and their options by asking the factories; what stands here and there must be the same.
 */
import { samplerRegistry } from "../../../src/bayes/samplers/registry.ts";
import * as ergodic from "../../../src/entries/everything.ts";
import { above, callable, either, flag, group, list, made, none, number, one, type Takes, text, whole } from "./values.ts";

export interface Declared {
  /** A call with these options and whatever else it needs. */
  call(options: never): unknown;
  options: Readonly<Record<string, Takes>>;
  /** Options that belong to the one under test. */
  base?: Readonly<Record<string, object>>;
}

type Table = Readonly<Record<string, Declared>>;

const positive = above(0);
const share = number(0, 1);
const openShare = above(0, 1);
const notNegative = number(0);
const count = whole(1);
const adam = { rate: positive, beta1: share, beta2: share, epsilon: notNegative };
const openAdam = { ...adam, beta1: openShare };

/** Of the registry of that kind: each name with what its factory takes. */
function from(registry: Readonly<Record<string, unknown>>, options: Readonly<Record<string, Declared["options"]>>): Table {
  return Object.fromEntries(
    Object.entries(options).map(([name, own]) => [name, { call: registry[name] as Declared["call"], options: own }]),
  );
}

const makes = (registry: Readonly<Record<string, { make: unknown }>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(registry).map(([name, { make }]) => [name, make]));

export const rules = from(makes(ergodic.ruleRegistry), {
  sgd: { rate: positive },
  polyak: { optimum: number(), maximum: positive },
  polyakEstimated: { gap: positive, grow: number(1), shrink: openShare, patience: number(1), maximum: positive },
  spsMax: { optimum: number(), c: positive, maximum: positive, smoothing: flag },
  aliG: { maximum: positive, epsilon: positive },
  exactLineSearch: { initial: positive, tolerance: positive, maxEvaluations: whole(5) },
  backtracking: { initial: positive, c: openShare, shrink: openShare, maxEvaluations: whole(2) },
  strongWolfe: { c1: openShare, c2: openShare, maxEvaluations: whole(2) },
  stochasticLineSearch: {
    c: share,
    shrink: above(0, 0.999),
    initial: positive,
    growth: number(1),
    maxTrials: count,
    fallback: positive,
  },
  momentum: { rate: positive, momentum: share, dampening: share },
  nesterov: { rate: positive, momentum: share },
  adagrad: { rate: positive, epsilon: notNegative, initialAccumulator: notNegative, epsilonInside: flag },
  adagradHistory: { rate: positive, epsilon: notNegative, limit: count },
  adadelta: { rate: positive, rho: share, epsilon: positive },
  rmsprop: { rate: positive, rho: share, epsilon: notNegative, momentum: share, centred: flag, epsilonInside: flag },
  adam: { ...adam, biasCorrection: flag },
  amsgrad: { ...adam, corrected: flag },
  adamw: { ...adam, decay: notNegative, amsgrad: flag },
  nadam: { ...adam, momentumDecay: notNegative, decay: notNegative },
  radam: { ...adam, decay: notNegative },
  adamax: adam,
  lion: { rate: positive, beta1: share, beta2: share, decay: notNegative },
  scheduleFreeSgd: { rate: positive, beta: openShare },
  scheduleFreeAdam: { ...openAdam, decay: notNegative },
  prodigy: { ...adam, distance: positive },
  lbfgs: { rate: positive, history: count, search: none, gradientTolerance: notNegative, changeTolerance: notNegative },
  clipNorm: { norm: positive, epsilon: notNegative },
  clipValue: { value: positive },
  weightDecay: { decay: notNegative },
  averaging: { start: notNegative },
});

export const schedules = from(ergodic, {
  constantRate: { rate: positive },
  stepDecay: { rate: positive, every: whole(1), factor: positive },
  exponentialDecay: { rate: positive, factor: positive },
  cosineDecay: { rate: positive, updates: positive, final: notNegative },
  inverseTimeDecay: { rate: positive, decay: notNegative, power: notNegative },
  optimalRate: { alpha: positive, offset: notNegative },
  warmUp: { rate: positive, updates: positive, from: share },
});

export const variances = from(ergodic, { svrg: { every: count }, saga: {}, sag: {} });

/** null is a default of theirs, which the start chooses, and stands in the JSON. */
const chosen = (takes: Takes): Takes => either(one(null), takes);

export const searches = from(makes(ergodic.searchRegistry), {
  cmaEs: {
    covariance: none,
    population: chosen(whole(2)),
    restarts: none,
    maxRestarts: whole(0),
    pointTolerance: notNegative,
    valueTolerance: notNegative,
  },
  differentialEvolution: {
    base: none,
    weightLow: number(0, 1),
    weightHigh: number(0.5, 2),
    crossover: share,
    population: chosen(whole(4)),
    tolerance: notNegative,
  },
  simulatedAnnealing: {
    cooling: none,
    initialTemperature: chosen(positive),
    finalTemperature: number(1e-300, 0.999),
    sweeps: chosen(count),
  },
  randomSearch: { spread: positive },
  randomDirection: { rate: positive, sigma: positive, decay: notNegative, directions: count, antithetic: flag },
  coordinateSearch: { tolerance: notNegative },
  spsa: {
    a: chosen(positive),
    c: positive,
    stability: chosen(notNegative),
    alpha: notNegative,
    gamma: notNegative,
    firstStep: positive,
  },
  openAiEs: { rate: positive, sigma: positive, pairs: chosen(count), decay: notNegative, step: none },
  onePlusOneEs: { growth: above(1), tolerance: notNegative },
  nelderMead: { adaptive: chosen(flag), restarts: none, pointTolerance: notNegative, valueTolerance: notNegative },
  powell: { restarts: none, lineTolerance: above(0, 0.5), pointTolerance: positive, valueTolerance: notNegative },
});

const averaging = { targetAcceptance: above(0, 0.999), gamma: positive, kappa: openShare, t0: notNegative };
const windows = {
  windows: group,
  "windows.initial": whole(0),
  "windows.first": count,
  "windows.final": whole(0),
};
const adapted = {
  metric: none,
  adaptation: none,
  scouts: whole(0, 1000),
  restarts: whole(0, 1000),
  stepSize: positive,
  ...windows,
};
const batches = { batch: count };
const estimate = { ...batches, controlVariate: one(false), svrg: none, "svrg.every": whole(1, 2 ** 31) };
const stochastic = {
  stepSize: positive,
  "stepSize.initial": positive,
  "stepSize.offset": positive,
  "stepSize.power": notNegative,
  thin: whole(1, 2 ** 24),
  ...estimate,
};
const decay = { "stepSize.initial": 1, "stepSize.offset": 1, "stepSize.power": 1 };
const stochasticBase = Object.fromEntries(
  Object.keys(decay).map((path) => [path, { stepSize: { initial: 1, offset: 1, power: 1 } }]),
);
const cycle = {
  cycle: none,
  "cycle.length": whole(1, 2 ** 24),
  "cycle.draws": whole(1, 20),
  "cycle.exploration": number(0, 0.9),
};
const cycleBase = { ...stochasticBase, "cycle.length": { cycle: { length: 100 } }, "cycle.draws": { cycle: { length: 100 } } };
const cycled = { ...cycleBase, "cycle.exploration": { cycle: { length: 100 } } };
const million = whole(1, 1e6);
const quasiNewton = {
  history: whole(1, 1000),
  firstStep: positive,
  objectiveTolerance: notNegative,
  relativeObjectiveTolerance: notNegative,
  gradientTolerance: notNegative,
  relativeGradientTolerance: notNegative,
  parameterTolerance: notNegative,
};
const advi = {
  start: none,
  gradientDraws: million,
  elboDraws: million,
  maxIterations: whole(0, 1e9),
  tolerance: notNegative,
  evaluateEvery: million,
  adaptIterations: million,
  refineDraws: whole(0, 1e9),
  psis: flag,
  rate: positive,
  ...batches,
};

const samplerOptions: Readonly<Record<string, Declared["options"]>> = {
  nuts: { ...adapted, ...averaging, jitter: number(0, 0.999), maxTreeDepth: whole(1, 20) },
  hmc: { ...adapted, ...averaging, jitter: number(0, 0.999), time: positive, leapfrogs: whole(1, 2 ** 31) },
  randomWalk: { stepSize: positive, targetAcceptance: above(0, 0.999), covariance: none, ...windows },
  metropolisWithinGibbs: { stepSize: positive, targetAcceptance: above(0, 0.999), scan: none },
  mala: { ...adapted, ...averaging },
  slice: { width: positive, expansion: none, limit: whole(1, 2 ** 31), adapt: flag },
  ellipticalSlice: {
    mean: list(number()),
    covariance: list(positive),
    estimate: none,
    inflation: positive,
    ...windows,
  },
  sgld: { ...stochastic, ...cycle },
  psgld: { ...stochastic, smoothing: number(0, 0.999), leastScale: positive },
  sghmc: { ...stochastic, ...cycle, friction: openShare, noiseEstimate: number(0, 0.01), resetEvery: whole(0, 2 ** 31) },
  sgnht: { ...stochastic, friction: openShare },
  pathfinder: { paths: million, draws: million, elboDraws: million, maxIterations: million, psis: flag, ...quasiNewton },
  meanField: advi,
  fullRank: advi,
  svgd: {
    particles: whole(2, 1e5),
    rate: positive,
    iterations: whole(1, 1e9),
    tolerance: notNegative,
    start: none,
    bandwidth: positive,
    ...batches,
  },
  prior: {},
  parallelTempering: {
    inner: made("a sampler"),
    temperatures: (value) => Array.isArray(value) && value.length === 1 && value[0] === 1,
    count: whole(1, 1024),
    lowest: share,
    swapEvery: whole(1, 2 ** 31),
    adapt: flag,
  },
  sequentialMonteCarlo: {
    particles: whole(2, 2 ** 24),
    essTarget: above(0, 0.999),
    move: none,
    moves: whole(1, 2 ** 20),
    leapfrogs: whole(1, 2 ** 20),
    stepSize: positive,
    temperatures: (value) => Array.isArray(value) && value.length === 1 && value[0] === 1,
    adapt: flag,
  },
  gibbs: { blocks: none },
};

export const samplers: Table = Object.fromEntries(
  Object.entries(from(samplerRegistry, samplerOptions)).map(([name, declared]) => [
    name,
    {
      ...declared,
      base: {
        ...cycled,
        ...Object.fromEntries(
          Object.keys(declared.options).flatMap((path) => (path === "noiseEstimate" ? [[path, { stepSize: 1 }]] : [])),
        ),
      },
    },
  ]),
);

/** Samplers that functions make, and their parts: not in the registry, since no file can hold them. */
export const samplerParts: Table = {
  metropolisHastings: {
    call: ergodic.metropolisHastings,
    options: { propose: callable, start: callable },
    base: { start: { propose: () => ({ x: [0], logRatio: 0 }) } },
  },
  independence: {
    call: ergodic.independence,
    options: { sample: callable, logDensity: callable },
    base: { sample: { logDensity: () => 0 }, logDensity: { sample: () => [0] } },
  },
  enumerate: { call: ergodic.enumerate, options: { most: whole(0, 2 ** 24) } },
};

export const losses = from(ergodic, {
  epsilonInsensitiveLoss: { epsilon: notNegative },
  hingeLoss: {},
  huberLoss: { delta: positive },
  logisticLoss: {},
  multinomialLoss: {},
  poissonLoss: {},
  quantileLoss: { quantile: share },
  squaredLoss: {},
  squaredHingeLoss: {},
});

/** Without dots and spaces. */
const name: Takes = (value) => typeof value === "string" && /^[^.\s]+$/.test(value);
const extent: Takes = count;
const named = { name };
const weights = { bias: flag, initial: none, initialBias: none, ...named };
const field = { kernel: extent, stride: extent, padding: whole(0), dilation: extent };
const convolved = { ...field, ...weights };
const normalised = { ...field, initial: none, activation: none, ...named };

export const layers: Table = {
  ...from(ergodic, {
    batchNorm: { momentum: share, epsilon: positive, affine: flag, ...named },
    depthwise: { multiplier: count, ...convolved },
    flatten: named,
    globalAveragePool: named,
    layerNorm: { epsilon: positive, ...named },
    normalisedDepthwise: { multiplier: count, ...normalised },
    randomFlip: { axis: whole(1, 2), ...named },
    relu: named,
    relu6: named,
    gelu: named,
    silu: named,
    hardSwish: named,
  }),
  activation: { call: (o) => ergodic.activation("relu", o), options: named },
  averagePool: {
    call: (o) => ergodic.averagePool(2, o),
    options: { stride: extent, padding: whole(0), countPadding: flag, ...named },
  },
  maxPool: { call: (o) => ergodic.maxPool(2, o), options: { stride: extent, padding: whole(0), ...named } },
  channelShuffle: { call: (o) => ergodic.channelShuffle(2, o), options: named },
  circulantConvolution: { call: (o) => ergodic.circulantConvolution(8, o), options: { block: count, ...convolved } },
  circulantDense: { call: (o) => ergodic.circulantDense(8, o), options: { block: count, ...weights } },
  convolution: { call: (o) => ergodic.convolution(64, o), options: { groups: one(1, 64), ...convolved } },
  dense: { call: (o) => ergodic.dense(4, o), options: weights },
  dropout: { call: (o) => ergodic.dropout(0.5, o), options: { wholeChannels: flag, ...named } },
  embedding: { call: (o) => ergodic.embedding(4, 2, o), options: { initial: none, ...named } },
  gru: { call: (o) => ergodic.gru(4, o), options: { sequence: flag, initial: none, initialHidden: none, ...named } },
  lstm: { call: (o) => ergodic.lstm(4, o), options: { sequence: flag, initial: none, initialHidden: none, ...named } },
  halfOfChannels: { call: (o) => ergodic.halfOfChannels("first", o), options: named },
  noise: { call: (o) => ergodic.noise(1, o), options: named },
  normalised: { call: (o) => ergodic.normalised(64, o), options: { groups: one(1, 64), ...normalised } },
  randomCutout: { call: (o) => ergodic.randomCutout(2, o), options: named },
  randomShift: { call: (o) => ergodic.randomShift(2, o), options: { fill: none, ...named } },
  reshaped: { call: (o) => ergodic.reshaped([2], o), options: named },
  residual: {
    call: (o) => ergodic.residual(ergodic.relu(), o),
    options: { shortcut: either(callable, made("a layer")), ...named },
  },
  separable: { call: (o) => ergodic.separable(4, o), options: { kernel: extent, stride: extent, activation: none, ...named } },
  sequential: { call: (o) => ergodic.sequential([ergodic.relu()], o), options: named },
  invertedResidual: {
    call: (o) => ergodic.invertedResidual(4, 4, o),
    options: { kernel: extent, stride: extent, activation: none, expansion: count, ...named },
  },
  shuffleUnitV1: {
    call: (o) => ergodic.shuffleUnitV1(240, 240, o),
    options: { stride: one(1), groups: one(1), firstGroups: one(1), ...named },
  },
  shuffleUnitV2: { call: (o) => ergodic.shuffleUnitV2(8, 8, o), options: { stride: one(1), ...named } },
};

const scaled = { gain: notNegative };

export const initialisers: Table = {
  ...from(ergodic, {
    constantInitial: { value: number() },
    glorotNormal: scaled,
    glorotUniform: scaled,
    heNormal: scaled,
    heUniform: scaled,
    lecunNormal: scaled,
    lecunUniform: scaled,
    normalInitial: { mean: number(), deviation: notNegative },
    orthogonalInitial: scaled,
    zeros: {},
    ones: {},
  }),
  uniformInitial: {
    call: ergodic.uniformInitial,
    options: { low: number(), high: number() },
    base: { low: { high: Number.MAX_VALUE }, high: { low: -Number.MAX_VALUE } },
  },
};

const outputs = { outputs: count };
const share1: Takes = number(0, 0.99);
const widths = list(count, { empty: true });

export const architectures: Table = {
  ...from(ergodic, {
    cnn: { ...outputs, channels: widths, hidden: count, dropout: share1 },
    circulantNet: { ...outputs, channels: widths, hidden: count, block: count },
    mobileNetV1: { ...outputs, width: positive, form: none, dropout: share1 },
    mobileNetV2: { ...outputs, width: positive, form: none, dropout: share1 },
    shuffleNetV1: { ...outputs, groups: whole(1, 2), width: positive, form: none },
    shuffleNetV2: { ...outputs, width: positive, form: none },
  }),
  mlp: { call: (o) => ergodic.mlp([4], o), options: { ...outputs, activation: none, dropout: share1, normalised: flag } },
};

const features = { count: (value: unknown) => value === 64, gamma: positive, seed: whole() };
const featuresBase = { gamma: { count: 64 }, seed: { count: 64 } };

export const featureMaps: Table = Object.fromEntries(
  Object.entries(ergodic.featureMaps).map(([kind, call]) => [
    kind,
    { call: call as Declared["call"], options: features, base: featuresBase },
  ]),
);

export const transformations: Table = {
  products: {
    call: ergodic.products as Declared["call"],
    options: { interactions: (value) => Array.isArray(value) && value.length === 0, degree: whole(1, 6) },
    base: { interactions: { degree: 2 }, degree: { interactions: [["a", "b"]] } },
  },
};

/** { a: 1 }: a weight by name. */
const isA: Takes = (value) => typeof value === "object" && value !== null && (value as { a?: unknown }).a === 1;

const bounds = { lower: number(), upper: number() };
/** Fields of a model's data: what their numbers must keep to. */
export const dataFields: Table = {
  vector: { call: (o) => ergodic.vector("N", o), options: { ...bounds, integer: flag } },
  matrix: { call: (o) => ergodic.matrix("N", "K", o), options: { ...bounds, integer: flag } },
  integer: { call: ergodic.integer, options: bounds },
  real: { call: ergodic.real, options: { ...bounds, integer: flag } },
};

export const models: Table = {
  linear: {
    call: ergodic.linear as Declared["call"],
    options: {
      loss: none,
      l1: notNegative,
      l2: notNegative,
      group: none,
      "group.strength": notNegative,
      "group.groups": list((value) => Array.isArray(value) && value.every(text), { empty: true }),
      intercept: flag,
      nonNegative: flag,
      penaltyWeights: either(group, isA),
      classWeights: either(group, isA),
      features: made("random features"),
      standardise: flag,
    },
    base: { "group.strength": { group: { groups: [["a"]] } }, "group.groups": { group: { strength: 1 } } },
  },
  network: {
    call: (o) => ergodic.network(ergodic.dense(1), o),
    options: {
      loss: none,
      l1: notNegative,
      l2: notNegative,
      classWeights: either(group, isA),
      rates: either(group, isA),
      "rates.weight": notNegative,
      standardise: flag,
    },
  },
  factorisation: {
    call: ergodic.factorisation,
    options: {
      rank: whole(1, 4096),
      l2: positive,
      implicit: either(one(false), group),
      "implicit.alpha": notNegative,
      biases: flag,
      weighted: flag,
      initialScale: positive,
    },
  },
  configure: { call: ergodic.configure, options: { worker: either(text, callable) } },
  functionDensity: {
    call: ergodic.functionDensity,
    options: {
      dimension: count,
      logDensity: callable,
      gradient: callable,
      names: list(text),
      checkGradient: flag,
    },
    base: {
      checkGradient: { dimension: 1, logDensity: () => 0, gradient: () => [0] },
      dimension: { logDensity: () => 0 },
      logDensity: { dimension: 1 },
      gradient: { dimension: 1, logDensity: () => 0 },
      names: { dimension: 1, logDensity: () => 0 },
    },
  },
};

const perCoordinate = either(number(), list(number()));
const strength = either(notNegative, list(notNegative));
const target = { dimension: 1, value: () => 0 };

export const algorithms: Table = {
  gradientDescent: {
    call: ergodic.gradientDescent,
    options: { rule: made("a rule"), variance: made("variance reduction") },
    base: { variance: { rule: ergodic.sgd() } },
  },
  ...from(ergodic, {
    alternatingLeastSquares: { tolerance: notNegative },
    factorCoordinateDescent: { inner: whole(1, 1000), order: none, tolerance: notNegative },
    newtonCholesky: { tolerance: notNegative },
    dualCoordinateDescent: { shrinking: flag, tolerance: notNegative, interceptScaling: positive },
  }),
  coordinateDescent: {
    call: ergodic.coordinateDescent,
    options: {
      pick: none,
      step: none,
      block: count,
      estimate: none,
      "estimate.rows": whole(1, 2 ** 31),
      "estimate.rate": positive,
      acceleration: none,
      tolerance: notNegative,
      checkEvery: count,
    },
    base: {
      block: { pick: "greedy" },
      "estimate.rows": { estimate: { rows: 1, rate: 1 } },
      "estimate.rate": { estimate: { rows: 1, rate: 1 } },
    },
  },
  coordinateTarget: {
    call: ergodic.coordinateTarget,
    options: {
      dimension: whole(1, 64),
      value: callable,
      partial: callable,
      secondPartial: callable,
      minimiser: callable,
      residual: callable,
      moved: callable,
      rowPartial: callable,
      curvature: either(positive, list(positive), callable),
      quadratic: flag,
      rows: whole(1, 2 ** 31),
      l1: strength,
      l2: strength,
      lower: either(perCoordinate, one(-Infinity)),
      upper: either(perCoordinate, one(Infinity)),
    },
    base: {
      dimension: { value: () => 0 },
      value: { dimension: 1 },
      ...Object.fromEntries(
        ["partial", "secondPartial", "minimiser", "curvature", "l1", "l2", "lower", "upper"].map((option) => [option, target]),
      ),
      residual: { ...target, moved: () => {} },
      moved: { ...target, residual: () => new Float64Array(1) },
      rows: { ...target, rowPartial: () => 0 },
      rowPartial: { ...target, rows: 1 },
      quadratic: { ...target, curvature: 1 },
    },
  },
};

const below1: Takes = (value) => above(0, 1)(value) && value !== 1;
const tempered = {
  tempered: either(flag, group),
  "tempered.temperatures": (value: unknown) => Array.isArray(value) && value.length === 1 && value[0] === 1,
  "tempered.count": whole(1, 1024),
  "tempered.lowest": below1,
  "tempered.swapEvery": whole(1, 2 ** 31),
};

export const inference = from(ergodic, {
  automatic: {},
  elimination: { mostStates: number(1) },
  importanceSampling: { level: number(0.5, 0.999999), width: positive, samples: whole(1000) },
  miniBuckets: { iBound: whole(1, 28) },
  loopyBeliefPropagation: { damping: number(0, 0.99), tolerance: notNegative, rounds: count },
  naiveMeanField: { restarts: count, rounds: count, tolerance: notNegative },
  annealedImportanceSampling: { particles: whole(100), temperatures: count, level: number(0.5, 0.9999) },
  graphTempering: {
    ensembles: whole(8, 256),
    warmup: whole(50),
    sweeps: whole(100),
    level: number(0.5, 0.999999),
    width: positive,
  },
  graphGibbs: {
    schedule: one("chromatic", "blocks", "sequential", "random", "hogwild"),
    chains: whole(2, 256),
    warmup: whole(0),
    sweeps: whole(100),
    mcse: positive,
    ...tempered,
  },
  replicaGibbs: { replicas: one(64, 128, 192, 1024), warmup: whole(0), sweeps: whole(100, 500_000_000), mcse: positive },
  iteratedConditionalModes: { restarts: count },
  graphAnnealing: { sweeps: count, from: number(0.05), to: above(0), restarts: count },
});

export const learners = from(ergodic, {
  contrastiveDivergence: { steps: count, persistent: flag, particles: whole(1, 10000), ...tempered },
  pseudoLikelihood: {},
  exactLikelihood: {},
});
