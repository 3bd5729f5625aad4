/**
 * The options of `train` other than its data options: reads them from the command line and converts them to the
 * library's options.
 */
import { type Command, InvalidArgumentError } from "commander";
import type { FitOptions } from "ergodic";
import type { Impute } from "ergodic/data";
import type { LinearOptions } from "ergodic/learning";
import type { Loss } from "ergodic/losses";
import type { ReadingOptions, SplitOptions } from "../data.ts";
import { UsageError } from "../errors.ts";
import { addKeepingOptions, type KeepingOptions } from "../keeping.ts";
import { given } from "./given.ts";
import { notNegative, oneOf, positive, share, whole, wordOr } from "./number.ts";
import { addFormatOptions } from "./reading.ts";
import { parseAlgorithm, parseClassWeights, parseFeatures, parseLoss, parseRule, parseVariance } from "./things.ts";

export interface ModelOptions {
  model?: string;
  augment?: string;
  loss?: string;
  l1?: number;
  l2?: number | "auto";
  intercept: boolean;
  nonNegative?: boolean;
  classWeights?: string;
  features?: string;
  standardise?: boolean;
  standardErrors?: boolean;
  seed: number;
}

export interface TrainOptions extends ReadingOptions, SplitOptions, ModelOptions, KeepingOptions {
  seed: number;
  algorithm?: string;
  rule?: string;
  rate?: string;
  variance?: string;
  batch?: number | "all";
  schedule?: string;
  workers?: number;
  replicas?: number | "shared";
  rows?: string;
  averageEvery?: number;
  deterministic?: boolean;
  epochs?: number;
  updates?: number;
  seconds?: number;
  tolerance?: number;
  patience?: number;
  validateEvery?: number;
  from?: string;
  optimiser?: string;
  folds?: number;
  group?: string;
  time?: string;
  json?: boolean;
  quiet?: boolean;
}

/** Options that a checkpoint contains. They are refused with --resume and left out of the printed resume command. */
export const fixedByCheckpoint: readonly (keyof TrainOptions)[] = [
  ...(["model", "augment", "loss", "l1", "l2", "intercept", "nonNegative", "classWeights", "features", "standardise"] as const),
  ...(["algorithm", "rule", "rate", "variance"] as const),
  ...(["batch", "schedule", "replicas", "rows", "averageEvery", "deterministic", "from", "optimiser"] as const),
];

/** Adds column options for a model of `recommend`, which otherwise knows its columns. */
export function addRatingOptions(command: Command): Command {
  return command
    .optionsGroup("For a model of recommend, where its columns have other names:")
    .option("--user <column>", "who")
    .option("--item <column>", "what");
}

/** Adds --unknown, for commands that can meet category levels unknown to the model. */
export function addUnknownOption(command: Command, what = "levels of categories"): Command {
  return command.option(
    "--unknown <how>",
    `${what} that training did not meet: zero (counted, the default), or refuse`,
    oneOf("zero", "refuse"),
  );
}

/** Description of --labels, for arrays whose labels are in a second file. */
export const labelsText = "of idx and npy; default: MNIST's name for them, or y.npy for x.npy, beside DATA";

export function addDataOptions(command: Command): Command {
  return addUnknownOption(addFormatOptions(command).optionsGroup("Data:"))
    .option("--target <column>", "what to predict: a name, or a position from 0 (-1 is the last)")
    .option("--weights <column>", "row weights")
    .option("--offset <column>", "added to each row's output, before the link; of an exposure take the logarithm")
    .option("--drop <columns>", "leave out, separated by commas")
    .option(
      "--impute <how>",
      "fill missing values: mean, median, mode, or level (missing as a level of its own); by column: median,city=level, where the first is of all others",
      imputeOf,
    )
    .option("--indicator", "with --impute: columns that are 1 where a number was missing")
    .option("--dates <columns>", "columns of dates, to split into year, month, day, weekday and hour, separated by commas")
    .option("--hash <bits>", "hash all columns into 2^bits", whole(1, 30))
    .option("--dense", "store rows of LIBSVM and VW with their zeros, as networks take them")
    .option("--interactions <products>", "add products of columns: age:work,age:hours; a category is taken by its levels")
    .option("--degree <n>", "add powers, and all products of up to n columns", whole(1, 6))
    .option("--labels <file>", labelsText)
    .option("--row-shape <sizes>", "what a row is an array of: 8x8x1 is height, width, channels")
    .option("--size <sizes>", "what images of a folder are brought to: 28x28 is height, width")
    .option("--channels <n>", "of these images: 1 for grey, 3 for colours", channels)
    .option("--classes", "take a target of numbers as classes; default: where it has two whole values alone")
    .option("--no-classes", "take it as numbers")
    .option("--test <file>", "rows to test on at the end")
    .option("--test-share <share>", "the same, as a share of DATA", share);
}

function strength(text: string): number | "auto" {
  if (text === "auto") return text;
  try {
    return notNegative(text);
  } catch {
    throw new InvalidArgumentError("It must be a number >= 0, or auto.");
  }
}

const methods: readonly string[] = ["mean", "median", "mode", "level"];

/** median → "median"; median,city=level → { "*": "median", city: "level" }. */
function imputeOf(text: string): Impute {
  if (methods.includes(text)) return text as Impute;
  const pairs = text.split(",").map((part): [string, string] => {
    const at = part.lastIndexOf("=");
    const pair: [string, string] = at < 0 ? ["*", part] : [part.slice(0, at), part.slice(at + 1)];
    if (pair[0] !== "" && methods.includes(pair[1])) return pair;
    throw new InvalidArgumentError(
      `${JSON.stringify(part)} must be mean, median, mode or level, or column=one of these, like city=level.`,
    );
  });
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new InvalidArgumentError(
      `${twice === "*" ? "Two methods are of all columns" : `${JSON.stringify(twice)} is there twice`}; give one.`,
    );
  return Object.fromEntries(pairs) as Impute;
}

function channels(text: string): number {
  return Number(oneOf("1", "3")(text));
}

export function addTrainingOptions(command: Command): Command {
  addDataOptions(command)
    .option("--validate <file>", "rows to watch while training")
    .option("--validate-share <share>", "the same, as a share of the training rows", share)
    .optionsGroup("Model:")
    .option("--model <name>", "linear, mlp:256,128, cnn, mobilenet:0.25, …, or a file of layers, net.mjs", "linear")
    .option("--augment <changes>", "of images, at random while training: shift:1, flip, cutout:3, noise:0.1, joined by +")
    .option("--loss <loss>", "squared, logistic, hinge, huber:delta=2 …; default: by the target")
    .option("--l1 <strength>", "penalty on the coefficients' or weights' sizes", notNegative)
    .option(
      "--l2 <strength>",
      "penalty on their squares, or auto: by held-out rows (the default where a solver solves)",
      strength,
    )
    .option("--no-intercept", "linear: leave the constant out")
    .option("--non-negative", "linear: no coefficient below 0; for coordinate descent")
    .option("--class-weights <weights>", "balanced, or a=1,b=5")
    .option("--features <map>", "linear: random features in front: rff:2000, orthogonal:, sorf:, fastfood:; gamma=…")
    .option("--standardise", "columns to mean 0 and sd 1; default: where their scales differ")
    .option("--no-standardise", "leave columns as they are")
    .option("--from <file>", "begin at a trained model, or at a run's checkpoint, which may be of other rows")
    .option("--optimiser <state>", "with a checkpoint: fresh (the default), or kept: moments go on", oneOf("fresh", "kept"))
    .optionsGroup("Steps:")
    .option(
      "--algorithm <algorithm>",
      "auto (what solves the objective, the default of linear models), gradient, coordinate:pick=cyclic,tolerance=1e-9 …, newton, dual:tolerance=1e-8 …",
    )
    .option("--rule <rule>", "adagrad, adam:beta1=0.8,rate=0.01 …; chains: clipNorm:norm=1+sgd (see ergodic rules)")
    .option("--rate <rate>", "the rule's rate: a number, or cosineDecay:rate=0.1,updates=1000 …")
    .option("--variance <how>", "svrg, saga or sag")
    .option("--batch <rows>", "rows an update, or all", wordOr("all", 2 ** 31))
    .optionsGroup("Plan:")
    .option("--workers <n>", "threads", whole(1, 1024))
    .option("--replicas <n>", "shared: workers race on one model; n: that many copies, averaged", wordOr("shared", 65536))
    .option("--rows <how>", "sharded or replicated: what each replica sees")
    .option("--average-every <epochs>", "how often replicas are averaged", positive)
    .option("--precision <type>", "f32, f64, i16, i8; data:model, e.g. i8:i16")
    .option("--schedule <order>", "shuffled, replacement, blocks or ordered")
    .option("--seed <n>", "of every random choice", whole(0), 0)
    .option("--deterministic", "the same bytes on any machine")
    .optionsGroup("Stopping:")
    .option("--epochs <n>", "passes over the data; default 5, on full gradients 100, or up to 1000 until converged", positive)
    .option("--updates <n>", "at most so many updates", positive)
    .option("--seconds <n>", "at most so long", positive)
    .option("--tolerance <share>", "until an epoch lowers the loss by less", notNegative)
    .option("--patience <n>", "until n validations bring no lower loss", whole(1))
    .option("--validate-every <epochs>", "how often to validate", positive)
    .optionsGroup("Results:")
    .option("--out <file>", "the trained model, as safetensors");
  return addKeepingOptions(command).option("--json", "one JSON object on standard output").option("--quiet", "no progress");
}

export function lossOf(options: ModelOptions): Loss | undefined {
  return options.loss === undefined ? undefined : parseLoss(options.loss);
}

/**
 * With --standard-errors, solves a linear model in double precision and without a penalty, unless other options were
 * given.
 */
export function withStandardErrors<T extends TrainOptions>(options: T): T {
  if (!options.standardErrors || options.resume !== undefined) return options;
  if (isNetwork(options))
    throw new UsageError("--standard-errors", `is of linear models, but --model is ${options.model}; leave one out`);
  for (const [flag, value] of [
    ["--l1", options.l1],
    ["--l2", options.l2],
  ] as const)
    if (value)
      throw new UsageError("--standard-errors", `a penalty biases the coefficients, but ${flag} is ${value}; leave one out`);
  const stepped = options.algorithm ?? options.rule ?? options.rate ?? options.variance ?? options.batch ?? options.from;
  return { ...options, l2: 0, ...(stepped === undefined ? { algorithm: "newton" } : {}), precision: options.precision ?? "f64" };
}

export function isNetwork({ model }: { model?: string }): boolean {
  return (model ?? "linear") !== "linear";
}

/** Default rule. */
export function usualRule({ model, variance }: { model?: string; variance?: string }): string {
  if (variance !== undefined) return "sgd";
  return isNetwork({ model }) ? "adam" : "adagrad";
}

/** Options of a linear model. */
export function modelOptions(options: ModelOptions): LinearOptions {
  const { l1, l2, intercept, nonNegative, classWeights, features, standardise, seed } = options;
  return given({
    loss: lossOf(options),
    l1,
    l2,
    intercept: intercept ? undefined : false,
    nonNegative,
    classWeights: classWeights === undefined ? undefined : parseClassWeights(classWeights),
    features: features === undefined ? undefined : parseFeatures(features, seed),
    standardise,
  });
}

export function fitOptions(options: TrainOptions): FitOptions {
  const { variance, rule, rate, batch, workers, replicas, averageEvery, deterministic, precision, schedule, seed } = options;
  return given({
    ...watchOptions(options),
    algorithm: algorithmOf(options),
    rule: parseRule(rule, rate, usualRule(options)),
    variance: variance === undefined ? undefined : parseVariance(variance),
    batch,
    workers,
    replicas,
    data: options.rows as FitOptions["data"],
    averageEvery,
    deterministic,
    precision: precision === undefined ? undefined : parsePrecision(precision),
    schedule: schedule as FitOptions["schedule"],
    seed,
    from: options.from,
    optimiser: options.optimiser as FitOptions["optimiser"],
  });
}

/** Returns undefined for the default algorithm. Rules have their own options. */
function algorithmOf({ algorithm: text, rule, rate, variance }: TrainOptions): FitOptions["algorithm"] {
  const algorithm = text === undefined ? undefined : parseAlgorithm(text);
  const beside = Object.entries({ rule, rate, variance }).find(([, value]) => value !== undefined)?.[0];
  if (algorithm && algorithm !== "gradient" && beside)
    throw new UsageError(
      "train",
      `both --algorithm ${text} and --${beside} were given, but ${beside === "variance" ? "variance reduction is" : "step rules are"} of gradient descent; leave one out`,
    );
  return algorithm;
}

/** Options for stopping and validation, which a resumed run can change too. */
export function watchOptions({ epochs, updates, seconds, tolerance, patience, validateEvery, workers }: TrainOptions) {
  const until = given({ epochs, updates, seconds, tolerance });
  return given({ until: Object.keys(until).length > 0 ? until : undefined, patience, validateEvery, workers });
}

function parsePrecision(text: string): FitOptions["precision"] {
  const [data, model] = text.split(":");
  return (model === undefined ? data : { data, model }) as FitOptions["precision"];
}
