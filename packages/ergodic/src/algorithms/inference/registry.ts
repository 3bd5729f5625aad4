/** Every algorithm of `infer`, by its name: how a checkpoint's is made again, and what a command line knows. */
import { checkNamedJson } from "../../base/checks.ts";
import { DataError } from "../../base/errors.ts";
import type { JsonObject } from "../../contract.ts";
import { miniBuckets } from "../bounds/mini-buckets.ts";
import { elimination } from "../elimination/elimination.ts";
import { graphGibbs } from "../graph-gibbs/graph-gibbs.ts";
import { importanceSampling } from "../importance/importance-sampling.ts";
import { graphAnnealing } from "../local-search/graph-annealing.ts";
import { iteratedConditionalModes } from "../local-search/iterated-conditional-modes.ts";
import { loopyBeliefPropagation } from "../message-passing/loopy-belief-propagation.ts";
import { naiveMeanField } from "../message-passing/naive-mean-field.ts";
import { replicaGibbs } from "../replica-gibbs/replica-gibbs.ts";
import { annealedImportanceSampling } from "../tempering/annealed-importance-sampling.ts";
import { graphTempering } from "../tempering/graph-tempering.ts";
import type { InferenceAlgorithm } from "./algorithm.ts";
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
