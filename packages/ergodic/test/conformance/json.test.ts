/**
 * `JSON.stringify` preserves the options of every described object: the matching `…FromJson` makes an object with the
 * same JSON. The tests cover every registry and use options other than the defaults where possible.
 */
import { describe, expect, it } from "vitest";
import { samplerRegistry } from "../../src/bayes/samplers/index.ts";
import { mul, square, sub } from "../../src/engine/compiler/index.ts";
import type { JsonObject } from "../../src/engine/contract/index.ts";
import * as schedules from "../../src/engine/optimise/schedules/index.ts";
import * as ergodic from "../../src/entries/everything.ts";
import { builtIn } from "../reference/built-in.ts";

type Described = { toJSON(): unknown };
const again = (thing: Described, from: (json: never) => unknown): void => {
  const text = JSON.stringify(thing);
  expect(Object.keys(JSON.parse(text)).length).toBeGreaterThan(0);
  const made = from(JSON.parse(text) as never);
  expect(JSON.stringify(made)).toBe(text);
  expect(made).toMatchObject({ toJSON: expect.any(Function) });
};

/** Names that a reader lists in its error for an unknown name. */
function knownTo(from: (json: never) => unknown, json: unknown): string[] {
  try {
    from(json as never);
  } catch (error) {
    return /\(known: (.*?)\)/
      .exec((error as Error).message)![1]
      .split(", ")
      .sort();
  }
  throw new Error("it knows the name");
}

/** Slightly larger numbers, if a factory accepts them. */
function varied(options: Readonly<Record<string, unknown>>, make: (options: never) => Described): Described {
  let taken: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== "number") continue;
    const other = Number.isInteger(value) && value > 0 ? value + 1 : value * 1.0625;
    try {
      make({ ...taken, [name]: other } as never);
      taken = { ...taken, [name]: other };
    } catch {
      // Out of range or meaningless together with the others.
    }
  }
  return make(taken as never);
}

describe("rules and their parts", () => {
  it.each(Object.entries(ergodic.ruleRegistry))("%s", (_, { make, convex }) => {
    again(make(), ergodic.ruleFromJson);
    again(make(convex), ergodic.ruleFromJson);
    again(varied(make().options, make as (options: never) => Described), ergodic.ruleFromJson);
  });

  it("preserves chains, and schedules in place of numbers", () => {
    const rate = ergodic.warmUp({ rate: ergodic.cosineDecay({ rate: 0.3, updates: 70 }), updates: 10 });
    again(ergodic.chain(ergodic.clipNorm({ norm: 2 }), ergodic.adam({ rate })), ergodic.ruleFromJson);
    expect(JSON.stringify(ergodic.adam({ rate }))).toContain('"updates":70');
  });

  it.each(Object.entries(schedules))("preserves the schedule %s", (_, make) => {
    again(varied(make().options, make as (options: never) => Described), ergodic.scheduleFromJson);
  });

  it.each([ergodic.svrg({ every: 3 }), ergodic.saga(), ergodic.sag()])("$name", (variance) => {
    again(variance, ergodic.varianceFromJson);
  });
});

describe("algorithms", () => {
  const algorithms = [
    ergodic.gradientDescent({ rule: ergodic.sgd({ rate: 0.2 }), variance: ergodic.svrg({ every: 2 }) }),
    ergodic.coordinateDescent({ pick: "random", step: "lipschitz", estimate: { rows: 7, rate: ergodic.stepDecay() } }),
    ergodic.coordinateDescent({ acceleration: "none", tolerance: 1e-3 }),
    ergodic.dualCoordinateDescent({ shrinking: false, tolerance: 1e-3 }),
    ergodic.newtonCholesky({ tolerance: 1e-3 }),
    ergodic.boosting(),
    ergodic.bagging(),
    ergodic.alternatingLeastSquares({ tolerance: 1e-3 }),
    ergodic.factorCoordinateDescent({ inner: 2, order: "rows" }),
  ];
  it.each(algorithms.map((algorithm) => ({ name: algorithm.name, algorithm })))("$name", ({ algorithm }) =>
    again(algorithm, ergodic.algorithmFromJson),
  );

  it("covers every algorithm", () => {
    expect([...new Set(algorithms.map((algorithm) => algorithm.toJSON().algorithm))].sort()).toEqual(
      knownTo(ergodic.algorithmFromJson, { algorithm: "luck" }),
    );
  });

  it.each(Object.entries(samplerRegistry))("preserves the sampler %s", (_, make) => {
    const options = make({}).toJSON();
    again(make({}), ergodic.samplerFromJson);
    again(varied(options, make), ergodic.samplerFromJson);
  });

  it("preserves nested samplers and samplers in blocks", () => {
    const inner = ergodic.hmc({ leapfrogs: 7 });
    again(ergodic.parallelTempering({ inner, temperatures: [1, 0.5] }), ergodic.samplerFromJson);
    const blocks = [
      { of: ["z"], by: ergodic.enumerate({ most: 9 }) },
      { of: ["theta"], by: inner, times: 3 },
    ];
    again(ergodic.gibbs(blocks), ergodic.samplerFromJson);
    expect(JSON.stringify(ergodic.nuts({ maxTreeDepth: 7 }))).toContain('"maxTreeDepth":7');
  });

  it.each(ergodic.inferenceNames())("preserves the inference algorithm %s", (name) => {
    again(ergodic.inferenceFromJson({ algorithm: name }), ergodic.inferenceFromJson);
  });

  it.each(Object.entries(ergodic.searchRegistry))("preserves the search %s", (_, { make }) => {
    again(make(), ergodic.searchFromJson);
    again(varied(make().options, make as (options: never) => Described), ergodic.searchFromJson);
  });
});

describe("user definitions", () => {
  it("preserves rules with schedules, and losses", () => {
    const facts = { summary: "steps of one size", source: "none" };
    const own = ergodic.rule("ownForJson", { rate: 0.1, often: true }, ({ g, rate }) => ({ step: mul(rate, g) }), facts);
    again(own({ rate: ergodic.stepDecay({ every: 7 }), often: false }), ergodic.ruleFromJson);
    again(ergodic.chain(ergodic.clipNorm(), own({ rate: 0.3 })), ergodic.ruleFromJson);
    const traits = { task: "regression", link: "identity" } as const;
    const squares = ergodic.loss("ownForJson", { scale: 1 }, ({ z, y, scale }) => mul(scale, square(sub(z, y))), traits);
    again(squares({ scale: 3 }), ergodic.lossFromJson);
    again(ergodic.linear({ loss: squares({ scale: 3 }) }), ergodic.modelFromJson);
  });
});

describe("models and their parts", () => {
  it.each(builtIn(ergodic.lossNames(), "Loss"))("preserves the loss %s", (name) => {
    const loss = ergodic.lossFromJson(name);
    again(loss, ergodic.lossFromJson as (json: never) => unknown);
    const make = (options: object): Described => ergodic.lossFromJson({ name, ...options } as JsonObject);
    again(varied(loss.options, make as (options: never) => Described), ergodic.lossFromJson as (json: never) => unknown);
  });

  it.each(Object.entries(ergodic.featureMaps))("preserves the feature map %s", (_, make) => {
    again(make({ count: 6, gamma: 0.5, seed: 3 }), ergodic.randomFeaturesFromJson);
  });

  const initialisers = {
    heNormal: ergodic.heNormal({ gain: 2 }),
    heUniform: ergodic.heUniform({ gain: 2 }),
    glorotNormal: ergodic.glorotNormal({ gain: 2 }),
    glorotUniform: ergodic.glorotUniform({ gain: 2 }),
    lecunNormal: ergodic.lecunNormal({ gain: 2 }),
    lecunUniform: ergodic.lecunUniform({ gain: 2 }),
    orthogonal: ergodic.orthogonalInitial({ gain: 2 }),
    zeros: ergodic.zeros(),
    ones: ergodic.ones(),
    constantInitial: ergodic.constantInitial({ value: 3 }),
    normalInitial: ergodic.normalInitial({ mean: 1, deviation: 2 }),
    uniformInitial: ergodic.uniformInitial({ low: 1, high: 2 }),
    // The initialiser is not exported, but files refer to it.
    blockConstants: ergodic.initialiserFromJson({ initialiser: "blockConstants", values: [0, 1] }),
  };
  it.each(Object.entries(initialisers))("preserves the initialiser %s", (_, initialiser) =>
    again(initialiser, ergodic.initialiserFromJson),
  );

  it("covers every initialiser", () => {
    expect(
      Object.values(initialisers)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(knownTo(ergodic.initialiserFromJson, { initialiser: "luck" }));
  });

  const layers = [
    ergodic.activation("gelu"),
    ergodic.averagePool(3, { stride: 2, padding: 1, countPadding: true }),
    ergodic.batchNorm({ momentum: 0.2, epsilon: 1e-4, affine: false }),
    ergodic.byImageSize({ small: ergodic.dense(2), large: ergodic.convolution(2), side: 4 }),
    ergodic.channelShuffle(2),
    ergodic.circulantConvolution(8, { block: 4, kernel: 5 }),
    ergodic.circulantDense(8, { block: 4, bias: false }),
    ergodic.concatenating([ergodic.relu(), ergodic.dense(3)]),
    ergodic.convolution(8, { groups: 2, kernel: [1, 3], dilation: 2 }),
    ergodic.dense(7, { bias: false, initial: ergodic.heUniform({ gain: 2 }), name: "own" }),
    ergodic.depthwise({ multiplier: 2 }),
    ergodic.dropout(0.3, { wholeChannels: true }),
    ergodic.embedding(9, 3, { initial: ergodic.ones() }),
    ergodic.flatten(),
    ergodic.frozen(ergodic.dense(2)),
    ergodic.globalAveragePool(),
    ergodic.grouped("head", ergodic.dense(2)),
    ergodic.gru(4, { sequence: true }),
    ergodic.halfOfChannels("second"),
    ergodic.layerNorm({ epsilon: 1e-4 }),
    ergodic.lstm(4),
    ergodic.maxPool(3),
    ergodic.noise(0.1),
    ergodic.randomCutout(3),
    ergodic.randomFlip({ axis: 1 }),
    ergodic.randomShift(3, { fill: "zero" }),
    ergodic.reshaped([-1, 2]),
    ergodic.residual(ergodic.dense(2), { shortcut: ergodic.dense(2) }),
    ergodic.sequential([ergodic.dense(2), ergodic.relu()]),
  ];
  it.each(layers.map((layer) => ({ kind: layer.kind, layer })))("preserves the layer $kind", ({ layer }) =>
    again(layer, ergodic.layerFromJson),
  );

  it("covers every kind of layer", () => {
    expect([...new Set(layers.map(({ kind }) => kind))].sort()).toEqual(builtIn(ergodic.layerKinds()).sort());
  });

  it.each([
    ergodic.linear({
      loss: ergodic.huberLoss({ delta: 2 }),
      l2: 0.1,
      features: ergodic.rff({ count: 8, seed: 2 }),
      classWeights: { a: 2 },
      group: { strength: 1, groups: [["a", "b"]] },
    }),
    ergodic.network([ergodic.dense(8), ergodic.relu(), ergodic.dense(3)], { loss: "multinomial", l1: 0.1, rates: { head: 2 } }),
    ergodic.trees({ leaves: 7, depth: 3, classWeights: { a: 2 } }),
    ergodic.forest({ columns: 0.5, rows: 0.8, depth: 3 }),
    ergodic.extraTrees({ minRows: 4, classWeights: "balanced" }),
    ergodic.tree({ alpha: 0.1, minGain: 1 }),
    ergodic.boltzmannMachine({ hidden: 3, persistent: true }),
    ergodic.factorisation({ rank: 5, l2: 0.3, biases: false }),
    ergodic.factorisation({ implicit: { alpha: 7 } }),
  ])("preserves the trainable model $name", (model) => {
    again(model, ergodic.modelFromJson);
    expect(ergodic.modelFromJson(JSON.parse(JSON.stringify(model)))).toMatchObject({ trainable: expect.any(Object) });
  });

  it("preserves a pipeline", () => {
    const { pipeline } = ergodic.Dataset.fromArrays({ x: [[1, 2]], y: [1], names: ["a", "b"] });
    again(pipeline, ergodic.Pipeline.fromJson);
  });
});

const unknown: [from: (json: never) => unknown, json: unknown, code: string][] = [
  [ergodic.modelFromJson, { model: "luck" }, "MODEL_KIND"],
  [ergodic.algorithmFromJson, { algorithm: "luck" }, "CHECKPOINT_FORMAT"],
  [ergodic.samplerFromJson, { algorithm: "luck" }, "SAMPLER_JSON"],
  [ergodic.inferenceFromJson, { algorithm: "luck" }, "INFERENCE_JSON"],
  [ergodic.learnerFromJson, { algorithm: "luck" }, "LEARNER_JSON"],
  [ergodic.factorGraphFromJson, { format: "luck" }, "JSON_TYPE"],
  [ergodic.searchFromJson, { search: "luck" }, "SEARCH_UNKNOWN"],
  [ergodic.ruleFromJson, { rule: "luck", options: {} }, "RULE_UNKNOWN"],
  [ergodic.scheduleFromJson, { schedule: "luck", options: {} }, "OPTION_UNKNOWN"],
  [ergodic.varianceFromJson, { name: "luck" }, "OPTION_UNKNOWN"],
  [ergodic.lossFromJson, { name: "luck" }, "LOSS_UNKNOWN"],
  [ergodic.layerFromJson, { layer: "luck" }, "LAYER_UNKNOWN"],
  [ergodic.initialiserFromJson, { initialiser: "luck" }, "OPTION_UNKNOWN"],
  [ergodic.randomFeaturesFromJson, { kind: "luck" }, "PIPELINE_STEP"],
];

it.each(unknown)("reports an unknown kind: %o", (from, json, code) => {
  expect(() => from(json as never)).toThrow(code);
});

const notJson: unknown[] = [null, undefined, 3, true, [], [null], {}, Symbol("s"), 10n, () => 1, { toString: null }];

it.each(unknown)("refuses values that are not JSON of its kind: %o", (from) => {
  for (const json of notJson) expect(() => from(json as never)).toThrow("JSON_TYPE");
});

it("refuses missing parts and invalid options", () => {
  expect(() => ergodic.ruleFromJson({ rule: "chain", parts: 5 } as never)).toThrow(
    /^ruleFromJson: parts is 5, but must be a list/,
  );
  expect(() => ergodic.modelFromJson({ model: "network" })).toThrow(
    /^layerFromJson: the JSON is undefined, but must be .*JSON_TYPE/,
  );
  for (const options of [null, 3, "", [], true])
    expect(() => ergodic.layerFromJson({ layer: "flatten", options } as never)).toThrow(/^layerFromJson: options .*JSON_TYPE/);
});

it("these tests cover every reader", () => {
  const readers = Object.entries(ergodic).flatMap(([name, value]) => (name.endsWith("FromJson") ? [value] : []));
  expect(new Set(unknown.map(([from]) => from))).toEqual(new Set(readers));
});
