/**
 * Calibration in a model's description. Everything is checked before it is used:
 *
 *   { version: 1, probabilities?, conformal? }, at least one of the two
 *   probabilities   { method: "temperature", temperature, rows }, or
 *                   { method: "isotonic", curves, rows }: one curve for two classes with one output, else one per class
 *   conformal       { score, alpha, quantile, tie, seed, rows }; numbers have neither tie nor seed
 *
 * rows: number of rows that the calibration was fitted on.
 *
 * @throws DataError [MODEL_FORMAT]; [MODEL_VERSION] for a later version
 */

import type { Json, JsonObject, Link } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { checkedCount, checkedNumber, checkModel, isObject, shownJson } from "../check-model.ts";
import type { OutputFacts } from "../check-outputs.ts";
import type { LinearPredictor } from "../linear.ts";
import type { NetworkPredictor } from "../network.ts";
import type { TreesPredictor } from "../trees/trees.ts";
import { rankOf, type Score, scoresOf } from "./scores.ts";

/** Version that this library writes, and the latest that it can read. */
export const VERSION = 1;

/**
 * A non-decreasing function, linear between its points and constant outside them. `scores` are strictly ascending, and
 * `probabilities` never fall.
 */
export interface Curve {
  readonly scores: readonly number[];
  readonly probabilities: readonly number[];
}

export type Probabilities =
  | { readonly method: "temperature"; readonly temperature: number; readonly rows: number }
  | { readonly method: "isotonic"; readonly curves: readonly Curve[]; readonly rows: number };

export interface Conformal {
  readonly score: Score;
  /** Largest allowed share of rows whose set or interval does not contain the true value. */
  readonly alpha: number;
  /** Largest score in a set. */
  readonly quantile: number;
  /** A class whose score equals the quantile is in the set if the row's random number is at most `tie`. */
  readonly tie: number;
  /** Seed of the rows' random numbers. */
  readonly seed: number;
  readonly rows: number;
}

export interface CalibrationFacts {
  readonly probabilities?: Probabilities;
  readonly conformal?: Conformal;
}

/** Models that can be calibrated, with any kind of target. */
// biome-ignore lint/suspicious/noExplicitAny: no narrower type has models of every kind and any column names
export type RowPredictor = LinearPredictor<any, any> | NetworkPredictor<any, any> | TreesPredictor<any, any>;

/** Properties of a model that calibration needs. */
export type CalibratedModel = Pick<OutputFacts, "task" | "link" | "classes" | "outputs">;

export function modelFacts({ task, classes, description }: RowPredictor): CalibratedModel {
  return { task, classes, link: description.link as Link, outputs: description.outputs as number };
}

export function checkedCalibration(json: Json, model: CalibratedModel, where: string): CalibrationFacts {
  const held: JsonObject = isObject(json) ? json : {};
  const { version, probabilities, conformal } = held;
  if (Number.isSafeInteger(version) && (version as number) > VERSION) {
    const message = `has a calibration of version ${String(version)}, but this library reads up to ${VERSION}; update ergodic`;
    throw new DataError(where, message, "MODEL_VERSION");
  }
  const isOne = version === VERSION && (probabilities !== undefined || conformal !== undefined) && model.link !== "sign";
  checkModel(where, isOne, `has calibration ${shownJson(json)}, which is invalid for this model`);
  return {
    ...(probabilities === undefined ? {} : { probabilities: checkedProbabilities(probabilities, model, where) }),
    ...(conformal === undefined ? {} : { conformal: checkedConformal(conformal, model, where) }),
  };
}

function checkedProbabilities(json: Json, { classes, outputs }: CalibratedModel, where: string): Probabilities {
  checkModel(
    where,
    isObject(json) && classes,
    `has calibrated probabilities ${shownJson(json)}, which are invalid for this model`,
  );
  const { method, curves } = json;
  const rows = checkedCount(where, json, "rows", 1);
  if (method === "temperature") {
    const temperature = checkedNumber(where, json, "temperature", Number.MIN_VALUE);
    return { method, temperature, rows };
  }
  checkModel(where, method === "isotonic", `has calibration method ${shownJson(method)}, which is unknown`);
  const fits = Array.isArray(curves) && curves.length === outputs;
  checkModel(where, fits, `has calibration curves that are not a list of ${outputs}`);
  for (const curve of curves as Json[])
    checkModel(
      where,
      isCurve(curve),
      `has calibration curve ${shownJson(curve)}, but its scores must ascend and its probabilities must not fall`,
    );
  return { method, curves: curves as unknown as Curve[], rows };
}

function isCurve(json: Json): boolean {
  const { scores: x, probabilities: p } = isObject(json) ? json : ({} as JsonObject);
  if (!isAscending(x, (a, b) => a < b) || !isAscending(p, (a, b) => a <= b) || x.length !== p.length) return false;
  const last = x.length - 1;
  return Number.isFinite(x[last] - x[0]) && p[0] >= 0 && p[last] <= 1;
}

/** Whether the JSON is a non-empty list of finite numbers, in which `follows` holds for every two neighbours. */
function isAscending(json: Json | undefined, follows: (a: number, b: number) => boolean): json is number[] {
  if (!Array.isArray(json) || json.length === 0) return false;
  return (json as number[]).every((x, k, all) => Number.isFinite(x) && (k === 0 || follows(all[k - 1], x)));
}

function checkedConformal(json: Json, { classes }: CalibratedModel, where: string): Conformal {
  checkModel(where, isObject(json), `has conformal sets ${shownJson(json)}, which are invalid`);
  const known = scoresOf(classes !== undefined);
  const score = json.score as Score;
  checkModel(where, known.includes(score), `has conformal score ${shownJson(score)}, but ${known.join(" or ")} is wanted`);
  const number = (name: string, high: number): number => {
    const value = checkedNumber(where, json, name, 0);
    checkModel(where, value <= high, `has ${name} ${value}, but a number up to ${high} is wanted`);
    return value;
  };
  const alpha = number("alpha", 1);
  const rows = checkedCount(where, json, "rows", 1);
  // For alpha = 0 the rank would exceed the number of rows, and for alpha = 1 it would be 0.
  const rank = rankOf(rows, alpha);
  checkModel(where, rank >= 1 && rank <= rows, `has alpha ${alpha}, which is impossible with ${rows} rows`);
  const quantile = number("quantile", classes ? 1 : Number.MAX_VALUE);
  if (!classes) return { score, alpha, quantile, rows, tie: 1, seed: 0 };
  return { score, alpha, quantile, rows, tie: number("tie", 1), seed: checkedCount(where, json, "seed") };
}
