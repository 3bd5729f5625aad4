/** Every learner of graphs, by its name: how a checkpoint's is made again, and what a command line knows. */

import type { JsonObject } from "../../engine/contract/index.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { contrastiveDivergence } from "./contrastive-divergence.ts";
import { exactLikelihood } from "./exact-likelihood.ts";
import type { GraphLearner } from "./learner.ts";
import { pseudoLikelihood } from "./pseudo-likelihood.ts";

// biome-ignore lint/suspicious/noExplicitAny: options of each kind, from JSON
const learners: Readonly<Record<string, (options: any) => GraphLearner>> = {
  contrastiveDivergence,
  pseudoLikelihood,
  exactLikelihood,
};

/** Names of the learners of graphs, as `learnerFromJson` knows them. */
export const learnerNames = (): string[] => Object.keys(learners);

/** The learner that `toJSON` described. @throws DataError for one that is not of this library */
export function learnerFromJson(json: JsonObject): GraphLearner {
  checkNamedJson("learnerFromJson", json, "algorithm", "a learner of graphs");
  const { algorithm, ...options } = json;
  const name = algorithm as string;
  if (Object.hasOwn(learners, name)) return learners[name](options);
  throw new DataError("learning", `"${name}" is no learner of graphs in this library; give the learner itself`, "LEARNER_JSON");
}
