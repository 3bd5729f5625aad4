/**
 * Registry of the graph learners by name. The registry restores learners from checkpoints and lists them for the
 * command line.
 */

import type { JsonObject } from "../../engine/contract/index.ts";
import { byName } from "../../engine/contract/registry.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { Factory } from "../../engine/errors/options.ts";
import * as learners from "./all.ts";
import type { GraphLearner } from "./learner.ts";

type Made = Factory<object, GraphLearner>;
const isMade = (value: unknown): value is Made => typeof value === "function" && "declaration" in value;

/** All learners by name. */
export const learnerRegistry: Readonly<Record<string, Made>> = byName(learners, isMade, ({ declaration }) => declaration.name);

/** Returns the names of the graph learners, as accepted by `learnerFromJson`. */
export const learnerNames = (): string[] => Object.keys(learnerRegistry);

/** Restores the learner that `toJSON` described. @throws DataError if the learner is not part of this library */
export function learnerFromJson(json: JsonObject): GraphLearner {
  checkNamedJson("learnerFromJson", json, "algorithm", "a learner of graphs");
  const { algorithm, ...options } = json;
  const name = algorithm as string;
  if (Object.hasOwn(learnerRegistry, name)) return learnerRegistry[name](options);
  throw new DataError(
    "learning",
    `"${name}" is not a learner of graphs in this library; give the learner itself`,
    "LEARNER_JSON",
  );
}
