import { refuse } from "../../base/checks.ts";
import { CapabilityError, DataError } from "../../base/errors.ts";
import type { Json, JsonObject, Link } from "../../contract.ts";
import type { Dataset } from "../../data/dataset.ts";
import { datasetMark, isMarked } from "../../data/marks.ts";
import type { LinearPredictor } from "../linear.ts";
import type { AnyPredictor } from "../load.ts";
import { predictor } from "../load.ts";
import { decodeModel, encodeModel } from "../model-file.ts";
import type { NetworkPredictor } from "../network.ts";
import type { CalibratedModel } from "./description.ts";

/** What can be calibrated. */
export type RowPredictor = LinearPredictor | NetworkPredictor;

/** A model of rows, and what calibration must know of it. `where`: who complains. @throws OptionError; CapabilityError [MODEL_CAPABILITY] */
export function modelOf(where: string, model: RowPredictor): CalibratedModel {
  const { kind } = (model ?? {}) as Partial<AnyPredictor>;
  if (kind === "factorisation") {
    const message = "ratings of one user are not independent, and have no probabilities; give a linear model or a network";
    throw new CapabilityError(where, message, "MODEL_CAPABILITY");
  }
  if (kind !== "linear" && kind !== "network") refuse(where, "the model", model, "a trained model", "await fit(linear(), train)");
  const { task, classes, description } = model;
  if (description.link === "sign") {
    const message = `loss "${(description.loss as { name?: string }).name}" gives classes without probabilities; train with "logistic" or "multinomial"`;
    throw new CapabilityError(where, message, "MODEL_CAPABILITY");
  }
  return { task, classes, link: description.link as Link, outputs: description.outputs as number };
}

export interface HeldOut {
  /** float64[rows × outputs] */
  readonly z: Float64Array;
  /** Class indices, or numbers. */
  readonly targets: Float64Array;
}

/** z and targets of all rows. @throws OptionError, DataError */
export function heldOutRows(where: string, model: RowPredictor, data: Dataset): HeldOut {
  if (!isMarked(data, datasetMark)) refuse(where, "the held-out rows", data, "a Dataset", "data.split(0.8, { seed: 1 }).test");
  const targets = model.targets(data);
  const z = model.outputs(data);
  const outputs = z.length / targets.length;
  for (let i = 0; i < targets.length; i++) {
    if (!Number.isFinite(targets[i])) {
      const message = `row ${i + 1} of ${data.source} has no target; give rows whose target is known`;
      throw new DataError(where, message, "DATA_TARGET");
    }
    for (let k = i * outputs; k < (i + 1) * outputs; k++) {
      if (Number.isFinite(z[k])) continue;
      const message = `the model gives ${z[k]} for row ${i + 1} of ${data.source}, but finite numbers are wanted; mend the row or train the model anew`;
      throw new DataError(where, message, "DATA_VALUE");
    }
  }
  return { z, targets };
}

/** The calibration of a model's description. */
export const calibrationIn = (model: RowPredictor): JsonObject => (model.description.calibration ?? {}) as JsonObject;

/** The model anew with another calibration, as its file would be loaded. */
export async function withCalibration(where: string, model: RowPredictor, calibration: Json): Promise<RowPredictor> {
  const { metadata, tensors, describe } = decodeModel(model.toBytes(), where);
  return predictor<RowPredictor>(encodeModel(metadata.kind, { ...describe(), calibration }, tensors), { maxWork: Infinity });
}
