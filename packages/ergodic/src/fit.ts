/**
 * fit(model, data, options): trains a model with the loop, and gives a predictor. Awaitable, and an async iterable of ticks.
 *
 * rule: the step rule (default adagrad; with a group penalty sgd with saga); `variance`: svrg(), saga(), sag(); or a whole `algorithm`. Stopping:
 * `epochs` (default 5; on full gradients 100, and 1000 for rules that end when they have converged) or `until`.
 * `validate`: held-out rows, evaluated every `validateEvery` epochs; `patience` stops early and keeps the best parameters. The rest is the
 * plan of execution (loop/plan.ts). `fit.resume(checkpoint, data)` goes on bit for bit.
 *
 * @throws OptionError, CapabilityError when something does not fit; what `signal` was aborted with
 */

import { type GradientDescent, gradientDescent, gradientDescentFrom } from "./algorithms/gradient/gradient-descent.ts";
import { adagrad, type Rule, sgd } from "./algorithms/gradient/index.ts";
import { definedRules } from "./algorithms/gradient/rule.ts";
import { saga, theoreticalRate, type Variance } from "./algorithms/gradient/variance.ts";
import { CapabilityError, checkKeys, DataError, OptionError } from "./base/errors.ts";
import type { Algorithm, JsonObject, Plan, PredictionKind, Progression, SavedModel } from "./contract.ts";
import { Dataset } from "./data/dataset.ts";
import { openEngine } from "./host/engine.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./loop/checkpoint.ts";
import { type PlanOptions, planKeys, resolvePlan } from "./loop/plan.ts";
import { Run, type RunSummary } from "./loop/run.ts";
import { resolveStopping, type StoppingOptions, type Until } from "./loop/stopping.ts";
import { type LinearModel, linearFrom } from "./models/linear/linear.ts";
import type { LinearProblem } from "./models/linear/problem.ts";
import { LinearPredictor } from "./predict/linear.ts";

export interface FitOptions extends PlanOptions {
  rule?: Rule;
  variance?: Variance;
  algorithm?: Algorithm;
  epochs?: number;
  until?: Until;
  validate?: Dataset;
  validateEvery?: number;
  patience?: number;
  signal?: AbortSignal;
}

/** A predictor, and how it was made. */
export class Fitted<K extends PredictionKind = PredictionKind> extends LinearPredictor<K> {
  readonly run: RunSummary;

  constructor(saved: SavedModel, run: RunSummary) {
    super(saved);
    this.run = run;
  }
}

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

function start<K extends PredictionKind>(model: LinearModel<K>, data: Dataset, options: FitOptions = {}): Run<Fitted<K>> {
  checkValues(model, data, options);
  checkKeys("fit", options, known);
  if (options.algorithm && (options.rule || options.variance)) {
    throw new OptionError(
      "fit",
      "both algorithm and rule or variance were given; give the rule to the algorithm",
      "OPTION_CONFLICT",
    );
  }
  const epochs = options.epochs ?? (options.until ? undefined : defaultEpochs(options));
  const stopping = resolveStopping("fit", { ...options, epochs }, options.validate !== undefined);
  return launch<K>(data, options, async () => ({ model, options, stopping }));
}

/** Says what was given and what to write, where JavaScript would fail on a property of something else. */
function checkValues(model: unknown, data: unknown, options: FitOptions): void {
  if (!holds(model, "bind")) refuse("fit", "the model", model, "a model", called(model) ?? 'linear({ loss: "logistic" })');
  checkDataset("fit", "data", data, "a Dataset", "Dataset.fromArrays({ x, y }), or read a file with @ergodic/ingest");
  if (typeof options !== "object" || options === null) refuse("fit", "options", options, "an object", "{ epochs: 5 }");
  const { rule, variance, algorithm, validate } = options;
  checkRule("rule", rule);
  if (variance !== undefined && !holds(variance, "every"))
    refuse("fit", "variance", variance, "variance reduction", called(variance, ["svrg", "saga", "sag"]) ?? "saga()");
  if (algorithm !== undefined) {
    if (!holds(algorithm, "start")) refuse("fit", "algorithm", algorithm, "an algorithm", "gradientDescent({ rule: adam() })");
    checkRule("the algorithm's rule", (algorithm as Partial<GradientDescent>).rule);
  }
  checkHeldOut("fit", validate);
}

function checkRule(name: string, rule: unknown): void {
  if (rule === undefined || (holds(rule, "kind") && holds(rule, "toJSON"))) return;
  refuse("fit", name, rule, "a rule", called(rule, definedRules.names()) ?? "adam({ rate: 0.001 })");
}

function checkHeldOut(where: string, validate: unknown): void {
  if (validate === undefined) return;
  checkDataset(where, "validate", validate, "a Dataset of held-out rows", "data.split(0.8, { seed: 1 }).test");
}

function checkDataset(where: string, name: string, value: unknown, wanted: string, example: string): void {
  if (!(value instanceof Dataset)) refuse(where, name, value, wanted, example);
}

function holds(value: unknown, member: string): boolean {
  return typeof value === "object" && value !== null && member in value;
}

/** The call that was meant by a factory, or by a name. */
function called(value: unknown, names: readonly string[] = []): string | undefined {
  if (typeof value === "function") return `${factoryName(value)}(), not ${factoryName(value)}`;
  return typeof value === "string" && names.includes(value) ? `${value}()` : undefined;
}

function factoryName(factory: { name: string; ruleName?: unknown }): string {
  return typeof factory.ruleName === "string" ? factory.ruleName : factory.name || "make";
}

function refuse(where: string, name: string, value: unknown, wanted: string, example: string): never {
  throw new OptionError(where, `${name} is ${shown(value)}, but must be ${wanted}: write ${example}`, "OPTION_TYPE");
}

/** Short whatever its size: data may stand in the wrong place. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "function") return `the function ${factoryName(value)}, not called`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== "object" || value === null) return String(value);
  const kind = value.constructor?.name ?? "Object";
  return kind === "Object" ? `an object of ${Object.keys(value).slice(0, 5).join(", ") || "nothing"}` : `of type ${kind}`;
}

/** What a resumed run may change: when to stop, how it is watched, on how many workers. */
export type ResumeOptions = Pick<
  FitOptions,
  "epochs" | "until" | "validate" | "validateEvery" | "patience" | "signal" | "workers"
>;

/** Goes on from a checkpoint, bit for bit; `data` must be the same dataset. */
function resume(from: string | Uint8Array | Blob, data: Dataset, options: ResumeOptions = {}): Run<Fitted> {
  checkKeys("fit.resume", options, ["epochs", "until", "validate", "validateEvery", "patience", "signal", "workers"]);
  checkDataset("fit.resume", "data", data, "a Dataset", "the dataset of the run");
  checkHeldOut("fit.resume", options.validate);
  return launch(data, options, async () => {
    const checkpoint = await readCheckpoint(from);
    const { recipe } = checkpoint;
    refuseOtherData(data, recipe.data as JsonObject);
    const saved = recipe.stopping as unknown as StoppingOptions;
    const until = options.until ?? (options.epochs !== undefined ? { epochs: options.epochs } : saved.until);
    const { validateEvery = saved.validateEvery, patience = saved.patience ?? undefined } = options;
    const plan = recipe.plan as unknown as Plan;
    refuseOtherLanes(plan, options.workers);
    if (patience !== undefined && !options.validate) {
      throw new OptionError(
        "fit.resume",
        `the run ends after ${patience} validations without a lower loss; give validate: its held-out rows`,
        "OPTION_MISSING",
      );
    }
    return {
      model: linearFrom(recipe.model as JsonObject),
      options: { ...plan, ...options, algorithm: gradientDescentFrom(recipe.algorithm as JsonObject) },
      stopping: resolveStopping("fit.resume", { until, validateEvery, patience }, options.validate !== undefined),
      checkpoint,
    };
  });
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

function refuseOtherData(data: Dataset, kept: JsonObject): void {
  const given = fingerprint(data);
  if (given.rowCount === kept.rowCount && given.columnCount === kept.columnCount && given.digest === kept.digest) return;
  const size = (d: JsonObject): string =>
    `${String(d.rowCount)} rows of ${String(d.columnCount)} columns (digest ${String(d.digest)})`;
  throw new DataError(
    "fit.resume",
    `the data has ${size(given)}, but the run was on ${size(kept)}; give the same dataset`,
    "CHECKPOINT_DATA",
  );
}

/** All that a run is made from. */
interface Recipe {
  model: LinearModel;
  options: FitOptions;
  stopping: StoppingOptions;
  checkpoint?: Checkpoint;
}

function launch<K extends PredictionKind>(
  data: Dataset,
  { signal, validate }: FitOptions,
  read: () => Promise<Recipe>,
): Run<Fitted<K>> {
  let model: LinearModel;
  let prepared: Dataset;
  let json: JsonObject;
  /** Held-out rows with the model's features, made once: the map may cost more than an epoch. */
  let followed: Dataset | undefined;
  const save = (parameters: Float64Array): SavedModel => {
    const saved = model.save(prepared, parameters);
    return { ...saved, description: { ...saved.description, algorithm: json.algorithm, plan: json.plan } };
  };
  return new Run<Fitted<K>>({
    signal,
    ...(validate
      ? { validate: (parameters) => measure(model.save(prepared, parameters), (followed ??= validate.follow(prepared.pipeline))) }
      : {}),
    start: async () => {
      const recipe = await read();
      const { options, stopping, checkpoint } = recipe;
      const engine = await openEngine();
      const plan = resolvePlan("fit", planOf(options), engine.describe(), {
        batch: defaultBatch(options),
        schedule: defaultSchedule(options),
      });
      model = recipe.model;
      const ready = model.prepare(data, plan);
      prepared = ready.dataset;
      const end = (): void => {
        if (followed !== validate) followed?.dispose();
        ready.dispose();
      };
      return orElse(end, () => {
        const problem = model.bind(prepared, plan, engine);
        return orElse(
          () => problem.dispose(),
          () => {
            const algorithm =
              options.algorithm ?? chooseAlgorithm(options, plan.schedule, problem, () => unitOf(model, prepared, problem));
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
    },
    finish: (parameters, summary) => new Fitted(save(parameters), summary),
    write: (path, snapshot, loop) => writeCheckpoint(path, { snapshot, loop, recipe: { ...json, data: fingerprint(data) } }),
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

function planOf(options: FitOptions): PlanOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => planKeys.includes(key)));
}

/** Rules on the full objective run on it; all others on single rows. */
function defaultBatch(options: FitOptions): number | "all" {
  const rule = options.rule ?? (options.algorithm as GradientDescent | undefined)?.rule;
  return rule?.kind === "host" ? "all" : 1;
}

/** An epoch of full gradients is one update. */
function defaultEpochs(options: FitOptions): number | undefined {
  if (defaultBatch(options) === "all") return 1000;
  return options.batch === "all" ? 100 : undefined;
}

/** SAG needs fresh draws (variance.ts). */
function defaultSchedule(options: FitOptions): Plan["schedule"] {
  const variance = options.variance ?? (options.algorithm as GradientDescent | undefined)?.variance;
  return variance?.name === "sag" ? "replacement" : "shuffled";
}

function chooseAlgorithm(options: FitOptions, schedule: Plan["schedule"], problem: LinearProblem, unit: () => number): Algorithm {
  const { rule } = options;
  const { penalty } = problem;
  const variance = options.variance ?? (penalty.group > 0 && !rule ? saga() : undefined);
  if (rule) return gradientDescent({ rule, variance });
  if (!variance) return gradientDescent({ rule: adagrad({ rate: 0.1 * unit() }) });
  const l2 = penalty.l2 * penalty.weights.reduce((a, b) => Math.max(a, b), 0);
  const { smoothness } = problem;
  if (smoothness === undefined)
    throw new CapabilityError(
      "fit",
      `${variance.name} has no step size of its own here, since the loss's curvature is not bounded; give a rule, e.g. sgd({ rate: 0.01 })`,
      "VARIANCE_RATE",
    );
  if (variance.name === "sag" && schedule !== "replacement") {
    throw new CapabilityError(
      "fit",
      `sag's own step size is for rows drawn with replacement, but schedule is "${schedule}", where it diverges; leave schedule out, take saga(), or give a rule with a smaller rate`,
      "VARIANCE_RATE",
    );
  }
  return gradientDescent({ rule: sgd({ rate: theoreticalRate(variance, smoothness, l2) }), variance });
}

/** AdaGrad's steps are in units of the parameters, whatever the gradient's size: for numbers as targets, in those of the target. */
function unitOf(model: LinearModel, prepared: Dataset, problem: LinearProblem): number {
  const { description } = model.save(prepared, new Float64Array(problem.parameterCount));
  if (description.task !== "regression") return 1;
  const { values } = prepared.target;
  return Math.sqrt(values.reduce((sum, y) => sum + y * y, 0) / values.length) || 1;
}

/** Metrics on held-out rows; `loss` is the log loss where there are probabilities, else what the task minimises. */
function measure(saved: SavedModel, validate: Dataset): Record<string, number> {
  const measured = new LinearPredictor(saved).evaluate(validate) as unknown as Record<string, number>;
  const loss =
    [measured.logLoss, measured.deviance, measured.rmse, 1 - measured.accuracy].find((x) => Number.isFinite(x)) ?? Number.NaN;
  return { loss, ...Object.fromEntries(Object.entries(measured).filter(([, value]) => typeof value === "number")) };
}

/** Tells datasets apart: sizes, and a digest of targets and of some rows. */
function fingerprint(data: Dataset): JsonObject {
  let hash = 0x811c9dc5;
  const mix = (values: Float64Array): void => {
    for (const word of new Uint32Array(values.buffer, values.byteOffset, 2 * values.length))
      hash = Math.imul(hash ^ word, 0x01000193);
  };
  mix(data.target.values);
  for (let k = 0; k < 16; k++) mix(data.row(Math.floor((k * (data.rowCount - 1)) / 15)));
  return { rowCount: data.rowCount, columnCount: data.columnCount, digest: (hash >>> 0).toString(16) };
}

export const fit = Object.assign(start, { resume });
