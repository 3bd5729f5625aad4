/**
 * Checks the description of a model with outputs z: loss, task, link, classes and pipeline must be known and
 * consistent.
 *
 * A user-defined loss is known only in programs that define it, but its model must predict in any program. A built-in
 * loss determines both task and link. For a user-defined loss, the check requires only that task and link are
 * compatible.
 */

import type { JsonObject, Link } from "../engine/contract/index.ts";
import type { Pipeline } from "../engine/data/dataset.ts";
import { StepPipeline } from "../engine/data/pipeline.ts";
import { linksOfTask } from "../engine/files/links.ts";
import { checkedCount, checkModel, isObject, shownJson } from "./check-model.ts";
import type { Task } from "./metrics.ts";

export interface OutputFacts {
  readonly task: Task;
  readonly link: Link;
  readonly outputs: number;
  readonly targetName: string;
  /** Class names in the order of their indices; undefined for numbers. */
  readonly classes: readonly string[] | undefined;
  readonly pipeline: Pipeline;
}

/**
 * Task of each built-in loss, its link for a single output and its link for several outputs. If a loss lacks one of the
 * links, models with that number of outputs are refused.
 */
export const libraryLosses: Readonly<Record<string, { readonly task: Task; readonly one?: Link; readonly several?: Link }>> = {
  logistic: { task: "binary", one: "sigmoid", several: "sigmoidNormalised" },
  hinge: { task: "binary", one: "sign", several: "sign" },
  squaredHinge: { task: "binary", one: "sign", several: "sign" },
  multinomial: { task: "multiclass", several: "softmax" },
  squared: { task: "regression", one: "identity" },
  huber: { task: "regression", one: "identity" },
  epsilonInsensitive: { task: "regression", one: "identity" },
  quantile: { task: "regression", one: "identity" },
  poisson: { task: "count", one: "exp" },
};

export function outputFacts(description: JsonObject, where: string): OutputFacts {
  const { task, link, target } = description;
  checkModel(
    where,
    typeof task === "string" && Object.hasOwn(linksOfTask, task),
    `has task ${shownJson(task)}, which is unknown`,
  );
  const known = task as Task;
  const outputs = checkedCount(where, description, "outputs", 1);
  const several = known === "multiclass";
  checkModel(where, several ? outputs > 1 : outputs === 1, `has ${outputs} outputs, which does not fit task "${known}"`);
  // Forests average probabilities, which no loss does.
  const isForest = link === "probabilities" && (known === "binary" || several);
  const fits = isForest || linksOfTask[known].includes(link as Link);
  checkModel(where, fits, `has link ${shownJson(link)}, which does not fit task "${known}"`);
  checkLoss(description, known, where);
  checkModel(where, isObject(target) && typeof target.name === "string", "has no named target");
  const pipeline = StepPipeline.fromJson(description.pipeline) as Pipeline;
  const classes = known === "binary" || several ? classesOf(target.levels, several ? outputs : 2, several, where) : undefined;
  checkModel(
    where,
    classes || target.levels === null || target.levels === undefined,
    `has classes, but task "${known}" has none`,
  );
  const { kind, levels } = pipeline.target;
  const alike = kind === "number" ? !several : levels?.length === classes?.length && levels?.every((l, k) => l === classes?.[k]);
  checkModel(where, alike, "has other classes than its pipeline");
  checkModel(where, !several || !("offset" in pipeline.steps[0]), "has an offset, but several outputs");
  return { task: known, link: link as Link, outputs, targetName: target.name, classes, pipeline };
}

function checkLoss({ loss, link, outputs }: JsonObject, task: Task, where: string): void {
  // The earliest versions of the file format stored a string.
  const { name, ...options } = isObject(loss) ? loss : { name: loss };
  checkModel(where, typeof name === "string", `has loss ${shownJson(loss)}, which is unknown`);
  const own = Object.hasOwn(libraryLosses, name) ? libraryLosses[name] : undefined;
  for (const [key, value] of Object.entries(options))
    checkModel(
      where,
      typeof value === "number" && Number.isFinite(value),
      `has the invalid value ${shownJson(value)} for ${shownJson(key)} of its loss`,
    );
  if (!own) return;
  const wanted = outputs === 1 ? own.one : own.several;
  const fits = link === wanted && task === (outputs === 1 ? own.task : "multiclass");
  checkModel(
    where,
    fits,
    `has task ${shownJson(task)}, link ${shownJson(link)} and ${String(outputs)} outputs, which do not fit loss "${name}"`,
  );
}

function classesOf(levels: unknown, count: number, several: boolean, where: string): readonly string[] {
  if (!several && (levels === null || levels === undefined)) return ["0", "1"];
  const fits = Array.isArray(levels) && levels.length === count && levels.every((level) => typeof level === "string");
  checkModel(where, fits, `has classes ${shownJson(levels)}, but ${count} names are wanted`);
  checkModel(where, new Set(levels as string[]).size === count, "has the same class twice");
  return levels as string[];
}
