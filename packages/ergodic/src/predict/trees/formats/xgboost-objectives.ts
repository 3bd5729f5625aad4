/** Objectives of XGBoost: the link from margins to predictions, and the margin of `base_score`. */

import { log } from "../../../engine/numbers/log.ts";
import type { Answer } from "./foreign-trees.ts";

/** Converts base_score, which is a prediction, to a margin. */
export type BaseMargin = "identity" | "logit" | "log";

export interface Objective extends Answer {
  readonly base: BaseMargin;
}

const number = (loss: string): Objective => ({ task: "regression", link: "identity", loss, base: "identity" });
const positive = (loss: string): Objective => ({ task: "regression", link: "exp", loss, base: "log" });
const classes: Objective = { task: "multiclass", link: "softmax", loss: "multinomial", base: "identity" };
const logistic: Objective = { task: "binary", link: "sigmoid", loss: "logistic", base: "logit" };

/**
 * Objectives by XGBoost's name. Rank objectives predict their raw score. `reg:logistic` predicts the probability of
 * class "1", and so does `binary:logitraw`, whose prediction in XGBoost is the margin.
 */
export const objectives: Readonly<Record<string, Objective>> = {
  "reg:squarederror": number("squared"),
  "reg:linear": number("squared"),
  "reg:squaredlogerror": number("reg:squaredlogerror"),
  "reg:pseudohubererror": number("reg:pseudohubererror"),
  "reg:absoluteerror": number("reg:absoluteerror"),
  "reg:quantileerror": number("reg:quantileerror"),
  "reg:gamma": positive("reg:gamma"),
  "reg:tweedie": positive("reg:tweedie"),
  "count:poisson": { task: "count", link: "exp", loss: "poisson", base: "log" },
  "reg:logistic": logistic,
  "binary:logistic": logistic,
  "binary:logitraw": { task: "binary", link: "sigmoid", loss: "logistic", base: "identity" },
  "binary:hinge": { task: "binary", link: "sign", loss: "binary:hinge", base: "identity" },
  "multi:softmax": classes,
  "multi:softprob": classes,
  "rank:pairwise": number("rank:pairwise"),
  "rank:ndcg": number("rank:ndcg"),
  "rank:map": number("rank:map"),
};

/** Returns the margin of a base score in float32, as XGBoost computes it. NaN if the score has none. */
export function baseMargin(base: BaseMargin, score: number): number {
  const p = Math.fround(score);
  if (base === "identity") return p;
  if (base === "log") return Math.fround(log(p));
  return Math.fround(-Math.fround(log(Math.fround(Math.fround(1 / p) - 1))));
}
