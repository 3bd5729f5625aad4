import type { JsonObject, PredictionKind } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { datasetMark, isMarked } from "../../engine/data/marks.ts";
import { refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, DataError } from "../../engine/errors/errors.ts";
import type { AnyPredictor } from "../any-predictor.ts";
import type { LinearPredictor } from "../linear.ts";
import { predictor } from "../load.ts";
import { decodeModel, encodeModel } from "../model-file.ts";
import type { NetworkPredictor } from "../network.ts";
import type { TreesPredictor } from "../trees/trees.ts";
import { type CalibratedModel, modelFacts, type RowPredictor, VERSION } from "./description.ts";

/** Type of a copy of a model. The copy has no training report. */
export type Copied<M extends RowPredictor> =
  M extends NetworkPredictor<infer K extends PredictionKind, infer N extends string>
    ? NetworkPredictor<K, N>
    : M extends LinearPredictor<infer K extends PredictionKind, infer N extends string>
      ? LinearPredictor<K, N>
      : M extends TreesPredictor<infer K extends PredictionKind, infer N extends string>
        ? TreesPredictor<K, N>
        : never;

/** @throws CapabilityError [MODEL_CAPABILITY] */
export function unable(where: string, problem: string): never {
  throw new CapabilityError(where, problem, "MODEL_CAPABILITY");
}

/** Returns the properties of a model that calibration needs. `where` names the caller in errors. */
export function modelOf(where: string, model: RowPredictor): CalibratedModel {
  const { kind } = (model ?? {}) as Partial<AnyPredictor>;
  if (kind === "factorisation") unable(where, "ratings are neither classes nor independent; give a linear model or a network");
  if (kind !== "linear" && kind !== "network" && kind !== "trees")
    refuse(where, "the model", model, "a trained model", "await fit(linear(), train)");
  const facts = modelFacts(model);
  if (facts.link === "sign") unable(where, 'the model\'s loss gives no probabilities; train with "logistic" or "multinomial"');
  return facts;
}

export interface HeldOut {
  /** float64[rows × outputs] */
  readonly z: Float64Array;
  /** Class indices, or numbers. */
  readonly targets: Float64Array;
}

/** Returns z and the targets of all rows, all finite. @throws OptionError, DataError */
export function heldOutRows(where: string, model: RowPredictor, data: Dataset): HeldOut {
  if (!isMarked(data, datasetMark)) refuse(where, "heldOut", data, "a Dataset", "data.split(0.8, { seed: 1 }).test");
  const [z, targets] = [model.outputs(data), model.targets(data)];
  const check = (values: Float64Array, each: number, what: string, remedy: string): void => {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at < 0) return;
    const message = `row ${Math.floor(at / each) + 1} of ${data.source} has ${values[at]} for ${what}; ${remedy}`;
    throw new DataError(where, message, "DATA_VALUE");
  };
  check(targets, 1, "a target", "give rows whose target is known");
  check(z, z.length / targets.length, "an output of the model", "drop the row, or train the model again");
  return { z, targets };
}

/** Returns the calibration in a model's description. */
export const calibrationIn = (model: RowPredictor): JsonObject => (model.description.calibration ?? {}) as JsonObject;

/** Returns a copy of the model with another calibration. The copy is made like a model that is loaded from a file. */
export function withCalibration<M extends RowPredictor>(where: string, model: M, parts: JsonObject): Promise<Copied<M>> {
  const { metadata, tensors, describe } = decodeModel(model.toBytes(), where);
  const description = { ...describe(), calibration: { version: VERSION, ...parts } };
  return predictor(encodeModel(metadata.kind, description, tensors), { maxWork: Infinity }) as Promise<Copied<M>>;
}
