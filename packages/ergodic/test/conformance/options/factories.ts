/**
 * Options of factories without a declaration: a call with options, and the values that each option accepts. Factories
 * with a declaration are in declared.ts. options.test.ts asks each factory for the names of its options and compares
 * them with those declared here.
 */
import * as ergodic from "../../../src/entries/everything.ts";
import { above, callable, either, flag, group, list, made, none, number, one, type Takes, text, whole } from "./values.ts";

export interface Declared {
  /** Calls the factory with these options and its other arguments. */
  call(options: never): unknown;
  options: Readonly<Record<string, Takes>>;
  /** Options that the tested option requires. */
  base?: Readonly<Record<string, object>>;
}

type Table = Readonly<Record<string, Declared>>;

const positive = above(0);
const notNegative = number(0);
const count = whole(1);

/** Names of a registry, each with the options of its factory. */
function from(registry: Readonly<Record<string, unknown>>, options: Readonly<Record<string, Declared["options"]>>): Table {
  return Object.fromEntries(
    Object.entries(options).map(([name, own]) => [name, { call: registry[name] as Declared["call"], options: own }]),
  );
}

export const variances = from(ergodic, { svrg: { every: count }, saga: {}, sag: {} });

/** Samplers made by functions, and their parts. They are not in the registry, because files cannot store them. */
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

/** Removes dots and spaces. */
const name: Takes = (value) => typeof value === "string" && /^[^.\s]+$/.test(value);
const extent: Takes = count;
const named = { name };
const field = { kernel: extent, stride: extent, padding: whole(0), dilation: extent };
const relu = ergodic.relu();
const layers = either(callable, made("a layer"));
const normalised = { ...field, initial: none, activation: none, ...named };

/** Layers made of other layers. */
export const madeLayers: Table = {
  ...from(ergodic, {
    normalisedDepthwise: { multiplier: count, ...normalised },
    relu: named,
    relu6: named,
    gelu: named,
    silu: named,
    hardSwish: named,
  }),
  normalised: { call: (o) => ergodic.normalised(64, o), options: { groups: one(1, 64), ...normalised } },
  byImageSize: {
    call: ergodic.byImageSize,
    options: { small: layers, large: layers, side: count, ...named },
    base: {
      small: { large: relu, side: 4 },
      large: { small: relu, side: 4 },
      side: { small: relu, large: relu },
      name: { small: relu, large: relu, side: 4 },
    },
  },
  residual: {
    call: (o) => ergodic.residual(ergodic.relu(), o),
    options: { shortcut: layers, ...named },
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

/** { a: 1 }: a weight per name. */
const isA: Takes = (value) => typeof value === "object" && value !== null && (value as { a?: unknown }).a === 1;

const bounds = { lower: number(), upper: number() };
/** Fields of a model's data, with the constraints on their numbers. */
export const dataFields: Table = {
  vector: { call: (o) => ergodic.vector("N", o), options: { ...bounds, integer: flag } },
  matrix: { call: (o) => ergodic.matrix("N", "K", o), options: { ...bounds, integer: flag } },
  integer: { call: ergodic.integer, options: bounds },
  real: { call: ergodic.real, options: { ...bounds, integer: flag } },
};

/** Options that forest(), extraTrees() and tree() share. */
const meanTrees: Declared["options"] = {
  depth: whole(1, 2 ** 32 - 1),
  minRows: whole(1, 2 ** 31),
  minGain: notNegative,
  bins: whole(2, 255),
  classWeights: either(group, isA),
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
  forest: { call: ergodic.forest as Declared["call"], options: { ...meanTrees, columns: above(0, 1), rows: above(0, 1) } },
  extraTrees: { call: ergodic.extraTrees as Declared["call"], options: { ...meanTrees, columns: above(0, 1) } },
  tree: { call: ergodic.tree as Declared["call"], options: { ...meanTrees, alpha: notNegative } },
  trees: {
    call: ergodic.trees as Declared["call"],
    options: {
      loss: none,
      rate: above(0, 1),
      leaves: whole(2, 65536),
      depth: whole(1, Number.MAX_SAFE_INTEGER),
      l1: notNegative,
      l2: notNegative,
      minGain: notNegative,
      minHessian: notNegative,
      minRows: whole(1, 2 ** 31),
      bins: whole(2, 255),
      rows: above(0, 1),
      columns: above(0, 1),
      monotone: either(group, isA),
      classWeights: either(group, isA),
    },
  },
  boltzmannMachine: {
    call: ergodic.boltzmannMachine,
    options: { hidden: count, steps: count, persistent: flag, l1: notNegative, l2: notNegative },
    base: Object.fromEntries(["steps", "persistent", "l1", "l2"].map((option) => [option, { hidden: 2 }])),
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
    options: { rule: made("a rule"), variance: made("variance reduction"), preconditioned: flag },
    base: { variance: { rule: ergodic.sgd() }, preconditioned: { rule: ergodic.lbfgs() } },
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
