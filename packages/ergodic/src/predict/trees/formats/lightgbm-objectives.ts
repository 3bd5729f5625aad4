/** Objectives of LightGBM: the line "objective=…" of a model file, such as "binary sigmoid:1". */

import { checkPart, type Origin, shownPart, unsupported } from "./faults.ts";
import type { Answer } from "./foreign-trees.ts";

export interface Objective extends Answer {
  /** Factor of the outputs before the sigmoid. */
  readonly slope: number;
}

const number = (loss: string): Answer => ({ task: "regression", link: "identity", loss });
const positive = (loss: string): Answer => ({ task: "regression", link: "exp", loss });

/** Objectives by name. Ranking objectives predict their raw score. */
const objectives: Readonly<Record<string, Answer>> = {
  regression: number("squared"),
  regression_l1: number("regression_l1"),
  huber: number("lightgbm huber"),
  fair: number("fair"),
  quantile: number("lightgbm quantile"),
  mape: number("mape"),
  gamma: positive("gamma"),
  tweedie: positive("tweedie"),
  poisson: { task: "count", link: "exp", loss: "poisson" },
  binary: { task: "binary", link: "sigmoid", loss: "logistic" },
  cross_entropy: { task: "binary", link: "sigmoid", loss: "logistic" },
  multiclass: { task: "multiclass", link: "softmax", loss: "multinomial" },
  lambdarank: number("lambdarank"),
  rank_xendcg: number("rank_xendcg"),
  custom: number("custom"),
};

/** Reads the objective. A file without one, as after training with a function, predicts the raw score. */
export function objectiveOf(line: string | undefined, outputs: number, origin: Origin): Objective {
  const [name, ...words] = (line ?? "custom").split(" ");
  const advice = "predict with LightGBM, or train with another objective";
  if (!Object.hasOwn(objectives, name)) throw unsupported(origin, `the objective ${shownPart(name)}`, advice);
  const answer = objectives[name];
  if (words.includes("sqrt")) throw unsupported(origin, `the objective "${name} sqrt"`, advice);
  if (line === undefined && outputs > 1) throw unsupported(origin, `no objective, but ${outputs} outputs`, advice);
  checkPart(origin, (answer.task === "multiclass") === outputs > 1, `has ${outputs} outputs for the objective "${name}"`);
  const slope = Number(words.find((word) => word.startsWith("sigmoid:"))?.slice(8) ?? 1);
  checkPart(origin, slope > 0 && slope < Infinity, `has the objective ${shownPart(line)}, but a sigmoid above 0 is wanted`);
  return { ...answer, slope: answer.link === "sigmoid" ? slope : 1 };
}
