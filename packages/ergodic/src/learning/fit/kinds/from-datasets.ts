import type { JsonObject, Model } from "../../../engine/contract/index.ts";
import { type Dataset, refuseGaps } from "../../../engine/data/dataset.ts";
import { datasetDigest } from "../../../engine/data/digest.ts";
import type { OutputPredictor } from "../../../predict/output-predictor.ts";
import { withMeantTarget } from "../../models/choose-loss.ts";
import type { Loss } from "../../models/loss.ts";
import { checkDataset, DIGEST, type Trainable } from "./trainable.ts";

type Shared = "checkData" | "typeOf" | "meant" | "ofWeight" | "fingerprint" | "olderFingerprint" | "size" | "follow";

/** The parts of an adapter that all models of datasets share. */
export const fromDatasets: Pick<Trainable<Dataset, object>, Shared> = {
  checkData: checkDataset,
  typeOf: (data) => data.type,
  meant(data, model) {
    refuseGaps(model.name, data);
    return withMeantTarget(model.name, givenLoss(model), data);
  },
  ofWeight: (data) => data.ofWeight(),
  fingerprint,
  olderFingerprint,
  size: ({ rowCount, columnCount, classes }) =>
    `${String(rowCount)} rows of ${String(columnCount)} columns${classes ? ` and ${String(classes)} classes` : ""}`,
  follow(heldOut, prepared) {
    const dataset = heldOut.follow(prepared.pipeline);
    const dispose = (): void => {
      if (dataset !== heldOut) dataset.dispose();
    };
    return { dataset, dispose, [Symbol.dispose]: dispose };
  },
};

/** Returns the loss that the user gave to a model of datasets. */
export const givenLoss = (model: Model<Dataset>): string | Loss | undefined =>
  (model as { options?: { loss?: string | Loss } }).options?.loss;

/**
 * Returns metrics on held-out rows. `loss` is the log loss for models with probabilities, otherwise the quantity that
 * the task minimises.
 */
export function measureOutputs(predictor: OutputPredictor, validate: Dataset): Record<string, number> {
  const measured = predictor.evaluate(validate) as unknown as Record<string, number>;
  const loss =
    [measured.logLoss, measured.deviance, measured.rmse, 1 - measured.accuracy].find((x) => Number.isFinite(x)) ?? Number.NaN;
  return { loss, ...Object.fromEntries(Object.entries(measured).filter(([, value]) => typeof value === "number")) };
}

/** Sizes and a digest of the dataset. */
function fingerprint(data: Dataset): JsonObject {
  const { rowCount, columnCount, pipeline } = data;
  return { rowCount, columnCount, classes: pipeline.target.levels?.length ?? 0, digest: datasetDigest(data), method: DIGEST };
}

/** Fingerprint in older checkpoints, which hashed only the targets and some rows (FNV-1a). */
function olderFingerprint(data: Dataset): JsonObject {
  let hash = 0x811c9dc5;
  const mix = (values: Float64Array): void => {
    for (const word of new Uint32Array(values.buffer, values.byteOffset, 2 * values.length))
      hash = Math.imul(hash ^ word, 0x01000193);
  };
  mix(data.target.values);
  for (let k = 0; k < 16; k++) mix(data.row(Math.floor((k * (data.rowCount - 1)) / 15)));
  const classes = data.pipeline.target.levels?.length ?? 0;
  return { rowCount: data.rowCount, columnCount: data.columnCount, classes, digest: (hash >>> 0).toString(16) };
}
