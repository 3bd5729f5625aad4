import type { PredictionKind } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { checkSignal, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys } from "../../engine/errors/errors.ts";
import { laterRun } from "../../engine/loop/later-run.ts";
import { pathNames } from "../../engine/loop/result-names.ts";
import type { Job, Run } from "../../engine/loop/run.ts";
import { later } from "../../engine/threads/later.ts";
import type { LinearModel } from "../models/linear/linear.ts";
import { checkDataset } from "./kinds/trainable.ts";
import type { LinearPath } from "./linear-path.ts";
import { type FitPathOptions, resolvePath } from "./path-options.ts";

const WHERE = "fit.path";

function refuseOwnPenalty({ options }: LinearModel, l1Ratio: number): void {
  const { l1 = 0, l2 = 0, group, nonNegative } = options;
  const refuse = (message: string): never => {
    throw new CapabilityError(WHERE, message, "OPTION_CONFLICT");
  };
  if (l1 || l2) {
    const given = l1 ? `l1 is ${l1}` : `l2 is ${l2}`;
    refuse(`the model's ${given}, but a path sets the strengths itself; leave it out of linear(), and give l1Ratio here`);
  }
  if (!group) return;
  if (group.strength !== 1)
    refuse(`the model's group.strength is ${group.strength}, but a path sets the strengths itself; write strength: 1`);
  if (l1Ratio !== 1)
    refuse(`l1Ratio is ${l1Ratio}, but with groups the penalty is only λ Σ_g √|g| ‖β_g‖; leave out l1Ratio or the groups`);
  if (nonNegative) refuse("nonNegative and groups are given, but a path with groups cannot restrict signs; leave one out");
}

function start<K extends PredictionKind, Names extends string>(
  model: LinearModel<K>,
  data: Dataset<Names>,
  given: FitPathOptions = {},
): Run<LinearPath<K, Names>> {
  if (typeof model !== "object" || model === null || model.name !== "linear")
    refuse(WHERE, "the model", model, "a linear model", 'linear({ loss: "logistic" })');
  checkDataset(WHERE, "data", data, "a Dataset", "Dataset.fromArrays({ x, y }), or read a file with @ergodic/ingest");
  const options = resolvePath(given, data);
  refuseOwnPenalty(model, options.l1Ratio);
  const { workers, deterministic, seed, precision } = given;
  const plan = { workers, deterministic, seed, precision };
  return run(given.signal, ({ pathJob }) => pathJob(data, async () => ({ model: model as never, options, plan })));
}

/** Resumes from a checkpoint, bit for bit. `data` must be the same data as before. */
function resume<Names extends string>(
  from: string | Uint8Array | Blob,
  data: Dataset<Names>,
  options: { workers?: number; signal?: AbortSignal } = {},
): Run<LinearPath<PredictionKind, Names>> {
  checkKeys("fit.path.resume", options, ["workers", "signal"]);
  checkSignal("fit.path.resume", options.signal);
  const { workers, signal } = options;
  return run(signal, ({ keptRecipe, pathJob }) => pathJob(data, () => keptRecipe(from, data, workers)));
}

/** Loads the code of paths, which other fits do not need, and runs the job that it makes. */
function run<K extends PredictionKind, Names extends string>(
  signal: AbortSignal | undefined,
  make: (code: typeof import("./path-job.ts")) => Job<LinearPath<K, Names>>,
): Run<LinearPath<K, Names>> {
  const load = async (): Promise<Job<LinearPath<K, Names>>> => make(await later(() => import("./path-job.ts")));
  return laterRun(load, { signal, resultNames: pathNames() });
}

/**
 * Fits a linear model at decreasing strengths λ of its penalty λ (a ‖β‖₁ + (1 − a)/2 ‖β‖²). Each solution is certified
 * by its duality gap. For a model with groups (of strength 1), the penalty is λ Σ_g √|g| ‖β_g‖.
 *
 * lambdas: maximum number of λ (100), decreasing geometrically from the smallest λ for which all coefficients are 0 to
 * `ratio` times it (1e-4; 1e-2 with fewer rows than columns). The path ends early when the explained deviance exceeds
 * 99.9 % or increases by less than 1e-5 of its value. If a decreasing list is given, all its values are used.
 * l1Ratio: a (default 1, the lasso). tolerance: relative duality gap of every solution (1e-6).
 * folds: number of cross-validation folds. Rows are assigned at random by `seed`, with classes spread evenly, so that
 * each seed always gives the same folds. `workers` share the folds. `select`: the λ with the least held-out error, or
 * the largest λ whose error is within one standard error of the least ("oneStandardError").
 * The run can be awaited or iterated over its ticks. Errors are deviances, 2 × the excess of the mean loss over its
 * minimum for these targets: the mean squared error, the binomial deviance, …
 *
 * @throws OptionError, CapabilityError; the reason of an aborted `signal`
 */
export const path = Object.assign(start, { resume });
