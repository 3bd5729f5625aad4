import { checkChoice, holds, isList, isPlainObject } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError, ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { Estimate, LooResult } from "../../engine/statistics/index.ts";
import { pseudoBmaWeights, stackingWeights } from "../../engine/statistics/model-weights.ts";
import { total } from "../../engine/statistics/pointwise.ts";
import { aligned } from "./characters.ts";
import { Draws } from "./draws.ts";
import { ELPD_LEGEND, influential, observationsText, tenth } from "./loo-text.ts";
import type { PredictiveResult } from "./validation.ts";

/** Options of `compare`. */
export interface CompareOptions {
  /**
   * Name of the observed quantity on which the comparison is based, if the posteriors observe several quantities.
   * Default: the only one.
   */
  readonly of?: string;
  /** Whether each value is predicted from the earlier ones, as in `draws.loo`. Default false. */
  readonly oneStepAhead?: boolean;
  /**
   * Method for the model weights. "stacking" (default): the mixture of models that predicts best; "pseudoBma":
   * pseudo-BMA+, from elpd and a Bayesian bootstrap.
   */
  readonly weights?: "stacking" | "pseudoBma";
  /** Seed of the bootstrap. Default 0. */
  readonly seed?: number;
}

/** Result for one model in a comparison. */
export interface ComparedModel<Name extends string = string> {
  /** Name given to the model. */
  readonly name: Name;
  /** Expected log predictive density, in nats. */
  readonly elpd: Estimate;
  /** Difference between the elpd of this model and the elpd of the best model; at most 0. */
  readonly elpdDiff: number;
  /** Standard error of `elpdDiff`, computed from the pointwise differences; 0 for the best model. */
  readonly seDiff: number;
  /** Effective number of parameters. */
  readonly pLoo: Estimate;
  /** −2 elpd. */
  readonly looic: Estimate;
  /** Weight of the model in the mixture of all models. Weights sum to 1. */
  readonly weight: number;
  /** Indices of observations, counted from 0, with a Pareto k too high for a reliable elpd. */
  readonly influential: readonly number[];
}

/** Result of `compare`. */
export interface Comparison<Name extends string = string> {
  /** Models, best first. */
  readonly models: readonly ComparedModel<Name>[];
  /** Method that produced the weights. */
  readonly weights: "stacking" | "pseudoBma";
  /** Warnings in plain words. */
  readonly notes: readonly string[];
  /** Formats the table and the notes. */
  toString(): string;
}

/**
 * Thresholds for the notes. The first threshold is a difference of elpd in nats, below which two models predict about
 * equally well. The second threshold is a number of observations, below which the standard errors of differences are
 * too small. Source: Sivula et al. 2020.
 */
const [SMALL_DIFFERENCE, FEW_OBSERVATIONS] = [4, 100];

/**
 * Compares models by how well they predict each observation from the others (`draws.loo`), and computes model weights.
 * The method is the same as in loo_compare() of the R package loo.
 *
 * elpdDiff = Σ_i d_i, where d_i = elpd_i − elpd_i of the best model; seDiff = √(N·variance of d). All models must have
 * the same observations.
 *
 * Source: Vehtari, Gelman, Gabry 2017; weights: Yao, Vehtari, Simpson, Gelman 2018.
 *
 * @param models two or more posteriors, or results of `draws.loo`, by the names to show in the comparison
 * @param options observed quantity to compare on (`of`), method for the model weights (default stacking), seed
 * @throws OptionError for fewer than two models; DataError [DRAWS_OBSERVATIONS] if the models have different
 *   observations, [DATA_NOT_FINITE] if an elpd is not finite; all errors of `draws.loo`
 *
 * @example
 * ```ts
 * const comparison = compare({ line: byLine, curve: byCurve });   // posteriors, or results of loo()
 * console.log(`${comparison}`);
 * comparison.models[0].name;                                      // the best
 * ```
 */
export function compare<Name extends string>(
  models: Readonly<Record<Name, Draws | LooResult>>,
  options: CompareOptions = {},
): Comparison<Name> {
  checkKeys("compare", options, ["of", "oneStepAhead", "weights", "seed"]);
  const { weights = "stacking", seed = 0, of, oneStepAhead } = options;
  checkChoice("compare", "weights", weights, ["stacking", "pseudoBma"]);
  checkNumber("compare", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  const given = Object.entries<Draws | LooResult>(isPlainObject(models) ? models : {}) as [Name, Draws | LooResult][];
  if (given.length < 2)
    throw new OptionError(
      "compare",
      `there ${given.length === 1 ? "is one model" : "are no models"}, but at least two must be given by name; write compare({ line: byLine, curve: byCurve })`,
      "OPTION_LENGTH",
    );
  const judged = given.map(([name, model]) => ({ name, loo: looOf(name, model, { of, oneStepAhead }), data: observedOf(model) }));
  for (const other of judged.slice(1)) checkSame(judged[0], other);
  const points = judged.map(finiteElpd);
  const shares = weights === "stacking" ? stackingWeights(points) : pseudoBmaWeights(points, seed);
  // Models that predict equally well keep the order in which they were given.
  const order = [...judged.keys()].sort((a, b) => judged[b].loo.elpd.estimate - judged[a].loo.elpd.estimate);
  const best = points[order[0]];
  const rows = order.map((k): ComparedModel<Name> => {
    const { name, loo } = judged[k];
    const { estimate, se } = total(points[k].map((value, i) => value - best[i]));
    const { elpd, pLoo, looic } = loo;
    const first = k === order[0];
    return {
      name,
      elpd,
      elpdDiff: first ? 0 : estimate,
      seDiff: first ? 0 : se,
      pLoo,
      looic,
      weight: shares[k],
      influential: influential(loo),
    };
  });
  const notes = notesOf(rows, best.length);
  return printable({ models: rows, weights, notes }, () =>
    [table(rows), legend(weights), ...notes.map((note) => `- ${note}.`)].join("\n"),
  );
}

interface Judged {
  readonly name: string;
  readonly loo: LooResult & Partial<PredictiveResult<LooResult>>;
  /** Observed values by name; undefined if the model is not available. */
  readonly data: Readonly<Record<string, Float64Array>> | undefined;
}

function looOf(name: string, model: Draws | LooResult, { of, oneStepAhead }: CompareOptions): Judged["loo"] {
  if (isLoo(model)) return model;
  if (!(model instanceof Draws))
    throw new OptionError(
      "compare",
      `"${name}" is ${shown(model)}, but must be the draws of a model or a result of loo(); write compare({ ${name}: posterior })`,
      "OPTION_TYPE",
    );
  try {
    return model.loo(of, oneStepAhead === undefined ? {} : { oneStepAhead });
  } catch (error) {
    // loo() does not know the model's name, so the error is rethrown with the name.
    if (error instanceof ErgodicError) {
      const Kind = error.constructor as typeof ErgodicError;
      throw new Kind(`compare: "${name}"`, `${error.where}: ${error.said}`, error.code, { cause: error });
    }
    throw error;
  }
}

function isLoo(model: Draws | LooResult): model is LooResult {
  if (!holds(model, "pointwise")) return false;
  const { pointwise, ...sums } = model as LooResult;
  const areLists = holds(pointwise, "elpd") && isList(pointwise.elpd) && isList(pointwise.paretoK);
  return areLists && [sums.elpd, sums.pLoo, sums.looic].every((sum) => holds(sum, "estimate"));
}

/**
 * Returns the pointwise elpd. Checks all values, because results can come from any source, and a single NaN would make
 * every number of the table NaN.
 *
 * @throws DataError [DATA_NOT_FINITE]
 */
function finiteElpd({ name, loo }: Judged): Float64Array {
  const elpd = Float64Array.from(loo.pointwise.elpd);
  const i = elpd.findIndex((value) => !Number.isFinite(value));
  if (i < 0) return elpd;
  const message = `the elpd of "${name}" at observation ${i + 1} is ${elpd[i]}, but must be finite`;
  throw new DataError(
    "compare",
    `${message}; check the model at this observation, or omit the observation from all models`,
    "DATA_NOT_FINITE",
  );
}

const observedOf = (model: Draws | LooResult): Judged["data"] =>
  model instanceof Draws ? model.content.source?.observed() : undefined;

/** @throws DataError [DRAWS_OBSERVATIONS] */
function checkSame(first: Judged, other: Judged): void {
  const refuse = (what: string): never => {
    throw new DataError("compare", `${what}; compare models of the same observations`, "DRAWS_OBSERVATIONS");
  };
  const [a, b] = [first.loo, other.loo];
  const [n, m] = [a.pointwise.elpd.length, b.pointwise.elpd.length];
  if (n !== m) refuse(`"${other.name}" was judged on ${m} observations, but "${first.name}" on ${n}`);
  if (a.observed !== undefined && b.observed !== undefined && a.observed !== b.observed)
    refuse(`"${other.name}" predicts "${b.observed}", but "${first.name}" "${a.observed}"`);
  if (a.kind !== undefined && b.kind !== undefined && a.kind !== b.kind)
    refuse(`"${other.name}" was judged by ${b.kind} predictions, but "${first.name}" by ${a.kind} ones`);
  const [x, y] = [first, other].map(({ data, loo }) => (loo.observed === undefined ? undefined : data?.[loo.observed]));
  const differs = x && y ? x.findIndex((value, i) => value !== y[i]) : -1;
  if (differs >= 0)
    refuse(
      `"${a.observed}[${differs + 1}]" is ${y![differs]} in the data of "${other.name}", but ${x![differs]} in the data of "${first.name}"`,
    );
}

function notesOf(rows: readonly ComparedModel[], observations: number): string[] {
  const notes = rows
    .filter(({ influential: found }) => found.length > 0)
    .map(
      ({ name, influential: found }) =>
        `the elpd of "${name}" cannot be trusted: its Pareto k is too high at ${observationsText(found)}; look at ${found.length === 1 ? "it" : "them"}, or use a likelihood with heavier tails`,
    );
  const [best, ...others] = rows;
  const near = others.filter(({ elpdDiff }) => elpdDiff > -SMALL_DIFFERENCE).map(({ name }) => `"${name}"`);
  if (near.length > 0)
    notes.push(
      `${near.join(" and ")} ${near.length === 1 ? "predicts" : "predict"} about as well as "${best.name}": a difference below ${SMALL_DIFFERENCE} is small`,
    );
  else if (observations < FEW_OBSERVATIONS)
    notes.push(
      `with ${observations} observations, fewer than ${FEW_OBSERVATIONS}, the standard errors of differences may be too small`,
    );
  return notes;
}

/** Explains the columns in one line. */
function legend(weights: Comparison["weights"]): string {
  const of =
    weights === "stacking"
      ? "share in the mixture of models that predicts best"
      : "relative plausibility, from elpd and its error";
  return `${ELPD_LEGEND}; diff: elpd minus that of the best model; p loo: effective number of parameters; weight (${weights}): ${of}`;
}

function table(rows: readonly ComparedModel[]): string {
  const head = ["", "elpd", "se", "diff", "se diff", "p loo", "looic", "weight"];
  const body = rows.map(({ name, elpd, elpdDiff, seDiff, pLoo, looic, weight }) => [
    name,
    ...[elpd.estimate, elpd.se, elpdDiff, seDiff, pLoo.estimate, looic.estimate].map(tenth),
    weight.toFixed(2),
  ]);
  return aligned([head, ...body]);
}
