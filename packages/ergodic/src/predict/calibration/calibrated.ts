import type { JsonObject } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { checkChoice } from "../../engine/errors/checks.ts";
import { checkKeys, DataError } from "../../engine/errors/errors.ts";
import type { CalibratedModel, Curve, RowPredictor } from "./description.ts";
import { type Copied, calibrationIn, type HeldOut, heldOutRows, modelOf, unable, withCalibration } from "./held-out.ts";
import { isotonicCurve } from "./isotonic.ts";
import { logitsInto, logOddsInto } from "./probabilities.ts";
import { type NoTemperature, temperatureOf } from "./temperature.ts";

/** Options of `calibrated`. */
export interface CalibratedOptions {
  /**
   * Calibration method. "temperature" fits one number, does not change the predicted classes, and works with a few
   * dozen rows. "isotonic" fits a curve per class and needs a thousand rows or more. Default "temperature".
   */
  method?: "temperature" | "isotonic";
}

const WHERE = "calibrated";

/**
 * Returns a copy of a classifier with calibrated probabilities. If it predicts a class with a probability of 80 % for
 * many rows, about 80 % of these rows belong to that class.
 *
 * `heldOut` contains rows that training has not seen, with their classes. Row weights are taken into account. An
 * existing calibration of the model is replaced.
 * temperature: p = softmax(ℓ/T), where ℓ are the log probabilities and T has the smallest log loss. Source: Guo et al.
 * 2017.
 * isotonic: p_k = f_k(log odds of class k), scaled to sum to 1. The curves f_k are fitted by pooling adjacent
 * violators. Two classes share a single curve. All classes get equal probabilities if every f_k is 0. Source: Zadrozny,
 * Elkan 2002.
 *
 * @throws CapabilityError for models without probabilities, or with conformal sets; DataError if no T is best, or a
 * class does not occur
 *
 * @example
 * ```ts
 * const honest = await calibrated(model, heldOut, { method: "isotonic" });
 * await honest.save("honest.safetensors");
 * ```
 */
export async function calibrated<M extends RowPredictor>(
  model: M,
  heldOut: Dataset,
  options: CalibratedOptions = {},
): Promise<Copied<M>> {
  checkKeys(WHERE, options, ["method"]);
  const { method = "temperature" } = options;
  checkChoice(WHERE, "method", method, ["temperature", "isotonic"]);
  const facts = modelOf(WHERE, model);
  if (!facts.classes) unable(WHERE, "the model predicts numbers, which have no probabilities; conformal() gives it intervals");
  if (calibrationIn(model).conformal !== undefined)
    unable(WHERE, "the model's sets depend on its present probabilities; give the model from before conformal()");
  const rows = heldOutRows(WHERE, model, heldOut);
  const own = method === "temperature" ? byTemperature(facts, rows, heldOut) : byCurves(facts, rows, heldOut);
  return withCalibration(WHERE, model, { probabilities: { method, ...own, rows: heldOut.rowCount } });
}

/** ℓ of all rows, and one view of it per row. */
function logitsOf(facts: CalibratedModel, { z, targets }: HeldOut): { all: Float64Array; of: (i: number) => Float64Array } {
  const classes = facts.classes!.length;
  const all = new Float64Array(targets.length * classes);
  const of = (i: number): Float64Array => all.subarray(i * classes, (i + 1) * classes);
  for (let i = 0; i < targets.length; i++) logitsInto(facts, z, i * facts.outputs, of(i));
  return { all, of };
}

const refusals: Readonly<Record<NoTemperature, string>> = {
  right: 'the model is right in all rows, so that no temperature is low enough; give more rows, or use method: "isotonic"',
  chance: "the model is no better than chance, so that no temperature is high enough; check that the rows have the right target",
  flat: "the model gives all classes the same probability in all rows, which no temperature changes; train it again",
};

function byTemperature(facts: CalibratedModel, rows: HeldOut, { weights }: Dataset): JsonObject {
  const temperature = temperatureOf(logitsOf(facts, rows).all, rows.targets, weights, facts.classes!.length);
  if (typeof temperature === "number") return { temperature };
  throw new DataError(WHERE, refusals[temperature], "DATA_TARGET");
}

function byCurves(facts: CalibratedModel, rows: HeldOut, { weights, source }: Dataset): JsonObject {
  const { outputs } = facts;
  const { targets } = rows;
  const odds = new Float64Array(targets.length * outputs);
  const { of } = logitsOf(facts, rows);
  for (let i = 0; i < targets.length; i++) logOddsInto(of(i), odds.subarray(i * outputs, (i + 1) * outputs));
  const absent = facts.classes!.find((_, k) => !targets.some((y, i) => y === k && weights?.[i] !== 0));
  if (absent !== undefined) {
    const message = `no row of ${source} has class "${absent}", so its probability would be 0; give rows of every class`;
    throw new DataError(WHERE, message, "DATA_TARGET");
  }
  const curves = Array.from({ length: outputs }, (_, k): Curve => {
    const truth = targets.map((y) => Number(y === (outputs === 1 ? 1 : k)));
    return isotonicCurve(
      targets.map((_, i) => odds[i * outputs + k]),
      truth,
      weights,
    );
  });
  return { curves: curves as unknown as JsonObject[] };
}
