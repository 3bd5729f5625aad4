/** Reads the options of `path` from the command line and converts them to the library's options. */
import type { Command } from "commander";
import type { FitPathOptions } from "ergodic/learning";
import type { ReadingOptions, SplitOptions } from "../data.ts";
import { UsageError } from "../errors.ts";
import { addKeepingOptions, type KeepingOptions } from "../keeping.ts";
import { given } from "./given.ts";
import { number, positive, upToOne, whole } from "./number.ts";
import { addDataOptions, type ModelOptions } from "./training.ts";

export interface PathOptions extends ReadingOptions, SplitOptions, ModelOptions, KeepingOptions {
  seed: number;
  lambdas?: number | number[];
  ratio?: number;
  l1Ratio?: number;
  tolerance?: number;
  folds?: number;
  select?: string;
  workers?: number;
  deterministic?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/**
 * Options that a checkpoint contains. Such options are refused with --resume and omitted from the printed resume
 * command.
 */
export const fixedByPathCheckpoint: readonly (keyof PathOptions)[] = [
  ...(["loss", "intercept", "nonNegative", "classWeights", "features", "standardise"] as const),
  ...(["lambdas", "ratio", "l1Ratio", "tolerance", "folds", "select", "deterministic"] as const),
];

export function addPathOptions(command: Command): Command {
  addDataOptions(command)
    .optionsGroup("Model:")
    .option("--loss <loss>", "squared, logistic, multinomial, huber:delta=2 …; default: according to the target")
    .option("--no-intercept", "omit the intercept")
    .option("--non-negative", "allow no negative coefficients")
    .option("--class-weights <weights>", "weights of the classes: balanced, or a=1,b=5")
    .option("--standardise", "scale columns to mean 0 and standard deviation 1; default: if their scales differ")
    .option("--no-standardise", "do not scale columns")
    .optionsGroup("Path:")
    .option("--lambdas <n>", "maximum number of penalty strengths, default 100; or a decreasing list: 1,0.1,0.01", lambdas)
    .option(
      "--ratio <share>",
      "smallest strength relative to the largest; default 1e-4, or 1e-2 for fewer rows than columns",
      upToOne,
    )
    .option("--l1-ratio <share>", "share of l1 in the penalty, the rest is l2; default 1: the lasso", upToOne)
    .option("--tolerance <gap>", "relative duality gap required of every solution; default 1e-6", positive)
    .option(
      "--folds <n>",
      "number of cross-validation folds, 0 for none; default 10, or one per row if there are fewer rows",
      folds,
    )
    .option("--select <how>", "choice of the strength by cross-validation error: minimum (the default) or one-standard-error")
    .optionsGroup("Plan:")
    .option("--workers <n>", "number of threads, which share the folds", whole(1, 1024))
    .option("--precision <type>", "number type of the data in memory: f32 or f64")
    .option("--seed <n>", "seed for all random choices", whole(0), 0)
    .option("--deterministic", "produce the same bytes on every machine")
    .optionsGroup("Results:")
    .option("--out <file>", "write the chosen model to this file, as safetensors");
  return addKeepingOptions(command).option("--json", "print the result as one JSON object").option("--quiet", "hide progress");
}

function lambdas(text: string): number | number[] {
  return text.includes(",") ? text.split(",").filter(Boolean).map(positive) : whole(1, 1e6)(text);
}

function folds(text: string): number {
  return number(text) === 0 ? 0 : whole(2)(text);
}

const selections: Readonly<Record<string, FitPathOptions["select"]>> = {
  minimum: "minimum",
  "one-standard-error": "oneStandardError",
};

/** Default number of cross-validation folds. A single row has no folds. */
const FOLDS = 10;
export const defaultFolds = (rowCount: number): number => (rowCount < 2 ? 0 : Math.min(FOLDS, rowCount));

export function fitPathOptions(options: PathOptions): FitPathOptions {
  const { lambdas, ratio, l1Ratio, tolerance, folds, select, workers, deterministic, seed } = options;
  if (select !== undefined && !Object.hasOwn(selections, select))
    throw new UsageError("--select", `"${select}" is not known (known: ${Object.keys(selections).join(", ")})`);
  return given({
    lambdas,
    ratio,
    l1Ratio,
    tolerance,
    folds,
    select: select === undefined ? undefined : selections[select],
    workers,
    deterministic,
    seed,
  });
}
