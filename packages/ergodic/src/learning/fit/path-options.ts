import type { JsonObject } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { checkBoolean, checkChoice, checkSignal, isList, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import type { PlanOptions } from "../../engine/loop/plan.ts";
import { checkFolds } from "./folds.ts";

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

export function resolvePath(given: FitPathOptions, data: Dataset): ResolvedPath {
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

/** Returns all options from the JSON of a checkpoint. */
export function pathFromJson({ folds, select, ...kept }: JsonObject, data: Dataset): ResolvedPath {
  const crossed = folds === 0 ? {} : { folds, select };
  const given = typeof kept.lambdas === "number" ? kept : { ...kept, ratio: undefined };
  const options = resolvePath({ ...given, ...crossed } as FitPathOptions, data);
  return { ...options, ratio: Number(kept.ratio), select: select as ResolvedPath["select"] };
}
