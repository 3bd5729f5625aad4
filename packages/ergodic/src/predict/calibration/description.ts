/**
 * What a model's description says of its calibration, all of it checked before anything is made of it:
 *
 *   { version: 1, probabilities?, conformal? }, at least one of the two
 *   probabilities   { method: "temperature", temperature, rows }, or
 *                   { method: "isotonic", curves, rows }: one curve for two classes, else one a class
 *   conformal       { score, alpha, quantile, tie, seed, rows }; numbers have neither tie nor seed
 *
 * rows: how many it was fitted on.
 *
 * @throws DataError [MODEL_FORMAT], [MODEL_VERSION] for one of a later version
 */
import { DataError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../contract.ts";
import { checkedCount, checkedNumber, checkModel, isObject, shownJson } from "../check-model.ts";
import type { OutputFacts } from "../check-outputs.ts";
import { rankOf, type Score, scoresOf } from "./scores.ts";

/** The version that this library writes, and the latest that it reads. */
export const VERSION = 1;

/** A monotone map, linear between its points and constant outside of them: `scores` ascend, `probabilities` do not fall. */
export interface Curve {
  readonly scores: readonly number[];
  readonly probabilities: readonly number[];
}

export type Probabilities =
  | { readonly method: "temperature"; readonly temperature: number; readonly rows: number }
  | { readonly method: "isotonic"; readonly curves: readonly Curve[]; readonly rows: number };

export interface Conformal {
  readonly score: Score;
  /** Share of rows whose truth may be missed. */
  readonly alpha: number;
  /** The largest score of what is in a set. */
  readonly quantile: number;
  /** Of rows with exactly that score, those with a number up to this. */
  readonly tie: number;
  /** Of the rows' numbers. */
  readonly seed: number;
  readonly rows: number;
}

export interface CalibrationFacts {
  readonly probabilities?: Probabilities;
  readonly conformal?: Conformal;
}

/** What is to be known of a model. */
export type CalibratedModel = Pick<OutputFacts, "task" | "link" | "classes" | "outputs">;

export function checkedCalibration(json: Json, model: CalibratedModel, where: string): CalibrationFacts {
  checkModel(where, isObject(json), `has calibration ${shownJson(json)}, which is none`);
  const { version, probabilities, conformal } = json;
  if (Number.isSafeInteger(version) && (version as number) > VERSION) {
    const message = `has a calibration of version ${String(version)}, but this library reads up to ${VERSION}; update ergodic`;
    throw new DataError(where, message, "MODEL_VERSION");
  }
  checkModel(where, version === VERSION, `has a calibration of version ${shownJson(version)}, which is none`);
  checkModel(where, probabilities !== undefined || conformal !== undefined, "has a calibration of nothing");
  checkModel(where, model.link !== "sign", "has a calibration, but no probabilities");
  return {
    ...(probabilities === undefined ? {} : { probabilities: checkedProbabilities(probabilities, model, where) }),
    ...(conformal === undefined ? {} : { conformal: checkedConformal(conformal, model, where) }),
  };
}

function checkedProbabilities(json: Json, { classes, outputs }: CalibratedModel, where: string): Probabilities {
  checkModel(where, isObject(json), `has calibrated probabilities ${shownJson(json)}, which are none`);
  checkModel(where, classes, "has calibrated probabilities, but no classes");
  const { method, curves } = json;
  const rows = checkedCount(where, json, "rows", 1);
  if (method === "temperature") {
    const temperature = checkedNumber(where, json, "temperature", 0);
    checkModel(where, temperature > 0, "has temperature 0, but a number above 0 is wanted");
    return { method, temperature, rows };
  }
  checkModel(where, method === "isotonic", `has probabilities calibrated by ${shownJson(method)}, which is no method`);
  const fits = Array.isArray(curves) && curves.length === outputs;
  checkModel(where, fits, `has calibration curves that are no list of ${outputs}`);
  return { method, curves: (curves as Json[]).map((curve) => checkedCurve(curve, where)), rows };
}

function checkedCurve(json: Json, where: string): Curve {
  const { scores, probabilities } = isObject(json) ? json : ({} as JsonObject);
  const areNumbers = [scores, probabilities].every((list) => Array.isArray(list) && list.every((x) => Number.isFinite(x)));
  checkModel(where, areNumbers, "has a calibration curve without numbers for scores and probabilities");
  const [x, p] = [scores as number[], probabilities as number[]];
  checkModel(where, x.length > 0 && x.length === p.length, `has ${x.length} scores and ${p.length} probabilities in a curve`);
  checkModel(
    where,
    x.every((_, k) => k === 0 || x[k - 1] < x[k]),
    "has a calibration curve whose scores do not ascend",
  );
  checkModel(where, Number.isFinite(x[x.length - 1] - x[0]), "has a calibration curve that is wider than numbers are large");
  checkModel(
    where,
    p.every((_, k) => k === 0 || p[k - 1] <= p[k]),
    "has a calibration curve whose probabilities fall",
  );
  checkModel(where, p[0] >= 0 && p[p.length - 1] <= 1, "has a calibration curve that leaves [0, 1]");
  return { scores: x, probabilities: p };
}

function checkedConformal(json: Json, { classes }: CalibratedModel, where: string): Conformal {
  checkModel(where, isObject(json), `has conformal sets ${shownJson(json)}, which are none`);
  const known = scoresOf(classes !== undefined);
  const score = json.score as Score;
  checkModel(where, known.includes(score), `has conformal score ${shownJson(score)}, but ${known.join(" or ")} is wanted`);
  const alpha = checkedNumber(where, json, "alpha", 0);
  checkModel(where, alpha > 0 && alpha < 1, `has alpha ${alpha}, but a number between 0 and 1 is wanted`);
  const rows = checkedCount(where, json, "rows", 1);
  checkModel(where, rankOf(rows, alpha) <= rows, `has sets of ${rows} rows, which are too few for alpha ${alpha}`);
  const quantile = checkedNumber(where, json, "quantile", 0);
  if (!classes) return { score, alpha, quantile, rows, tie: 1, seed: 0 };
  checkModel(where, quantile <= 1, `has quantile ${quantile}, but scores of classes are 1 at most`);
  const tie = checkedNumber(where, json, "tie", 0);
  checkModel(where, tie <= 1, `has tie ${tie}, but a number up to 1 is wanted`);
  const seed = checkedCount(where, json, "seed");
  checkModel(where, seed < 2 ** 32, `has seed ${seed}, but a whole number below 2^32 is wanted`);
  return { score, alpha, quantile, tie, seed, rows };
}
