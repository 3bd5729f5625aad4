/**
 * Checks the description of a factorisation of ratings: task, rank, the numbers for folding in new rows, and the names
 * of users and items.
 */
import type { JsonObject } from "../engine/contract/index.ts";
import type { Name } from "../engine/data/name-index.ts";
import type { RatingColumns } from "../engine/data/ratings.ts";
import { checkedCount, checkedNumber, checkModel, shownJson } from "./check-model.ts";

export interface FactorFacts {
  readonly task: "rating" | "preference";
  readonly rank: number;
  readonly mean: number;
  readonly biases: boolean;
}

export function factorFacts(description: JsonObject, where: string): FactorFacts {
  const { task, biases, alpha, weighted, scale } = description;
  checkModel(where, task === "rating" || task === "preference", `has task ${shownJson(task)}, which is unknown`);
  checkModel(where, typeof biases === "boolean", `has biases ${shownJson(biases)}, but true or false is wanted`);
  checkModel(where, typeof weighted === "boolean", `has weighted ${shownJson(weighted)}, but true or false is wanted`);
  const preference = task === "preference";
  checkModel(
    where,
    preference ? !biases : alpha === null,
    `has biases ${shownJson(biases)} and alpha ${shownJson(alpha)}, which do not fit task "${task}"`,
  );
  if (preference) checkedNumber(where, description, "alpha", 0);
  const l2 = checkedNumber(where, description, "l2", 0);
  checkModel(
    where,
    l2 > 0 && (scale === undefined || checkedNumber(where, description, "scale", 0) > 0),
    "has no penalty above 0",
  );
  return { task, rank: checkedCount(where, description, "rank", 1), mean: checkedNumber(where, description, "mean"), biases };
}

/** Returns the names of all users or all items. As strings, the names must be distinct. */
export function checkedNames(description: JsonObject, side: "users" | "items", where: string): Name[] {
  const names = description[side];
  const isName = (name: unknown): boolean => (typeof name === "string" && name !== "") || Number.isFinite(name);
  checkModel(where, Array.isArray(names) && names.every(isName), `has ${side} that are not a list of names`);
  checkModel(where, new Set((names as Name[]).map(String)).size === names.length, `has the same name twice among its ${side}`);
  return names as Name[];
}

/**
 * Returns the names of the rating columns. Models trained on ratings from lists store no column names. Rows that are
 * passed to these models have the columns `user` and `item`.
 */
export function checkedColumns({ columns }: JsonObject, where: string): RatingColumns {
  if (columns === undefined) return { user: "user", item: "item" };
  const { user, item, value } = (typeof columns === "object" && columns !== null ? columns : {}) as JsonObject;
  const fits = typeof user === "string" && typeof item === "string" && ["string", "undefined"].includes(typeof value);
  checkModel(where, fits, `has columns ${shownJson(columns)}, but the names of the user and item columns are wanted`);
  return columns as unknown as RatingColumns;
}
