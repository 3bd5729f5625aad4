/** Errors of a network: each names the place, the given value, the requirement and the remedy. */
import { describe, expect, it } from "vitest";
import { add, less, mean, mul, sub } from "../../../../src/engine/compiler/index.ts";
import {
  adam,
  batchNorm,
  coordinateDescent,
  Dataset,
  dense,
  dropout,
  type FitOptions,
  fit,
  frozen,
  grouped,
  type LayerLike,
  lbfgs,
  lstm,
  mlp,
  type NetworkOptions,
  network,
  relu,
  scheduleFreeAdam,
  sgd,
  stochasticLineSearch,
  strongWolfe,
  svrg,
} from "../../../../src/entries/everything.ts";
import { plantedRows } from "../../../engine/loop/planted.ts";

const x = Array.from({ length: 30 }, (_, i) => [(i % 7) - 3, (i % 5) - 2]);
const numbers = Dataset.fromArrays({ x, y: x.map(([a, b]) => a * b) });
const classes = Dataset.fromArrays({ x, y: x.map(([a]) => ["a", "b", "c"][(a + 3) % 3]) });
const sparse = plantedRows({ rows: 30, columns: 3, classes: 0, format: "sparse" }).data;

interface Refused {
  readonly name: string;
  readonly layers?: LayerLike[];
  readonly data?: Dataset;
  readonly options?: NetworkOptions;
  readonly run?: FitOptions;
  readonly message: RegExp;
}

const plain = [dense(4), relu(), dense(1)];
const randomly = [dense(4), dropout(0.5), dense(1)];
const fullGradient = { batch: "all" } as const;
const cases: Refused[] = [
  {
    name: "too many outputs",
    layers: [dense(5)],
    data: classes,
    message:
      /^network: the last layer gives \[5\] per row, but the target needs 3 outputs; end the network with dense\(3\), or give mlp\(\), cnn\(\) and other architectures outputs: 3 \[LAYER_SHAPE\]$/,
  },
  {
    name: "sparse data",
    data: sparse,
    message: /^network: the dataset is sparse, but the model takes dense rows; .* \[MODEL_DATA\]$/,
  },
  {
    name: "a model of 16 bits",
    run: { precision: { data: "i8", model: "i16" } },
    message: /^network: precision\.model is "i16", but the model is trained in floats; use precision: .* \[PLAN_MEANING\]$/,
  },
  {
    name: "batch norm on full gradients",
    layers: [dense(4), batchNorm(), dense(1)],
    run: fullGradient,
    message: /^network: batch is "all", but batch normalisation needs running statistics .*; give a number \[PLAN_MEANING\]$/,
  },
  {
    name: "batch norm on single rows",
    layers: [dense(4), batchNorm(), dense(1)],
    run: { batch: 1 },
    message: /batchNorm.*one value per channel has no variance; train with a batch of at least 2.*\[LAYER_SHAPE\]$/,
  },
  {
    name: "a loss for classes on decimals",
    data: Dataset.fromArrays({ x, y: x.map(([a, b]) => a * b + 0.5) }),
    options: { loss: "multinomial" },
    message:
      /^network: loss "multinomial" needs classes, but target "y" holds decimals such as [-0-9.]+; name a column of classes, or use loss: "squared" \[MODEL_TARGET\]$/,
  },
  {
    name: "weights of unknown classes",
    layers: [dense(3)],
    data: classes,
    options: { classWeights: { d: 2 } },
    message: /network\.classWeights: .*d.*\[OPTION_UNKNOWN\]$/,
  },
  {
    name: "rates of an unknown group",
    layers: [grouped("slow", dense(4)), dense(1)],
    options: { rates: { fast: 2 } },
    message:
      /^network\.rates: "fast" is not a group of parameters \(there are: slow\); mark the layers by grouped\("fast", layer\) \[OPTION_UNKNOWN\]$/,
  },
  {
    name: "rates without any group",
    options: { rates: { fast: 2 } },
    message: /"fast" is not a group of parameters \(there are none\)/,
  },
  {
    name: "rates for a line search on the objective",
    layers: [grouped("slow", dense(4)), dense(1)],
    options: { rates: { slow: 0.1 } },
    run: { rule: strongWolfe(), ...fullGradient },
    message:
      /^fit: strongWolfe searches for a step length along one direction.*; use adam\(\) or momentum\(\), or frozen\(layer\) .* \[RULE_RATES\]$/,
  },
  {
    name: "rates for a line search on minibatches",
    layers: [grouped("slow", dense(4)), dense(1)],
    options: { rates: { slow: 0.1 } },
    run: { rule: stochasticLineSearch() },
    message: /^fit: stochasticLineSearch searches for a step length along one direction.* \[RULE_RATES\]$/,
  },
  {
    name: "rates for a rule of two points",
    layers: [grouped("slow", dense(4)), dense(1)],
    options: { rates: { slow: 0.1 } },
    run: { rule: scheduleFreeAdam() },
    message: /^fit: scheduleFreeAdam moves two points at a time, .* \[RULE_RATES\]$/,
  },
  {
    name: "random layers in what a rule compares",
    layers: randomly,
    run: { rule: lbfgs() },
    message: /^fit: lbfgs compares values of one objective, but dropout, noise and augmentation change it .* \[RULE_RANDOM\]$/,
  },
  {
    name: "variance reduction",
    run: { rule: sgd(), variance: svrg(), batch: 4 },
    message:
      /^fit: svrg is only for linear models: a network would need a second backward pass per update; leave variance out \[VARIANCE_NEEDS_LINEAR\]$/,
  },
  {
    name: "coordinate descent",
    run: { algorithm: coordinateDescent() },
    message: /network.*\[MODEL_CAPABILITY\]$/,
  },
  {
    name: "a condition on a symbol",
    layers: [dense(4), (z) => ((z as unknown as number) > 0 ? z : mul(2, z)), dense(1)],
    message:
      /^function "1": trace: the symbolic array .* \[2, 4\] was used as a number .*, but it has no value while the program is traced; .* \[COMPILE_VALUE\]$/,
  },
  {
    name: "the truth of a comparison",
    layers: [dense(4), (z) => (less(z, 0) ? mul(2, z) : z), dense(1)],
    message:
      /trace: the result of less\(\) is not used; .*: write where\(condition, yes, no\).*errors\.test\.ts:\d+.*\[COMPILE_CONTROL_FLOW\]$/,
  },
  {
    name: "random numbers in predictions",
    layers: [(z, scope) => add(z, scope.uniform(z.shape)), dense(1)],
    message:
      /^network: a layer draws random numbers or mixes rows during prediction; do so only if scope\.training is true\. .* \[COMPILE_PLAN\]$/,
  },
  {
    name: "rows that depend on one another in predictions",
    layers: [(z) => sub(z, mean(z, { axis: 0 })), dense(1)],
    message: /^network: a layer draws random numbers or mixes rows during prediction; .* \[COMPILE_PLAN\]$/,
  },
  {
    name: "a factory whose call was forgotten",
    layers: [dense as unknown as LayerLike, dense(1)],
    message:
      /^network: part "0" is the function dense, .* dense: unknown option .* call it: write dense\(64\) or relu\(\) \[OPTION_UNKNOWN\]$/,
  },
  {
    name: "an architecture whose call was forgotten",
    layers: [mlp as unknown as LayerLike],
    message: /^network: part "0" is the function mlp, .* call it: write dense\(64\) or relu\(\) \[OPTION_UNKNOWN\]$/,
  },
  {
    name: "an architecture without an output layer",
    layers: [mlp([10])],
    data: classes,
    message: /the last layer gives \[10\] per row, but the target needs 3 outputs; .*give mlp\(\).* outputs: 3 \[LAYER_SHAPE\]$/,
  },
  {
    name: "rows of another make than layers take",
    layers: [lstm(3), dense(1)],
    message: /lstm.*\[LAYER_SHAPE\]$/,
  },
];

describe("errors of fit", () => {
  it.each(cases)("refuses $name", async ({ layers = plain, data = numbers, options = {}, run = {}, message }) => {
    const failed = await Promise.resolve(fit(network(layers, options), data, { epochs: 1, ...run })).then(
      () => "nothing was refused",
      (error: Error) => error.message,
    );
    expect(failed).toMatch(message);
  });
});

describe("errors of network", () => {
  // Called as from JavaScript, without types.
  const make = network as unknown as (...args: unknown[]) => unknown;
  it.each([
    [
      "no layers",
      ["relu"],
      /^network: the first argument is "relu", but must be a layer, a list of layers or a function .* \[OPTION_TYPE\]$/,
    ],
    [
      "a factory for a layer",
      [[dense(3), 7]],
      /^network: part 1 is 7, but must be a layer or a function .* write dense\(7\) for a dense layer of this width \[OPTION_RANGE\]$/,
    ],
    [
      "the name of a layer",
      [[dense(3), "relu"]],
      /^network: part 1 is "relu", .*; write the call that makes it, such as relu\(\) \[/,
    ],
    [
      "a list within a list",
      [[[dense(3)], dense(1)]],
      /^network: part 0 is an array of 1, .*; write its layers without the inner list/,
    ],
    ["layers as arguments", [dense(3), dense(1)], /^network: the second argument is a layer, .* write one list, network\(\[/],
    ["unknown options", [[dense(3)], { l3: 1 }], /^network: .*l3.*\[OPTION_UNKNOWN\]$/],
    ["an unknown loss", [[dense(3)], { loss: "mse" }], /^network: loss is "mse", but must be one of .* \[OPTION_UNKNOWN\]$/],
    ["a negative penalty", [[dense(3)], { l2: -1 }], /^network: l2 is -1, but must be .* \[OPTION_RANGE\]$/],
    ["a negative rate", [[dense(3)], { rates: { slow: -1 } }], /^network\.rates: slow is -1, but must be .* \[OPTION_RANGE\]$/],
  ])("refuses %s", (_, args, message) => {
    expect(() => make(...args)).toThrow(message);
  });
});

describe("unusual input that is accepted", () => {
  it.each<[string, LayerLike[], NetworkOptions, FitOptions]>([
    ["full gradients with dropout", randomly, {}, { rule: adam(), ...fullGradient, epochs: 2 }],
    ["line searches without anything random", plain, {}, { rule: lbfgs(), epochs: 3 }],
    ["line searches beside frozen layers", [frozen(dense(4)), dense(1)], {}, { rule: lbfgs(), epochs: 3 }],
    ["line searches on minibatches with dropout", randomly, {}, { rule: stochasticLineSearch(), epochs: 1 }],
  ])("accepts %s", async (_, layers, options, run) => {
    const model = await fit(network(layers, options), numbers, run);
    expect(Number.isFinite(model.evaluate(numbers).rmse)).toBe(true);
  });
});
