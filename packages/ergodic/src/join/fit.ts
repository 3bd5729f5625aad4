import type { FormulaData } from "../bayes/formula/index.ts";
import type { Mode } from "../bayes/mode/found-mode.ts";
import { fitMode } from "../bayes/mode/mode.ts";
import type { ModeOptions } from "../bayes/mode/mode-options.ts";
import type { ModelData, StatisticalModel } from "../bayes/model/index.ts";
import type { Algorithm, PredictionKind } from "../engine/contract/index.ts";
import type { Dataset } from "../engine/data/dataset.ts";
import type { Ratings } from "../engine/data/ratings.ts";
import { checkAlgorithm, checkSignal, holds, refuse } from "../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../engine/errors/errors.ts";
import { factoryName } from "../engine/errors/shown.ts";
import { planKeys, resolvePlan } from "../engine/loop/plan.ts";
import type { Run } from "../engine/loop/run.ts";
import { resolveStopping, type StoppingOptions } from "../engine/loop/stopping.ts";
import { openEngine } from "../engine/memory/engine.ts";
import { isRule } from "../engine/optimise/kinds.ts";
import { definedRules } from "../engine/optimise/rule.ts";
import { isVariance } from "../engine/optimise/variance.ts";
import { later } from "../engine/threads/later.ts";
import { fitGraph, type GraphFitOptions } from "../graphs/learn/graph.ts";
import type { LearnedGraph } from "../graphs/learn/learned-graph.ts";
import type { FactorGraph } from "../graphs/model/graph.ts";
import { checkFrom, fromKeys } from "../learning/fit/from-options.ts";
import {
  checkHeldOut,
  type FitOptions,
  type SettledOptions,
  type Trainable,
  type TrainableModel,
} from "../learning/fit/kinds/trainable.ts";
import { type Fitted, launch, planOf, type Trained } from "../learning/fit/launch.ts";
import { path } from "../learning/fit/path.ts";
import { stream } from "../learning/fit/stream.ts";
import type { LinearModel } from "../learning/models/linear/linear.ts";
import type { NetworkModel } from "../learning/models/neural/network.ts";
import type { FactorisationModel } from "../learning/models/ratings/factorisation.ts";
import type { FactorPredictor } from "../predict/factorisation.ts";
import type { NetworkPredictor } from "../predict/network.ts";
import { resume } from "./resume.ts";

const known = [
  "rule",
  "variance",
  "algorithm",
  "epochs",
  "until",
  "validate",
  "validateEvery",
  "patience",
  "signal",
  ...fromKeys,
  ...planKeys,
];

function start(graph: FactorGraph, options?: GraphFitOptions): Run<LearnedGraph>;
function start<D, P extends object>(model: TrainableModel<D, P>, data: D, options?: FitOptions<D>): Run<P & Trained>;
function start<D extends ModelData | FormulaData, Q extends string>(
  model: StatisticalModel<D, Q>,
  data: NoInfer<D>,
  options?: ModeOptions,
): Run<Mode<Q>>;
function start(model: FactorisationModel, data: Ratings, options?: FitOptions<Ratings>): Run<FactorPredictor & Trained>;
function start<K extends PredictionKind, Names extends string>(
  model: NetworkModel<K>,
  data: Dataset<Names>,
  options?: FitOptions<Dataset>,
): Run<NetworkPredictor<K, Names> & Trained>;
function start<K extends PredictionKind, Names extends string>(
  model: LinearModel<K>,
  data: Dataset<Names>,
  options?: FitOptions<Dataset>,
): Run<Fitted<K, Names>>;
function start(model: unknown, data: unknown, options?: object): Run<unknown> {
  if (holds(model, "conditionals")) return fitGraph(model as unknown as FactorGraph, data as GraphFitOptions | undefined);
  if (holds(model, "condition")) return fitMode(model as unknown as StatisticalModel, data as ModelData, options);
  return begin(model as TrainableModel<unknown, object>, data, options);
}

function begin<D>(model: TrainableModel<D, object>, data: D, options: FitOptions<D> = {}): Run<object & Trained> {
  const kind = checkValues(model, data, options);
  const validates = options.validate !== undefined;
  checkTogether(options, kind, validates);
  checkFrom(options);
  return launch(data, options, async () => {
    const algorithm = asked(options, kind);
    const left = (await kind.settle?.(model, data, { ...options, algorithm })) ?? {};
    const chosen = algorithm === "auto" ? left.algorithm : algorithm;
    const settled = { ...options, algorithm: chosen, workers: workersOf(options, algorithm, chosen) };
    const given = { kind, options: settled, stopping: checkTogether(settled, kind, validates), why: left.why };
    if (options.from === undefined) return { ...given, model: left.model ?? model };
    const { Begun } = await later(() => import("../learning/fit/from.ts"));
    const beginning = await Begun.read(options, model.name);
    return { ...given, model: beginning.modelOf(model), beginning };
  });
}

/** Who names one of them wants descent. */
const ofDescent = [
  ...(["rule", "variance", "epochs", "batch", "schedule", "blockRows", "replicas", "data", "averageEvery"] as const),
  ...(["patience", "validateEvery", "from"] as const),
];

/** The algorithm of a user who may have named none: solvers, where the kind has them and nothing speaks of descent. */
function asked<D>(options: FitOptions<D>, kind: Trainable<D, object>): Algorithm | "auto" | undefined {
  if (options.algorithm === "gradient") return undefined;
  if (options.algorithm || !kind.settle) return options.algorithm;
  const { until, precision } = options;
  const descends =
    ofDescent.some((name) => options[name] !== undefined) ||
    Object.keys(until ?? {}).some((name) => name !== "seconds") ||
    (typeof precision === "object" && precision.model !== undefined);
  return descends ? undefined : "auto";
}

/** Of the solvers, those on gradients of all rows share their work. */
function workersOf<D>({ workers }: FitOptions<D>, algorithm: unknown, chosen: Algorithm | undefined): number | undefined {
  return algorithm === "auto" && chosen && chosen.name !== "gradientDescent" ? undefined : workers;
}

/**
 * Throws what `fit` would say of these options whatever the model and its data, so that it can be known before data are read.
 * `validates`: held-out rows will be given.
 *
 * @throws OptionError for a value out of range or an unknown name; CapabilityError for a plan without meaning
 */
async function check(options: FitOptions, { validates = false }: { validates?: boolean } = {}): Promise<void> {
  const { trainableLinear } = await import("../learning/fit/kinds/linear.ts");
  checkTogether(options, trainableLinear, validates);
  const { algorithm } = options;
  const settled = { ...options, algorithm: typeof algorithm === "string" ? undefined : algorithm };
  resolvePlan("fit", planOf(options), (await openEngine()).describe(), trainableLinear.defaults(settled));
}

function checkTogether<D>(given: FitOptions<D>, kind: Trainable<D, object>, validates: boolean): StoppingOptions {
  const options = { ...given, algorithm: typeof given.algorithm === "string" ? undefined : given.algorithm };
  checkKeys("fit", options, known);
  checkSignal("fit", options.signal);
  const { algorithm, rule, variance } = given;
  if (algorithm && algorithm !== "gradient" && (rule || variance)) {
    const name = typeof algorithm === "string" ? `"${algorithm}"` : `${algorithm.name}()`;
    const message = `algorithm is ${name}, but ${rule ? "rule" : "variance"} was given, too; leave one out, or give both to gradientDescent()`;
    throw new OptionError("fit", message, "OPTION_CONFLICT");
  }
  const epochs = options.epochs ?? (options.until === undefined ? defaultEpochs(kind, options) : undefined);
  return resolveStopping("fit", { ...options, epochs }, validates);
}

/** An epoch of full gradients is one update. */
function defaultEpochs<D>(kind: Trainable<D, object>, options: SettledOptions<D>): number | undefined {
  return kind.defaults(options).epochs ?? (options.batch === "all" ? 100 : undefined);
}

/** Says what was given and what to write, where JavaScript would fail on a property of something else. */
function checkValues<D>(model: TrainableModel<D, object>, data: D, options: FitOptions<D>): Trainable<D, object> {
  if (!holds(model, "bind")) refuse("fit", "the model", model, "a model", called(model) ?? 'linear({ loss: "logistic" })');
  if (!holds(model, "trainable"))
    refuse(
      "fit",
      "the model",
      model,
      "one that brings what trains it",
      'linear({ loss: "logistic" }), or { ...model, trainable }',
    );
  const kind = model.trainable;
  kind.checkData("fit", "data", data, "a Dataset", "Dataset.fromArrays({ x, y }), or read a file with @ergodic/ingest");
  if (typeof options !== "object" || options === null) refuse("fit", "options", options, "an object", "{ epochs: 5 }");
  const { rule, variance, algorithm, validate } = options;
  checkRule("rule", rule);
  if (variance !== undefined && !isVariance(variance))
    refuse("fit", "variance", variance, "variance reduction", called(variance, ["svrg", "saga", "sag"]) ?? "saga()");
  if (algorithm === "auto") {
    if (kind.settle) return kind;
    throw new OptionError(
      "fit",
      `algorithm is "auto", which chooses among solvers of linear models, but the model is a ${model.name}; leave algorithm out`,
      "OPTION_CONFLICT",
    );
  }
  if (algorithm !== undefined && algorithm !== "gradient") {
    checkAlgorithm("fit", "algorithm", algorithm, "fit", "gradientDescent({ rule: adam() })");
    checkRule("the algorithm's rule", (algorithm as { rule?: unknown }).rule);
  }
  checkHeldOut("fit", kind, validate);
  return kind;
}

function checkRule(name: string, rule: unknown): void {
  if (rule === undefined || isRule(rule)) return;
  refuse("fit", name, rule, "a rule", called(rule, definedRules.names()) ?? "adam({ rate: 0.001 })");
}

/** The call that was meant by a factory, or by a name. */
function called(value: unknown, names: readonly string[] = []): string | undefined {
  if (typeof value === "function") return `${factoryName(value)}(), not ${factoryName(value)}`;
  return typeof value === "string" && names.includes(value) ? `${value}()` : undefined;
}

/**
 * Trains a model on data, and gives a predictor.
 *
 *   const data = await readCsv("adult.csv", { target: "income" });            // @ergodic/ingest; or Dataset.fromArrays({ x, y })
 *   const { train, test } = data.split(0.8, { seed: 1 });
 *   const model = await fit(linear({ loss: "logistic" }), train, { epochs: 10, validate: test, seed: 1 });
 *   model.evaluate(test).accuracy;
 *   model.predict({ age: 40, hours: 38 }).value;
 *   await model.save("income.safetensors");                                   // await predictor("income.safetensors")
 *
 * Models: linear(), network(), factorisation(); a model() is fitted by its posterior's mode. `rule`: the step rule (default
 * adagrad() for linear models that descend, with a group penalty sgd() and saga(); adam() for networks); `variance`: svrg(),
 * saga(), sag(); or a whole `algorithm`: linear models are solved unless an option speaks of descent (docs/solvers.md).
 * Stopping: `epochs` (default 5; 100 with batch: "all"; what algorithms ask for that stop on convergence) or `until`.
 * `validate`: held-out rows, measured every `validateEvery` epochs; `patience` stops early and keeps the best parameters.
 * A run can be awaited, or iterated over its ticks (`for await`); it can be paused, stopped, and checkpointed.
 * `fit.resume(checkpoint, data)` resumes bit for bit. `from`: a trained model, its file or a
 * checkpoint, at which training on other data begins. `fit.path(linear(), data)` fits a whole path of penalties.
 * `fit.stream(linear(), blocks)` trains on blocks that come one after another.
 * `fit.check(options)` checks options before data are read.
 *
 * @throws OptionError, CapabilityError when something does not fit; the reason of an aborted `signal`
 */
export const fit = Object.assign(start, { resume, check, path, stream });

/** `fit` without streams: what runs on data that are there from the start. */
export type FitVerb = typeof start & { readonly resume: typeof resume; readonly check: typeof check; readonly path: typeof path };
