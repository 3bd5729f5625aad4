/**
 * Registry of the algorithms of `infer` by name. The registry restores algorithms from checkpoints and lists them for
 * the command line.
 */

import type { JsonObject } from "../../engine/contract/index.ts";
import { byName } from "../../engine/contract/registry.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { Factory } from "../../engine/errors/options.ts";
import type { InferenceAlgorithm } from "../parts/algorithm.ts";
import * as all from "./all.ts";

type Made = Factory<object, InferenceAlgorithm>;
const isMade = (value: unknown): value is Made => typeof value === "function" && "declaration" in value;

/** All algorithms by name. `factory(options).toJSON()` is { algorithm, ...options } with every default filled in. */
export const inferenceRegistry: Readonly<Record<string, Made>> = byName(all, isMade, ({ declaration }) => declaration.name);

/** Returns the names of the algorithms of `infer`, as accepted by `inferenceFromJson`. */
export const inferenceNames = (): string[] => Object.keys(inferenceRegistry);

/** Restores the algorithm that `toJSON` described. @throws DataError if the algorithm is not part of this library */
export function inferenceFromJson(json: JsonObject): InferenceAlgorithm {
  checkNamedJson("inferenceFromJson", json, "algorithm", "an algorithm of infer");
  const { algorithm, ...options } = json;
  const name = algorithm as string;
  if (Object.hasOwn(inferenceRegistry, name)) return inferenceRegistry[name](options);
  throw new DataError(
    "inference",
    `"${name}" is not an algorithm of infer in this library; give the algorithm itself`,
    "INFERENCE_JSON",
  );
}
