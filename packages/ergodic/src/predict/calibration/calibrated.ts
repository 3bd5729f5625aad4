import { checkChoice } from "../../base/checks.ts";
import { CapabilityError, checkKeys, DataError } from "../../base/errors.ts";
import type { JsonObject, PredictionKind } from "../../contract.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { LinearPredictor } from "../linear.ts";
import type { NetworkPredictor } from "../network.ts";
import { type CalibratedModel, type Curve, VERSION } from "./description.ts";
import { calibrationIn, type HeldOut, heldOutRows, modelOf, type RowPredictor, withCalibration } from "./held-out.ts";
import { isotonicCurve } from "./isotonic.ts";
import { logitsInto, logOddsInto } from "./probabilities.ts";
import { type NoTemperature, temperatureOf } from "./temperature.ts";

/** Options of `calibrated`. */
export interface CalibratedOptions {
  /**
   * "temperature" divides log probabilities by one number, so that no class changes; some tens of rows are enough. "isotonic" bends each class's
   * probability by a curve that does not fall, which mends more and wants a thousand rows or more. Default "temperature".
   */
  method?: "temperature" | "isotonic";
}

const WHERE = "calibrated";

/**
 * A copy of a classifier whose probabilities are what they say: of the rows that it gives 80 %, some 80 % are of that class.
 *
 *   const honest = await calibrated(model, heldOut);                        // p ∝ p^(1/T), the T of the least log loss
 *   const bent = await calibrated(model, heldOut, { method: "isotonic" });
 *   await honest.save("honest.safetensors");
 *
 * `heldOut`: rows that the model was not trained on, with their classes; their weights count. It is kept in the model's file, and fitted to the model's
 * own probabilities, even where these were calibrated before.
 *
 * temperature: p = softmax(ℓ/T), ℓ the log probabilities. Refused where no T is best.
 * isotonic: p_k = f_k(log odds of class k), f_k by pooling adjacent violators, then scaled to sum to 1; equal where all are 0. Of two classes there is one
 * curve. Each class must occur. Source: Guo et al. 2017; Zadrozny, Elkan 2002.
 *
 * @throws CapabilityError for models without probabilities, and for models with conformal sets, which are of the probabilities as they were;
 * DataError for rows that do not do, OptionError
 */
export function calibrated<K extends PredictionKind, N extends string>(
  model: LinearPredictor<K, N>,
  heldOut: Dataset,
  options?: CalibratedOptions,
): Promise<LinearPredictor<K, N>>;
export function calibrated<K extends PredictionKind, N extends string>(
  model: NetworkPredictor<K, N>,
  heldOut: Dataset,
  options?: CalibratedOptions,
): Promise<NetworkPredictor<K, N>>;
export function calibrated(model: RowPredictor, heldOut: Dataset, options?: CalibratedOptions): Promise<RowPredictor>;
export async function calibrated(model: RowPredictor, heldOut: Dataset, options: CalibratedOptions = {}): Promise<RowPredictor> {
  checkKeys(WHERE, options, ["method"]);
  const { method = "temperature" } = options;
  checkChoice(WHERE, "method", method, ["temperature", "isotonic"]);
  const facts = modelOf(WHERE, model);
  if (!facts.classes) {
    const message = `a model of task "${facts.task}" has no probabilities; conformal() gives it intervals`;
    throw new CapabilityError(WHERE, message, "MODEL_CAPABILITY");
  }
  if (calibrationIn(model).conformal !== undefined) {
    const message =
      "the model's conformal sets were fitted to its probabilities as they are; give the model as it was before conformal()";
    throw new CapabilityError(WHERE, message, "MODEL_CAPABILITY");
  }
  const rows = heldOutRows(WHERE, model, heldOut);
  const own = method === "temperature" ? byTemperature(facts, rows, heldOut) : byCurves(facts, rows, heldOut);
  const probabilities = { method, ...own, rows: heldOut.rowCount };
  return withCalibration(WHERE, model, { version: VERSION, probabilities });
}

/** ℓ of all rows. */
function logitsOf(facts: CalibratedModel, { z, targets }: HeldOut): Float64Array {
  const classes = facts.classes!.length;
  const all = new Float64Array(targets.length * classes);
  for (let i = 0; i < targets.length; i++) logitsInto(facts, z, i * facts.outputs, all.subarray(i * classes, (i + 1) * classes));
  return all;
}

const refusals: Readonly<Record<NoTemperature, string>> = {
  "all right":
    'the model is right in every held-out row, so that the loss falls with the temperature down to 0; give more rows, or use method: "isotonic"',
  "no better than chance":
    "the model is no better than chance on the held-out rows, so that the loss falls as the temperature grows without end; see that they are rows of the same kind, with the right target",
  "no differences":
    "the model gives all classes one probability in every held-out row, which no temperature changes; train it anew",
};

function byTemperature(facts: CalibratedModel, rows: HeldOut, { weights }: Dataset): JsonObject {
  const temperature = temperatureOf(logitsOf(facts, rows), rows.targets, weights, facts.classes!.length);
  if (typeof temperature === "number") return { temperature };
  throw new DataError(WHERE, refusals[temperature], "DATA_TARGET");
}

function byCurves(facts: CalibratedModel, rows: HeldOut, { weights, source }: Dataset): JsonObject {
  const { outputs } = facts;
  const { targets } = rows;
  const classes = facts.classes!;
  const odds = new Float64Array(targets.length * outputs);
  const l = logitsOf(facts, rows);
  for (let i = 0; i < targets.length; i++)
    logOddsInto(l.subarray(i * classes.length, (i + 1) * classes.length), odds.subarray(i * outputs, (i + 1) * outputs));
  const absent = classes.findIndex((_, k) => !targets.some((y, i) => y === k && (!weights || weights[i] > 0)));
  if (absent >= 0) {
    const message = `no held-out row of ${source} is of class "${classes[absent]}", whose probability would be 0 from now on; give rows of every class, or use method: "temperature"`;
    throw new DataError(WHERE, message, "DATA_TARGET");
  }
  const curves = Array.from({ length: outputs }, (_, k): Curve => {
    const own = outputs === 1 ? 1 : k;
    return isotonicCurve(
      targets.map((_, i) => odds[i * outputs + k]),
      targets.map((y) => Number(y === own)),
      weights,
    );
  });
  return { curves: curves as unknown as JsonObject[] };
}
