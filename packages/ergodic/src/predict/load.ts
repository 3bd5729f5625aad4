/**
 * A saved model, ready to predict: from a path, a URL, a Blob or bytes. No code is run from the file.
 *
 * @throws DataError for files that are not ours, or of a later version
 */
import { checkKeys, checkNumber, DataError } from "../base/errors.ts";
import { nameOf, readWhole } from "../base/files.ts";
import { decode, parseDescription } from "../base/safetensors.ts";
import type { JsonObject, SavedModel, Tensor } from "../contract.ts";
import { openEngine } from "../host/engine.ts";
import { FactorPredictor } from "./factorisation.ts";
import { FORMAT_VERSION, LinearPredictor } from "./linear.ts";
import { NetworkPredictor } from "./network.ts";

export type AnyPredictor = LinearPredictor | NetworkPredictor | FactorPredictor;

/** Predictors by the kind that a file names: one line a family. */
const kinds: Readonly<
  Record<string, (saved: SavedModel, where: string, options: PredictorOptions) => AnyPredictor | Promise<AnyPredictor>>
> = {
  linear: (saved) => new LinearPredictor(saved),
  network: async (saved, where, options) => new NetworkPredictor(saved, await openEngine(), where, options),
  factorisation: (saved) => new FactorPredictor(saved),
};

export interface PredictorOptions {
  /**
   * The most work that a network may be for one row, in multiply-adds or what takes as long: it is computed from the file, and a larger one is refused, since a
   * prediction cannot be aborted. Default 2e10, some ten seconds on one core; Infinity for files that you trust.
   */
  readonly maxWork?: number;
}

/**
 * `P`: what the caller knows the file to hold; its `kind` says what it does.
 *
 * @throws OptionError unless maxWork > 0
 */
export async function predictor<P extends AnyPredictor = LinearPredictor>(
  from: string | URL | Uint8Array | Blob,
  options: PredictorOptions = {},
): Promise<P> {
  checkKeys("predictor", options, ["maxWork"]);
  const { maxWork } = options;
  if (maxWork !== undefined && maxWork !== Infinity) checkNumber("predictor", "maxWork", maxWork, { low: 0, open: true });
  const where = nameOf(from, "model");
  const { tensors, metadata } = decode(await readWhole(from), where);
  if (metadata.format !== "ergodic")
    throw new DataError(
      where,
      "is a safetensors file, but not a model saved by ergodic; export it from the tool that made it",
      "MODEL_FORMAT",
    );
  if (Number(metadata.version) > FORMAT_VERSION) {
    throw new DataError(
      where,
      `has format version ${metadata.version}, but this library reads up to ${FORMAT_VERSION}; update ergodic`,
      "MODEL_VERSION",
    );
  }
  const make = Object.hasOwn(kinds, metadata.kind) ? kinds[metadata.kind] : undefined;
  if (!make)
    throw new DataError(
      where,
      `holds a model of kind "${metadata.kind}", which cannot predict (known: ${Object.keys(kinds).join(", ")})`,
      "MODEL_KIND",
    );
  const saved = {
    kind: metadata.kind,
    description: parseDescription(metadata, where, "MODEL_FORMAT") as JsonObject,
    tensors: Object.fromEntries(Object.entries(tensors).map(([name, { values }]) => [name, values as Tensor])),
  };
  return (await make(saved, where, { maxWork })) as P;
}
