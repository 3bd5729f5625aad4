/** The options of `path`: reads them from the command line and converts them to the library's options. */
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

/** Options that a checkpoint contains. They are refused with --resume and left out of the printed resume command. */
export const fixedByPathCheckpoint: readonly (keyof PathOptions)[] = [
  ...(["loss", "intercept", "nonNegative", "classWeights", "features", "standardise"] as const),
  ...(["lambdas", "ratio", "l1Ratio", "tolerance", "folds", "select", "deterministic"] as const),
];

export function addPathOptions(command: Command): Command {
  addDataOptions(command)
    .optionsGroup("Model:")
    .option("--loss <loss>", "squared, logistic, multinomial, huber:delta=2 …; default: by the target")
    .option("--no-intercept", "leave the constant out")
    .option("--non-negative", "no coefficient below 0")
    .option("--class-weights <weights>", "balanced, or a=1,b=5")
    .option("--standardise", "columns to mean 0 and sd 1; default: where their scales differ")
    .option("--no-standardise", "leave columns as they are")
    .optionsGroup("Path:")
    .option("--lambdas <n>", "how many strengths at most, 100 by default; or a list, falling: 1,0.1,0.01", lambdas)
    .option("--ratio <share>", "the last to the first; default 1e-4, 1e-2 for fewer rows than columns", upToOne)
    .option("--l1-ratio <share>", "of the penalty; 1, the default: the lasso", upToOne)
    .option("--tolerance <gap>", "relative duality gap of every solution; default 1e-6", positive)
    .option("--folds <n>", "of cross-validation; 0: none; default 10, or one for each row where there are fewer", folds)
    .option("--select <how>", "by its errors: minimum (the default), or one-standard-error")
    .optionsGroup("Plan:")
    .option("--workers <n>", "threads that share the folds", whole(1, 1024))
    .option("--precision <type>", "of the data in memory: f32 or f64")
    .option("--seed <n>", "of every random choice", whole(0), 0)
    .option("--deterministic", "the same bytes on any machine")
    .optionsGroup("Results:")
    .option("--out <file>", "the chosen model, as safetensors");
  return addKeepingOptions(command).option("--json", "one JSON object on standard output").option("--quiet", "no progress");
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

/** Default number of cross-validation folds; a single row has none. */
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
