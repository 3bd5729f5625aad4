/**
 * fit(model, data, options): trains a model with the loop, and gives a predictor. Awaitable, and an async iterable of ticks.
 *
 * rule: the step rule (default adagrad; with a group penalty sgd with saga; for networks adam); `variance`: svrg(), saga(), sag(); or a whole `algorithm`. Stopping:
 * `epochs` (default 5; on full gradients 100; what algorithms that end by themselves ask for) or `until`.
 * `validate`: held-out rows, evaluated every `validateEvery` epochs; `patience` stops early and keeps the best parameters. The rest is the
 * plan of execution (loop/plan.ts). `fit.resume(checkpoint, data)` goes on bit for bit.
 *
 * A statistical model is fitted by its posterior's mode (mode.ts).
 *
 * @throws OptionError, CapabilityError when something does not fit; what `signal` was aborted with
 */

import { definedRules } from "../../algorithms/gradient/rule.ts";
import { isVariance } from "../../algorithms/gradient/variance.ts";
import { algorithmFrom } from "../../algorithms/index.ts";
import { checkSignal, holds, refuse } from "../../base/checks.ts";
import { assert, CapabilityError, checkKeys, DataError, OptionError } from "../../base/errors.ts";
import { factoryName } from "../../base/shown.ts";
import type { JsonObject, Model, Plan, PredictionKind, Prepared, Progression, SavedModel } from "../../contract.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Ratings } from "../../data/ratings.ts";
import { type Engine, openEngine } from "../../host/engine.ts";
import { type Checkpoint, fromCheckpoint, readCheckpoint, writeCheckpoint } from "../../loop/checkpoint.ts";
import { type PlanOptions, planFromJson, planKeys, resolvePlan } from "../../loop/plan.ts";
import { Run, type RunSummary, type Started } from "../../loop/run.ts";
import { resolveStopping, type StoppingOptions } from "../../loop/stopping.ts";
import type { LinearModel } from "../../models/linear/linear.ts";
import type { NetworkModel } from "../../models/neural/network.ts";
import type { FactorisationModel } from "../../models/ratings/factorisation.ts";
import type { ModelData, StatisticalModel } from "../../models/statistical/index.ts";
import type { FactorPredictor } from "../../predict/factorisation.ts";
import type { LinearPredictor } from "../../predict/linear.ts";
import type { NetworkPredictor } from "../../predict/network.ts";
import { trainableLinear } from "./kinds/linear.ts";
import { trainableNetwork } from "./kinds/network.ts";
import { trainableRatings } from "./kinds/ratings.ts";
import { type FitOptions, refuseOtherData, type Trainable } from "./kinds/trainable.ts";
import { fitMode, type Mode, type ModeOptions } from "./mode.ts";
import { path } from "./path.ts";

export type { FitOptions } from "./kinds/trainable.ts";

/** Kinds of models by name: one line each. */
const kinds = {
  linear: trainableLinear,
  network: trainableNetwork,
  factorisation: trainableRatings,
};

/** How it was made; `gap`: the certified duality gap, relative to the null model's loss (dual ascent: to the objective), where the algorithm knows one. */
export interface Trained {
  readonly run: RunSummary;
  readonly gap?: number;
}

/** A predictor, and how it was made. */
export type Fitted<K extends PredictionKind = PredictionKind> = LinearPredictor<K> & Trained;

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
  ...planKeys,
];

function start(model: StatisticalModel, data: ModelData, options?: ModeOptions): Run<Mode>;
function start(model: FactorisationModel, data: Ratings, options?: FitOptions<Ratings>): Run<FactorPredictor & Trained>;
function start<K extends PredictionKind>(
  model: NetworkModel<K>,
  data: Dataset,
  options?: FitOptions<Dataset>,
): Run<NetworkPredictor<K> & Trained>;
function start<K extends PredictionKind>(model: LinearModel<K>, data: Dataset, options?: FitOptions<Dataset>): Run<Fitted<K>>;
function start<D>(
  model: Model<D> | StatisticalModel,
  data: D | ModelData,
  options?: FitOptions<D> | ModeOptions,
): Run<object & Trained> | Run<Mode> {
  if (holds(model, "condition")) return fitMode(model as StatisticalModel, data as ModelData, options as ModeOptions);
  return begin(model as Model<D>, data as D, options as FitOptions<D>);
}

function begin<D>(model: Model<D>, data: D, options: FitOptions<D> = {}): Run<object & Trained> {
  const kind = checkValues(model, data, options);
  const stopping = checkTogether(options, kind, options.validate !== undefined);
  return launch(kind, data, options, async () => ({ model, options, stopping }));
}

/**
 * Throws what `fit` would say of these options whatever the model and its data, so that it can be known before data are read. `validates`: held-out rows will be given.
 *
 * @throws OptionError for a value out of range or an unknown name; CapabilityError for a plan without meaning
 */
async function check(options: FitOptions, { validates = false }: { validates?: boolean } = {}): Promise<void> {
  checkTogether(options, trainableLinear, validates);
  resolvePlan("fit", planOf(options), (await openEngine()).describe(), trainableLinear.defaults(options));
}

function checkTogether<D>(options: FitOptions<D>, kind: Trainable<D, object>, validates: boolean): StoppingOptions {
  checkKeys("fit", options, known);
  checkSignal("fit", options.signal);
  if (options.algorithm && (options.rule || options.variance)) {
    throw new OptionError(
      "fit",
      "both algorithm and rule or variance were given; give the rule to the algorithm",
      "OPTION_CONFLICT",
    );
  }
  const epochs = options.epochs ?? (options.until === undefined ? defaultEpochs(kind, options) : undefined);
  return resolveStopping("fit", { ...options, epochs }, validates);
}

/** An epoch of full gradients is one update. */
function defaultEpochs<D>(kind: Trainable<D, object>, options: FitOptions<D>): number | undefined {
  return kind.defaults(options).epochs ?? (options.batch === "all" ? 100 : undefined);
}

/** Says what was given and what to write, where JavaScript would fail on a property of something else. */
function checkValues<D>(model: Model<D>, data: D, options: FitOptions<D>): Trainable<D, object> {
  if (!holds(model, "bind")) refuse("fit", "the model", model, "a model", called(model) ?? 'linear({ loss: "logistic" })');
  const kind = kindOf<D>(model.name);
  kind.checkData("fit", "data", data, "a Dataset", "Dataset.fromArrays({ x, y }), or read a file with @ergodic/ingest");
  if (typeof options !== "object" || options === null) refuse("fit", "options", options, "an object", "{ epochs: 5 }");
  const { rule, variance, algorithm, validate } = options;
  checkRule("rule", rule);
  if (variance !== undefined && !isVariance(variance))
    refuse("fit", "variance", variance, "variance reduction", called(variance, ["svrg", "saga", "sag"]) ?? "saga()");
  if (algorithm !== undefined) {
    if (!holds(algorithm, "start")) refuse("fit", "algorithm", algorithm, "an algorithm", "gradientDescent({ rule: adam() })");
    checkRule("the algorithm's rule", (algorithm as { rule?: unknown }).rule);
  }
  checkHeldOut("fit", kind, validate);
  return kind;
}

function kindOf<D>(name: string): Trainable<D, object> {
  const kind = Object.entries(kinds).find(([known]) => known === name)?.[1];
  assert(kind, `the verb fit knows no model "${name}"`);
  return kind as unknown as Trainable<D, object>;
}

function checkRule(name: string, rule: unknown): void {
  if (rule === undefined || (holds(rule, "kind") && holds(rule, "toJSON"))) return;
  refuse("fit", name, rule, "a rule", called(rule, definedRules.names()) ?? "adam({ rate: 0.001 })");
}

function checkHeldOut<D>(where: string, kind: Trainable<D, object>, validate: unknown): void {
  if (validate === undefined) return;
  kind.checkData(where, "validate", validate, "a Dataset of held-out rows", "data.split(0.8, { seed: 1 }).test");
}

/** The call that was meant by a factory, or by a name. */
function called(value: unknown, names: readonly string[] = []): string | undefined {
  if (typeof value === "function") return `${factoryName(value)}(), not ${factoryName(value)}`;
  return typeof value === "string" && names.includes(value) ? `${value}()` : undefined;
}

/** What a resumed run may change: when to stop, how it is watched, on how many workers. */
export type ResumeOptions<D = Dataset> = Pick<
  FitOptions<D>,
  "epochs" | "until" | "validate" | "validateEvery" | "patience" | "signal" | "workers"
>;

/** Goes on from a checkpoint, bit for bit; `data` must be the same data. `P`: what the caller knows the run to make. */
function resume(
  from: string | Uint8Array | Blob,
  data: Ratings,
  options?: ResumeOptions<Ratings>,
): Run<FactorPredictor & Trained>;
function resume<P extends Fitted | (NetworkPredictor & Trained) = Fitted>(
  from: string | Uint8Array | Blob,
  data: Dataset,
  options?: ResumeOptions,
): Run<P>;
function resume<D>(from: string | Uint8Array | Blob, data: D, options?: ResumeOptions<D>): Run<object & Trained> {
  return goOn(from, data, options);
}

function goOn<D>(from: string | Uint8Array | Blob, data: D, options: ResumeOptions<D> = {}): Run<object & Trained> {
  checkKeys("fit.resume", options, ["epochs", "until", "validate", "validateEvery", "patience", "signal", "workers"]);
  checkSignal("fit.resume", options.signal);
  // Of those that take such data; the checkpoint says which.
  const first = kindOfData<D>(data);
  checkHeldOut("fit.resume", first, options.validate);
  return launch(first, data, options, async () => {
    const checkpoint = await readCheckpoint(from);
    return fromCheckpoint(() => recipeOf(checkpoint, data, options));
  });
}

/** What a checkpoint and the options of its resumption ask for. */
function recipeOf<D>(checkpoint: Checkpoint, data: D, options: ResumeOptions<D>): Recipe<D> {
  const { recipe } = checkpoint;
  const kind = kindOfCheckpoint(data, recipe);
  refuseOtherData("fit.resume", kind, data, recipe.data as JsonObject);
  const saved = recipe.stopping as unknown as StoppingOptions;
  const until = options.until ?? (options.epochs !== undefined ? { epochs: options.epochs } : saved.until);
  const { validateEvery = saved.validateEvery, patience = saved.patience ?? undefined } = options;
  const plan = planFromJson(recipe.plan);
  refuseOtherLanes(plan, options.workers);
  if (patience !== undefined && !options.validate) {
    throw new OptionError(
      "fit.resume",
      `the run ends after ${patience} validations without a lower loss; give validate: its held-out rows`,
      "OPTION_MISSING",
    );
  }
  return {
    kind,
    model: kind.from(recipe.model as JsonObject),
    options: { ...plan, ...options, algorithm: algorithmFrom(recipe.algorithm as JsonObject) },
    stopping: resolveStopping("fit.resume", { until, validateEvery, patience }, options.validate !== undefined),
    checkpoint,
  };
}

/** The kind of model that the run was of; not where another verb wrote the checkpoint, or where the model takes other data. */
function kindOfCheckpoint<D>(data: D, { path, model }: JsonObject): Trainable<D, object> {
  const named = kinds as unknown as Record<string, Trainable<D, object>>;
  const name = (model as JsonObject | undefined)?.model;
  const refuse = (message: string): never => {
    throw new DataError("fit.resume", message, "CHECKPOINT_KIND");
  };
  if (path) refuse("the checkpoint is of a path, not of one fit; take fit.path.resume");
  if (name === undefined) refuse("the checkpoint is not of a fit; go on with the verb that wrote it, e.g. minimize.resume");
  const kind = Object.hasOwn(named, String(name)) ? named[String(name)] : undefined;
  if (!kind || !takes(kind, data))
    return refuse(`the checkpoint is of a model "${String(name)}", which takes other data; give the data of that run`);
  return kind;
}

/** The first kind that takes such data. */
function kindOfData<D>(data: unknown): Trainable<D, object> {
  const all = Object.values(kinds) as unknown as Trainable<D, object>[];
  const kind = all.find((one) => takes(one, data)) ?? all[0];
  kind.checkData("fit.resume", "data", data, "a Dataset", "the dataset of the run");
  return kind;
}

function takes<D>(kind: Trainable<D, object>, data: unknown): boolean {
  try {
    kind.checkData("fit.resume", "data", data, "a Dataset", "the dataset of the run");
    return true;
  } catch {
    return false;
  }
}

/** Racing workers are as many sequences of updates: their number belongs to the run. */
function refuseOtherLanes(plan: Plan, workers: number | undefined): void {
  if (plan.replicas !== "shared" || workers === undefined || workers === plan.workers) return;
  throw new CapabilityError(
    "fit.resume",
    `workers is ${workers}, but ${plan.workers} workers shared one model in this run; leave workers out`,
    "CHECKPOINT_PLAN",
  );
}

/** All that a run is made from. `kind`: where it is known by now only. */
interface Recipe<D> {
  kind?: Trainable<D, object>;
  model: Model<D>;
  options: FitOptions<D>;
  stopping: StoppingOptions;
  checkpoint?: Checkpoint;
}

function launch<D>(
  first: Trainable<D, object>,
  data: D,
  { signal, validate }: FitOptions<D>,
  read: () => Promise<Recipe<D>>,
): Run<object & Trained> {
  let kind = first;
  let model: Model<D>;
  let prepared: D;
  let json: JsonObject;
  /** Held-out rows with the model's features, made once: the map may cost more than an epoch. */
  let followed: Prepared<D> | undefined;
  const save = (parameters: Float64Array): SavedModel => {
    const saved = model.save(prepared, parameters);
    return { ...saved, description: { ...saved.description, algorithm: json.algorithm, plan: json.plan } };
  };
  const begun = ({ options, stopping, checkpoint, ...recipe }: Recipe<D>, engine: Engine): Started => {
    const plan = resolvePlan("fit", planOf(options), engine.describe(), kind.defaults(options), kind.typeOf(data));
    model = recipe.model;
    const ready = model.prepare(data, plan);
    prepared = ready.dataset;
    const end = (): void => {
      followed?.dispose();
      ready.dispose();
    };
    return orElse(end, () => {
      const problem = model.bind(prepared, plan, engine);
      return orElse(
        () => problem.dispose(),
        () => {
          const algorithm = options.algorithm ?? kind.choose(options, { model, prepared, problem, plan });
          json = {
            model: model.toJson(),
            algorithm: algorithm.toJson(),
            plan: plan as unknown as JsonObject,
            stopping: { ...stopping, patience: stopping.patience ?? null } as unknown as JsonObject,
          };
          const progression = algorithm.start(problem, plan, engine);
          return {
            progression: endingWith(progression, () => {
              problem.dispose();
              end();
            }),
            stopping,
            chosen: save(new Float64Array(problem.parameterCount)).description,
            ...(checkpoint ? { resume: checkpoint } : {}),
          };
        },
      );
    });
  };
  return new Run<object & Trained>({
    resultNames: ["predict", "evaluate", "save"],
    signal,
    ...(validate
      ? {
          validate: (parameters) =>
            kind.measure(model.save(prepared, parameters), (followed ??= kind.follow(validate, prepared)).dataset, prepared),
        }
      : {}),
    start: async () => {
      const recipe = await read();
      const { checkpoint } = recipe;
      kind = recipe.kind ?? first;
      const engine = await openEngine();
      const begin = (): Started => begun(recipe, engine);
      return checkpoint ? fromCheckpoint(begin) : begin();
    },
    finish: (parameters, run) => {
      const { gap } = run.report;
      return Object.assign(kind.predictor(save(parameters)), { run }, gap === undefined ? {} : { gap });
    },
    write: (path, snapshot, loop) => writeCheckpoint(path, { snapshot, loop, recipe: { ...json, data: kind.fingerprint(data) } }),
  });
}

/** `end` after the progression's own dispose(). */
function endingWith(progression: Progression, end: () => void): Progression {
  const dispose = progression.dispose.bind(progression);
  progression.dispose = () => {
    dispose();
    end();
  };
  return progression;
}

/** What `make` gives; where it throws, `undo` first. */
function orElse<T>(undo: () => void, make: () => T): T {
  try {
    return make();
  } catch (error) {
    undo();
    throw error;
  }
}

function planOf(options: object): PlanOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => planKeys.includes(key)));
}

export const fit = Object.assign(start, { resume, check, path });
