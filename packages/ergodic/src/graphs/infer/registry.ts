/** Every algorithm of `infer`, by its name: how a checkpoint's is made again, and what a command line knows. */

import type { JsonObject } from "../../engine/contract/index.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { importanceSampling } from "../bounds/importance-sampling.ts";
import { miniBuckets } from "../bounds/mini-buckets.ts";
import { elimination } from "../exact/elimination.ts";
import { loopyBeliefPropagation } from "../exact/loopy-belief-propagation.ts";
import { naiveMeanField } from "../exact/naive-mean-field.ts";
import type { InferenceAlgorithm } from "../parts/algorithm.ts";
import { annealedImportanceSampling } from "../sampling/ensembles/annealed-importance-sampling.ts";
import { graphTempering } from "../sampling/ensembles/graph-tempering.ts";
import { graphGibbs } from "../sampling/gibbs/graph-gibbs.ts";
import { replicaGibbs } from "../sampling/replicas/replica-gibbs.ts";
import { graphAnnealing } from "../search/graph-annealing.ts";
import { iteratedConditionalModes } from "../search/iterated-conditional-modes.ts";
import { automatic } from "./automatic.ts";

/** Options are JSON: `algorithm(options).toJSON()` is { algorithm, ...options } with every default filled in. */
// biome-ignore lint/suspicious/noExplicitAny: options of each kind, from JSON
export const inferenceRegistry: Readonly<Record<string, (options: any) => InferenceAlgorithm>> = {
  automatic,
  elimination,
  importanceSampling,
  miniBuckets,
  loopyBeliefPropagation,
  naiveMeanField,
  annealedImportanceSampling,
  graphTempering,
  graphGibbs,
  replicaGibbs,
  iteratedConditionalModes,
  graphAnnealing,
};

/** Names of the algorithms of `infer`, as `inferenceFromJson` knows them. */
export const inferenceNames = (): string[] => Object.keys(inferenceRegistry);

/** The algorithm that `toJSON` described. @throws DataError for one that is not of this library */
export function inferenceFromJson(json: JsonObject): InferenceAlgorithm {
  checkNamedJson("inferenceFromJson", json, "algorithm", "an algorithm of infer");
  const { algorithm, ...options } = json;
  const name = algorithm as string;
  if (Object.hasOwn(inferenceRegistry, name)) return inferenceRegistry[name](options);
  throw new DataError(
    "inference",
    `"${name}" is no algorithm of infer in this library; give the algorithm itself`,
    "INFERENCE_JSON",
  );
}
