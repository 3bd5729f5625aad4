/** The file of a saved model (files/described-file.ts): its kind, its description and its tensors. */

import type { JsonObject } from "../engine/contract/index.ts";
import { type DescribedFile, decodeDescribed, encodeDescribed, type FileFormat } from "../engine/files/described-file.ts";
import type { Tensor } from "../engine/files/safetensors.ts";

const FORMAT: FileFormat = {
  format: "ergodic",
  versionName: "format version",
  stranger: "is a safetensors file, but not a model saved by ergodic; export it from the tool that made it",
  others: {
    "ergodic checkpoint":
      "is the checkpoint of a run, not a model; resume the run, fit.resume(file, data) or ergodic train … --resume file, and take the model that it saves",
  },
  codes: "MODEL",
};

/**
 * Returns the description as stored in the file. Column names are omitted, because the pipeline contains them and there
 * can be millions of them. The three column names of a rating model are kept. The number of workers is stored only if
 * they trained one shared model simultaneously. Otherwise, this number does not affect the parameters.
 */
function stored(given: JsonObject): JsonObject {
  const columns = Object.getOwnPropertyDescriptor(given, "columns")?.value;
  // If `columns` is a getter, it is never called.
  const rest = Object.keys(given).flatMap((key) => (key === "columns" ? [] : [[key, given[key]]]));
  const description: JsonObject = Object.fromEntries(
    columns === undefined || Array.isArray(columns) ? rest : [...rest, ["columns", columns]],
  );
  const { plan } = description;
  if (typeof plan !== "object" || plan === null || Array.isArray(plan) || plan.replicas === "shared") return description;
  const { workers: _, ...shown } = plan;
  return { ...description, plan: shown };
}

export function encodeModel(kind: string, description: JsonObject, tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  return encodeDescribed(FORMAT, { kind }, stored(description), tensors);
}

export const decodeModel = (bytes: Uint8Array, where: string): DescribedFile => decodeDescribed(bytes, where, FORMAT);
