import type { Dataset } from "../engine/data/dataset.ts";
import { isMarked, ratingsMark } from "../engine/data/marks.ts";
import type { Ratings } from "../engine/data/ratings.ts";
import { checkSignal } from "../engine/errors/checks.ts";
import { checkKeys } from "../engine/errors/errors.ts";
import { laterRun, trainedBy } from "../engine/loop/later-run.ts";
import { learnedNames } from "../engine/loop/result-names.ts";
import type { Run } from "../engine/loop/run.ts";
import { later } from "../engine/threads/later.ts";
import type { GraphResumeOptions } from "../graphs/learn/graph.ts";
import type { LearnedGraph } from "../graphs/learn/learned-graph.ts";
import type { FactorGraph } from "../graphs/model/graph.ts";
import { checkDataset, checkHeldOut, checkRatings } from "../learning/fit/kinds/trainable.ts";
import { type Fitted, launch, type Trained } from "../learning/fit/launch.ts";
import type { ResumeOptions } from "../learning/fit/resumed.ts";
import type { FactorPredictor } from "../predict/factorisation.ts";
import type { NetworkPredictor } from "../predict/network.ts";
import type { TreesPredictor } from "../predict/trees/trees.ts";

export type { ResumeOptions };

/**
 * fit.resume(checkpoint, data, options): continues a run from its checkpoint, bit for bit.
 *
 * `data` must be the data of the original run. A run that had converged returns the same result again. A run that ended
 * at a limit or by `patience` continues if the new limit is larger.
 * `P`: type of the result, if the caller knows it.
 */
export function resume(from: string | Uint8Array | Blob, graph: FactorGraph, options?: GraphResumeOptions): Run<LearnedGraph>;
export function resume(
  from: string | Uint8Array | Blob,
  data: Ratings,
  options?: ResumeOptions<Ratings>,
): Run<FactorPredictor & Trained>;
export function resume<P extends Fitted | ((NetworkPredictor | TreesPredictor) & Trained) = Fitted>(
  from: string | Uint8Array | Blob,
  data: Dataset,
  options?: ResumeOptions,
): Run<P>;
export function resume<D>(from: string | Uint8Array | Blob, data: D, options?: ResumeOptions<D>): Run<object> {
  if (trainedBy(data) === "graph") {
    checkSignal("fit.resume", options?.signal);
    const load = async () => (await import("../graphs/learn/graph.ts")).resumedJob;
    return laterRun(async () => (await later(load))(from, data as FactorGraph, options as GraphResumeOptions | undefined), {
      signal: options?.signal,
      resultNames: learnedNames(),
    });
  }
  return goOn(from, data, options);
}

function goOn<D>(from: string | Uint8Array | Blob, data: D, options: ResumeOptions<D> = {}): Run<object & Trained> {
  checkKeys("fit.resume", options, ["epochs", "until", "validate", "validateEvery", "patience", "signal", "workers"]);
  checkSignal("fit.resume", options.signal);
  const taken = isMarked(data, ratingsMark) ? checkRatings : checkDataset;
  taken("fit.resume", "data", data, "a Dataset", "the dataset of the run");
  checkHeldOut("fit.resume", { checkData: taken }, options.validate);
  return launch(data, options, async () => {
    const { recipeFrom } = await later(() => import("../learning/fit/resumed.ts"));
    return recipeFrom(from, data, options);
  });
}
