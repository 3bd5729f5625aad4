import type { JsonObject, PredictionKind } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { checkBoolean, checkChoice, checkSignal, isList, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { laterRun } from "../../engine/loop/later-run.ts";
import type { PlanOptions } from "../../engine/loop/plan.ts";
import { pathNames } from "../../engine/loop/result-names.ts";
import type { Job, Run } from "../../engine/loop/run.ts";
import { later } from "../../engine/threads/later.ts";
import type { LinearModel } from "../models/linear/linear.ts";
import { checkFolds } from "./folds.ts";
import { checkDataset } from "./kinds/trainable.ts";
import type { LinearPath } from "./linear-path.ts";

/** Options of `fit.path`. */
export interface FitPathOptions extends Pick<PlanOptions, "workers" | "deterministic" | "seed" | "precision"> {
  /**
   * Maximum number of strengths λ, or a decreasing list of λ. All values of a list are used. With a number, λ starts at
   * the smallest value for which all coefficients are 0, and decreases geometrically. The path ends early when the
   * explained deviance exceeds 99.9 % or increases by less than 1e-5 of its value. Default 100.
   */
  lambdas?: number | ArrayLike<number>;
  /** Smallest λ relative to the largest, in (0, 1). Default 1e-4; 1e-2 if there are fewer rows than columns. */
  ratio?: number;
  /** a in λ (a ‖β‖₁ + (1 − a)/2 ‖β‖²), in (0, 1]. Default 1: the lasso. */
  l1Ratio?: number;
  /** Relative duality gap required of every solution, > 0. Default 1e-6. */
  tolerance?: number;
  /**
   * Number of folds of cross-validation, from 2 to the number of rows; 0 for none. Folds are solved to a tolerance of
   * about 1e-5. The effect of this tolerance on held-out errors is a small part of their standard error. Default 0.
   */
  folds?: number;
  /**
   * Rule for choosing λ: the λ with the least held-out error ("minimum"), or the largest λ whose error is within one
   * standard error of the least ("oneStandardError"). Default "minimum".
   */
  select?: "minimum" | "oneStandardError";
  /** Aborts the run. */
  signal?: AbortSignal;
}

const known = [
  ...(["lambdas", "ratio", "l1Ratio", "tolerance", "folds", "select", "signal"] as const),
  ...(["workers", "deterministic", "seed", "precision"] as const),
];
const WHERE = "fit.path";

/** Options with every default filled in, in the form that a checkpoint stores. */
export interface ResolvedPath {
  lambdas: number | number[];
  ratio: number;
  l1Ratio: number;
  tolerance: number;
  folds: number;
  select: NonNullable<FitPathOptions["select"]>;
}

function resolvePath(given: FitPathOptions, data: Dataset): ResolvedPath {
  checkKeys(WHERE, given, known);
  checkSignal(WHERE, given.signal);
  checkBoolean(WHERE, "deterministic", given.deterministic ?? false);
  const lambdas = given.lambdas ?? 100;
  if (typeof lambdas !== "number" && !isList(lambdas))
    refuse(WHERE, "lambdas", lambdas, "a number, or a falling list of numbers", "lambdas: 50");
  const options: ResolvedPath = {
    lambdas: typeof lambdas === "number" ? lambdas : Array.from(lambdas),
    ratio: given.ratio ?? (data.rowCount < data.columnCount ? 1e-2 : 1e-4),
    l1Ratio: given.l1Ratio ?? 1,
    tolerance: given.tolerance ?? 1e-6,
    folds: given.folds === undefined ? 0 : given.folds,
    select: given.select ?? "minimum",
  };
  checkLambdas(options.lambdas);
  if (typeof lambdas !== "number" && given.ratio !== undefined)
    throw new OptionError(WHERE, "both a list of lambdas and ratio were given; leave ratio out", "OPTION_CONFLICT");
  checkNumber(WHERE, "ratio", options.ratio, { low: 0, high: 1, open: true });
  checkNumber(WHERE, "l1Ratio", options.l1Ratio, { low: 0, high: 1, open: true });
  checkNumber(WHERE, "tolerance", options.tolerance, { low: 0, open: true });
  checkFolds(WHERE, options.folds, data.rowCount, true);
  checkChoice(WHERE, "select", options.select, ["minimum", "oneStandardError"]);
  if (given.select !== undefined && options.folds === 0)
    throw new OptionError(
      WHERE,
      "select needs folds: without cross-validation there are no errors to select by",
      "OPTION_MISSING",
    );
  return options;
}

function checkLambdas(lambdas: number | number[]): void {
  if (typeof lambdas === "number") {
    checkNumber(WHERE, "lambdas", lambdas, { low: 1, high: 1e6, integer: true });
    return;
  }
  if (lambdas.length === 0) throw new OptionError(WHERE, "lambdas is empty; give one number or more", "OPTION_RANGE");
  lambdas.forEach((lambda, k) => {
    checkNumber(WHERE, `lambdas[${k}]`, lambda, { low: 0, open: true });
    if (k > 0 && !(lambda < lambdas[k - 1]))
      throw new OptionError(
        WHERE,
        `lambdas[${k}] is ${lambda} after ${lambdas[k - 1]}, but lambdas must fall: each solution starts from the last; sort them`,
        "OPTION_RANGE",
      );
  });
}

function refuseOwnPenalty({ options }: LinearModel, l1Ratio: number): void {
  const { l1 = 0, l2 = 0, group, nonNegative } = options;
  const refuse = (message: string): never => {
    throw new CapabilityError(WHERE, message, "OPTION_CONFLICT");
  };
  if (l1 || l2) {
    const given = l1 ? `l1 is ${l1}` : `l2 is ${l2}`;
    refuse(`the model's ${given}, but a path sets the strengths itself; leave it out of linear(), and give l1Ratio here`);
  }
  if (!group) return;
  if (group.strength !== 1)
    refuse(`the model's group.strength is ${group.strength}, but a path sets the strengths itself; write strength: 1`);
  if (l1Ratio !== 1)
    refuse(`l1Ratio is ${l1Ratio}, but with groups the penalty is only λ Σ_g √|g| ‖β_g‖; leave out l1Ratio or the groups`);
  if (nonNegative) refuse("nonNegative and groups are given, but a path with groups cannot restrict signs; leave one out");
}

/** Returns all options from the JSON of a checkpoint. */
export function pathFromJson({ folds, select, ...kept }: JsonObject, data: Dataset): ResolvedPath {
  const crossed = folds === 0 ? {} : { folds, select };
  const given = typeof kept.lambdas === "number" ? kept : { ...kept, ratio: undefined };
  const options = resolvePath({ ...given, ...crossed } as FitPathOptions, data);
  return { ...options, ratio: Number(kept.ratio), select: select as ResolvedPath["select"] };
}

function start<K extends PredictionKind, Names extends string>(
  model: LinearModel<K>,
  data: Dataset<Names>,
  given: FitPathOptions = {},
): Run<LinearPath<K, Names>> {
  if (typeof model !== "object" || model === null || model.name !== "linear")
    refuse(WHERE, "the model", model, "a linear model", 'linear({ loss: "logistic" })');
  checkDataset(WHERE, "data", data, "a Dataset", "Dataset.fromArrays({ x, y }), or read a file with @ergodic/ingest");
  const options = resolvePath(given, data);
  refuseOwnPenalty(model, options.l1Ratio);
  const { workers, deterministic, seed, precision } = given;
  const plan = { workers, deterministic, seed, precision };
  return run(given.signal, ({ pathJob }) => pathJob(data, async () => ({ model: model as never, options, plan })));
}

/** Resumes from a checkpoint, bit for bit. `data` must be the same data as before. */
function resume<Names extends string>(
  from: string | Uint8Array | Blob,
  data: Dataset<Names>,
  options: { workers?: number; signal?: AbortSignal } = {},
): Run<LinearPath<PredictionKind, Names>> {
  checkKeys("fit.path.resume", options, ["workers", "signal"]);
  checkSignal("fit.path.resume", options.signal);
  const { workers, signal } = options;
  return run(signal, ({ keptRecipe, pathJob }) => pathJob(data, () => keptRecipe(from, data, workers)));
}

/** Loads the code of paths, which other fits do not need, and runs the job that it makes. */
function run<K extends PredictionKind, Names extends string>(
  signal: AbortSignal | undefined,
  make: (code: typeof import("./path-job.ts")) => Job<LinearPath<K, Names>>,
): Run<LinearPath<K, Names>> {
  const load = async (): Promise<Job<LinearPath<K, Names>>> => make(await later(() => import("./path-job.ts")));
  return laterRun(load, { signal, resultNames: pathNames() });
}

/**
 * Fits a linear model at decreasing strengths λ of its penalty λ (a ‖β‖₁ + (1 − a)/2 ‖β‖²). Each solution is certified
 * by its duality gap. For a model with groups (of strength 1), the penalty is λ Σ_g √|g| ‖β_g‖.
 *
 * lambdas: maximum number of λ (100), decreasing geometrically from the smallest λ for which all coefficients are 0 to
 * `ratio` times it (1e-4; 1e-2 with fewer rows than columns). The path ends early when the explained deviance exceeds
 * 99.9 % or increases by less than 1e-5 of its value. If a decreasing list is given, all its values are used.
 * l1Ratio: a (default 1, the lasso). tolerance: relative duality gap of every solution (1e-6).
 * folds: number of cross-validation folds. Rows are assigned at random by `seed`, with classes spread evenly, so that
 * each seed always gives the same folds. `workers` share the folds. `select`: the λ with the least held-out error, or
 * the largest λ whose error is within one standard error of the least ("oneStandardError").
 * The run can be awaited or iterated over its ticks. Errors are deviances, 2 × the excess of the mean loss over its
 * minimum for these targets: the mean squared error, the binomial deviance, …
 *
 * @throws OptionError, CapabilityError; the reason of an aborted `signal`
 */
export const path = Object.assign(start, { resume });
