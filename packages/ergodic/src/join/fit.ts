import type { FormulaData } from "../bayes/formula/index.ts";
import type { Mode } from "../bayes/mode/found-mode.ts";
import type { ModeOptions } from "../bayes/mode/mode-options.ts";
import type { ModelData, StatisticalModel } from "../bayes/model/index.ts";
import type { PredictionKind } from "../engine/contract/index.ts";
import type { Dataset } from "../engine/data/dataset.ts";
import type { Ratings } from "../engine/data/ratings.ts";
import { checkSignal } from "../engine/errors/checks.ts";
import { laterRun, trainedBy } from "../engine/loop/later-run.ts";
import { learnedNames, modeNames } from "../engine/loop/result-names.ts";
import type { Job, Run } from "../engine/loop/run.ts";
import { later } from "../engine/threads/later.ts";
import type { GraphFitOptions } from "../graphs/learn/graph.ts";
import type { LearnedGraph } from "../graphs/learn/learned-graph.ts";
import type { FactorGraph } from "../graphs/model/graph.ts";
import type { FitOptions, TrainableModel } from "../learning/fit/kinds/trainable.ts";
import type { Fitted, Trained } from "../learning/fit/launch.ts";
import { path } from "../learning/fit/path.ts";
import { stream } from "../learning/fit/stream.ts";
import { checkOptions, train } from "../learning/fit/train.ts";
import type { LinearModel } from "../learning/models/linear/linear.ts";
import type { NetworkModel } from "../learning/models/neural/network.ts";
import type { FactorisationModel } from "../learning/models/ratings/factorisation.ts";
import type { ForestModel } from "../learning/models/trees/forest.ts";
import type { TreesModel } from "../learning/models/trees/trees.ts";
import type { FactorPredictor } from "../predict/factorisation.ts";
import type { NetworkPredictor } from "../predict/network.ts";
import type { TreesPredictor } from "../predict/trees/trees.ts";
import { resume } from "./resume.ts";

/**
 * Training jobs for graphs and statistical models, loaded when `fit` is called. Other models carry their own adapter
 * (trainable.ts).
 */
const jobs: Readonly<Record<string, () => Promise<(...given: never[]) => Job<unknown>>>> = {
  graph: async () => (await import("../graphs/learn/graph.ts")).learningJob,
  mode: async () => (await import("../bayes/mode/mode.ts")).modeJob,
};
const namesOf: Readonly<Record<string, () => readonly string[]>> = { graph: learnedNames, mode: modeNames };

function startFit(graph: FactorGraph, options?: GraphFitOptions): Run<LearnedGraph>;
function startFit<D, P extends object>(model: TrainableModel<D, P>, data: D, options?: FitOptions<D>): Run<P & Trained>;
function startFit<D extends ModelData | FormulaData, Q extends string>(
  model: StatisticalModel<D, Q>,
  data: NoInfer<D>,
  options?: ModeOptions,
): Run<Mode<Q>>;
function startFit(model: FactorisationModel, data: Ratings, options?: FitOptions<Ratings>): Run<FactorPredictor & Trained>;
function startFit<K extends PredictionKind, Names extends string>(
  model: NetworkModel<K>,
  data: Dataset<Names>,
  options?: FitOptions<Dataset>,
): Run<NetworkPredictor<K, Names> & Trained>;
function startFit<K extends PredictionKind, Names extends string>(
  model: TreesModel<K>,
  data: Dataset<Names>,
  options?: FitOptions<Dataset>,
): Run<TreesPredictor<K, Names> & Trained>;
function startFit<K extends PredictionKind, Names extends string>(
  model: ForestModel<K>,
  data: Dataset<Names>,
  options?: FitOptions<Dataset>,
): Run<TreesPredictor<K, Names> & Trained>;
function startFit<K extends PredictionKind, Names extends string>(
  model: LinearModel<K>,
  data: Dataset<Names>,
  options?: FitOptions<Dataset>,
): Run<Fitted<K, Names>>;
function startFit(model: unknown, ...given: unknown[]): Run<unknown> {
  const by = trainedBy(model);
  if (by === undefined) return train(model as TrainableModel<unknown, object>, given[0], given[1] as object | undefined);
  const { signal } = Object(given.at(-1)) as { signal?: AbortSignal };
  checkSignal("fit", signal);
  const load = async (): Promise<Job<unknown>> => (await later(jobs[by]))(...([model, ...given] as never[]));
  return laterRun(load, { signal, resultNames: namesOf[by]() });
}

/**
 * Trains a model on data and returns a predictor.
 *
 * Models: linear(), network(), trees(), forest(), extraTrees(), tree() or factorisation(). For a model(), `fit` finds the posterior mode.
 * Algorithm: `rule` is the step rule. Its default is adagrad() for linear models trained by descent (sgd() with saga()
 * under a group penalty) and adam() for networks. `variance` is svrg(), saga() or sag(). `algorithm` replaces both.
 * Linear models use a direct solver unless an option applies only to descent (docs/solvers.md).
 * Stopping: `epochs` or `until`. `epochs` is 5 by default, and 100 with batch: "all". Algorithms that stop on
 * convergence set their own default.
 * Validation: `validate` gives held-out rows, on which the model is measured every `validateEvery` epochs. `patience`
 * stops early and keeps the best parameters.
 * A run can be awaited, iterated over its ticks (`for await`), paused, stopped and checkpointed.
 * `fit.resume(checkpoint, data)` resumes a run bit for bit. `from` starts a new training run from a trained model, its
 * file or a checkpoint, even on other data.
 * `fit.path(linear(), data)` fits a linear model at a decreasing sequence of penalty strengths. `fit.stream(linear(),
 * blocks)` trains on blocks that arrive one after another. `fit.check(options)` checks options before data are read.
 *
 * @param model linear(), network(), trees(), forest(), extraTrees(), tree(), factorisation(), regression() or model()
 * @param data dataset to train on, ratings for factorisation(), or the data of a model() by name
 * @param options algorithm, length of the run, validation, seed and workers. Default: chosen by the model and the data
 * @param graph factor graph, given in place of the model and the data, to learn its weights
 * @throws OptionError or CapabilityError if the arguments do not fit together; the reason of an aborted `signal`
 *
 * @example
 * ```ts
 * const data = await readCsv("adult.csv", { target: "income" });            // of the ingest package; or Dataset.fromArrays({ x, y })
 * const { train, test } = data.split(0.8, { seed: 1 });
 * const model = await fit(linear({ loss: "logistic" }), train, { epochs: 10, validate: test, seed: 1 });
 * model.evaluate(test).accuracy;
 * model.predict({ age: 40, hours: 38 }).value;
 * await model.save("income.safetensors");                                   // await predictor("income.safetensors")
 * ```
 */
export const fit = Object.assign(startFit, { resume, check: checkOptions, path, stream });

/** Type of `fit` without `fit.stream`. It contains only the verbs that need all data at the start. */
export type FitVerb = typeof startFit & {
  readonly resume: typeof resume;
  readonly check: typeof checkOptions;
  readonly path: typeof path;
};
