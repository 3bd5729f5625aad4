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

/** Names of columns are the pipeline's, and there may be millions; those of ratings are three. How many workers shared the work changes no number, unless they raced on one model. */
function stored(given: JsonObject): JsonObject {
  const columns = Object.getOwnPropertyDescriptor(given, "columns")?.value;
  // Where a getter makes them they are not asked for.
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
