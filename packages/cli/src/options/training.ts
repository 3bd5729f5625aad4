/**
 * Reads the options of `train`, except its data options, from the command line and converts them to the library's
 * options.
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
  l1?: number | "auto";
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

/**
 * Options that a checkpoint contains. Such options are refused with --resume and omitted from the printed resume
 * command.
 */
export const fixedByCheckpoint: readonly (keyof TrainOptions)[] = [
  ...(["model", "augment", "loss", "l1", "l2", "intercept", "nonNegative", "classWeights", "features", "standardise"] as const),
  ...(["algorithm", "rule", "rate", "variance"] as const),
  ...(["batch", "schedule", "replicas", "rows", "averageEvery", "deterministic", "from", "optimiser"] as const),
  ...(["folds", "group", "time"] as const),
];

/** Option that reads a target as the loss did, for a resumed run: a checkpoint contains the loss, but not the rows. */
export function impliedClasses(options: { classes?: boolean; loss?: string }): string[] {
  const loss = lossOf(options);
  if (options.classes !== undefined || loss === undefined) return [];
  return [loss.task === "binary" || loss.task === "multiclass" ? "--classes" : "--no-classes"];
}

/**
 * Adds options that name the columns of ratings. These options are not needed for a model of `recommend`, which knows
 * its columns.
 */
export function addRatingOptions(command: Command): Command {
  return command
    .optionsGroup("For a model written by recommend, if the columns have other names:")
    .option("--user <column>", "column of users")
    .option("--item <column>", "column of items");
}

/** Adds --unknown, for commands that can encounter category levels unknown to the model. */
export function addUnknownOption(command: Command, what = "category levels"): Command {
  return command.option(
    "--unknown <how>",
    `${what} not in the training data: zero (encoded as zeros and counted; the default) or refuse`,
    oneOf("zero", "refuse"),
  );
}

/** Description of --labels, for arrays whose labels are in a second file. */
export const labelsText = "file of labels for idx and npy; default: next to DATA, with MNIST's name, or y.npy for x.npy";

export function addDataOptions(command: Command): Command {
  return addUnknownOption(addFormatOptions(command).optionsGroup("Data:"))
    .option("--target <column>", "column to predict: a name, or a position from 0 (-1 is the last)")
    .option("--weights <column>", "column of row weights")
    .option("--offset <column>", "column added to each row's output before the link; for an exposure, use its logarithm")
    .option("--drop <columns>", "columns to omit, separated by commas")
    .option(
      "--impute <how>",
      "fill missing values: mean, median, mode or level (missing is a level); median,city=level: city by level, others by median",
      imputeOf,
    )
    .option("--indicator", "with --impute: add columns that are 1 where a number was missing")
    .option("--dates <columns>", "date columns to split into year, month, day, weekday and hour, separated by commas")
    .option("--hash <bits>", "hash all columns into 2^bits columns", whole(1, 30))
    .option("--dense", "store LIBSVM and VW rows with their zeros, as networks need them")
    .option(
      "--interactions <products>",
      "products of columns to add: age:work,age:hours; a category contributes one column per level",
    )
    .option("--degree <n>", "add powers of columns and all products of up to n columns", whole(1, 6))
    .option("--labels <file>", labelsText)
    .option("--row-shape <sizes>", "array shape of a row: 8x8x1 is height, width, channels")
    .option("--size <sizes>", "size to which images of a folder are stretched: 28x28 is height, width")
    .option("--channels <n>", "channels of these images: 1 for grey, 3 for colours", channels)
    .option("--classes", "treat a numeric target as classes; default: if it has exactly two distinct values, both whole numbers")
    .option("--no-classes", "treat a numeric target as numbers")
    .option("--test <file>", "file with rows to test on at the end")
    .option("--test-share <share>", "share of DATA to test on at the end", share);
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
      `${twice === "*" ? "Two methods apply to all columns" : `${JSON.stringify(twice)} is given twice`}; give one.`,
    );
  return Object.fromEntries(pairs) as Impute;
}

function channels(text: string): number {
  return Number(oneOf("1", "3")(text));
}

export function addTrainingOptions(command: Command): Command {
  addDataOptions(command)
    .option("--validate <file>", "file with rows for validation during training")
    .option("--validate-share <share>", "share of the training rows for validation", share)
    .optionsGroup("Model:")
    .option(
      "--model <name>",
      "linear, trees, forest, extraTrees, tree, mlp:256,128, cnn, mobilenet:0.25, …, or a file of layers such as net.mjs",
      "linear",
    )
    .option("--augment <changes>", "random changes to images during training: shift:1, flip, cutout:3, noise:0.1, joined by +")
    .option("--loss <loss>", "squared, logistic, hinge, huber:delta=2 …; default: according to the target")
    .option(
      "--l1 <strength>",
      "strength of the penalty on the absolute values of coefficients or weights; auto: chosen by held-out rows",
      strength,
    )
    .option(
      "--l2 <strength>",
      "strength of the penalty on squared coefficients or weights; auto: chosen by held-out rows (the default with a solver)",
      strength,
    )
    .option("--no-intercept", "linear: omit the intercept")
    .option("--non-negative", "linear: allow no negative coefficients; needs coordinate descent")
    .option("--class-weights <weights>", "weights of the classes: balanced, or a=1,b=5")
    .option(
      "--features <map>",
      "linear: random features of the rows: rff:2000 or rff:2000,gamma=…; also orthogonal, sorf, fastfood",
    )
    .option("--standardise", "scale columns to mean 0 and standard deviation 1; default: if their scales differ")
    .option("--no-standardise", "do not scale columns")
    .option("--from <file>", "start from a trained model or a checkpoint, which can be from other rows")
    .option(
      "--optimiser <state>",
      "optimiser state, such as moments, with --from a checkpoint: fresh (the default) or kept",
      oneOf("fresh", "kept"),
    )
    .optionsGroup("Steps:")
    .option(
      "--algorithm <algorithm>",
      "auto (chosen for the objective; the default for linear models), gradient, coordinate:pick=cyclic,tolerance=1e-9 …, newton, dual:tolerance=1e-8 …",
    )
    .option(
      "--rule <rule>",
      "step rule: adagrad, adam:beta1=0.8,rate=0.01 …; or a chain: clipNorm:norm=1+sgd (see ergodic rules)",
    )
    .option("--rate <rate>", "rate of the step rule: a number, or a schedule: cosineDecay:rate=0.1,updates=1000 …")
    .option("--variance <how>", "variance reduction: svrg, saga or sag")
    .option("--batch <rows>", "rows per update, or all", wordOr("all", 2 ** 31))
    .optionsGroup("Plan:")
    .option("--workers <n>", "number of threads", whole(1, 1024))
    .option("--replicas <n>", "shared: workers race on one model; n: this many copies are averaged", wordOr("shared", 65536))
    .option("--rows <how>", "rows that each replica sees: its own (sharded) or all (replicated)")
    .option("--average-every <epochs>", "epochs between averages of the replicas", positive)
    .option("--precision <type>", "number type: f32, f64, i16 or i8; or data:model, e.g. i8:i16")
    .option("--schedule <order>", "order of rows: shuffled, replacement, blocks or ordered")
    .option("--seed <n>", "seed for all random choices", whole(0), 0)
    .option("--deterministic", "produce the same bytes on every machine")
    .optionsGroup("Stopping:")
    .option(
      "--epochs <n>",
      "number of passes over the data; default 5, with full gradients 100; solvers stop when converged, at most 1000",
      positive,
    )
    .option("--updates <n>", "maximum number of updates", positive)
    .option("--seconds <n>", "maximum training time", positive)
    .option("--tolerance <share>", "stop when an epoch lowers the loss by less than this share", notNegative)
    .option("--patience <n>", "stop after n validations without a lower loss", whole(1))
    .option("--validate-every <epochs>", "epochs between validations", positive)
    .optionsGroup("Results:")
    .option("--out <file>", "write the trained model to this file, as safetensors");
  return addKeepingOptions(command).option("--json", "print the result as one JSON object").option("--quiet", "hide progress");
}

/** Returns the loss. With --no-classes, the default is the squared loss, which takes the numbers 0 and 1 as numbers. */
export function lossOf({ loss, classes }: Pick<ModelOptions, "loss"> & { classes?: boolean }): Loss | undefined {
  if (loss !== undefined) return parseLoss(loss);
  return classes === false ? parseLoss("squared") : undefined;
}

/**
 * With --standard-errors, solves a linear model in double precision and without a penalty, unless other options were
 * given.
 */
export function withStandardErrors<T extends TrainOptions>(options: T): T {
  if (!options.standardErrors || options.resume !== undefined) return options;
  if (isNetwork(options))
    throw new UsageError("--standard-errors", `applies only to linear models, but --model is ${options.model}; leave one out`);
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
      `both --algorithm ${text} and --${beside} were given, but ${beside === "variance" ? "variance reduction applies" : "step rules apply"} only to gradient descent; leave one out`,
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
