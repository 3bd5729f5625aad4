import type { Algorithm } from "../../engine/contract/index.ts";
import { checkAlgorithm, checkSignal, holds, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../../engine/errors/errors.ts";
import { factoryName } from "../../engine/errors/shown.ts";
import { planKeys, resolvePlan } from "../../engine/loop/plan.ts";
import type { Run } from "../../engine/loop/run.ts";
import { resolveStopping, type StoppingOptions } from "../../engine/loop/stopping.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { isRule } from "../../engine/optimise/kinds.ts";
import { definedRules } from "../../engine/optimise/rule.ts";
import { isVariance } from "../../engine/optimise/variance.ts";
import { later } from "../../engine/threads/later.ts";
import { checkFrom, fromKeys } from "./from-options.ts";
import { checkHeldOut, type FitOptions, type SettledOptions, type Trainable, type TrainableModel } from "./kinds/trainable.ts";
import { launch, planOf, type Trained } from "./launch.ts";

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
/** Options of rules and models that users of other libraries expect here. */
const absent = {
  rate: "the rule has the step size; write rule: adam({ rate: 0.01 })",
  penalty: "penalties are options of models; write linear({ l2: 0.01 }) or linear({ l1: 0.01 })",
  C: "it is an inverse penalty, and penalties are options of models; write linear({ l2: 1 / (n * C) }) for n rows",
  cv: "write crossValidate(model, data, { folds: 5 })",
  nEstimators: "epochs sets the number of passes over the rows or, for trees(), the number of rounds",
  ...Object.fromEntries(
    ["loss", "l1", "l2", "standardise", "intercept", "classWeights"].map((name) => [
      name,
      `it is an option of models; write linear({ ${name}: … })`,
    ]),
  ),
};

/** Trains a model with its own adapter (`trainable`); see `fit`. */
export function train<D, P extends object>(model: TrainableModel<D, P>, data: D, options: FitOptions<D> = {}): Run<P & Trained> {
  const kind = checkValues(model, data, options);
  const validates = options.validate !== undefined;
  checkTogether(options, kind, validates);
  checkFrom(options);
  return launch(data, options, async () => {
    const algorithm = asked(options, kind);
    const meant = kind.meant?.(data, model) ?? data;
    const left = (await kind.settle?.(model, meant, { ...options, algorithm })) ?? {};
    const chosen = algorithm === "auto" ? left.algorithm : algorithm;
    const settled = { ...options, algorithm: chosen, workers: workersOf(options, algorithm, chosen) };
    const given = { kind, options: settled, stopping: checkTogether(settled, kind, validates), why: left.why };
    if (options.from === undefined) return { ...given, model: left.model ?? model };
    const { Begun } = await later(() => import("./from.ts"));
    const beginning = await Begun.read(options, model.name);
    return { ...given, model: beginning.modelOf(model), beginning };
  }) as Run<P & Trained>;
}

/** Options that apply only to descent. */
const ofDescent = [
  ...(["rule", "variance", "epochs", "batch", "schedule", "blockRows", "replicas", "data", "averageEvery"] as const),
  ...(["patience", "validateEvery", "from"] as const),
];

/**
 * Returns the requested algorithm. If no algorithm is named, the result is "auto" for kinds with solvers, unless an
 * option applies only to descent.
 */
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

/**
 * Returns the number of workers. "auto" can choose only one solver that uses several workers: gradient descent on all
 * rows.
 */
function workersOf<D>({ workers }: FitOptions<D>, algorithm: unknown, chosen: Algorithm | undefined): number | undefined {
  return algorithm === "auto" && chosen && chosen.name !== "gradientDescent" ? undefined : workers;
}

/**
 * Checks options before data are read. Throws the errors that `fit` would throw for these options regardless of the
 * model and data.
 * `validates`: whether held-out rows will be given.
 *
 * @throws OptionError for a value out of range or an unknown name; CapabilityError for options that contradict each
 * other
 */
export async function checkOptions(options: FitOptions, more: { validates?: boolean } = {}): Promise<void> {
  checkKeys("fit", options, known, { absent });
  checkKeys("fit.check", more, ["validates"]);
  const { validates = false } = more;
  const { trainableLinear } = await import("./kinds/linear.ts");
  checkTogether(options, trainableLinear, validates);
  const { algorithm } = options;
  const settled = { ...options, algorithm: typeof algorithm === "string" ? undefined : algorithm };
  resolvePlan("fit", planOf(options), (await openEngine()).describe(), trainableLinear.defaults(settled));
}

function checkTogether<D>(given: FitOptions<D>, kind: Trainable<D, object>, validates: boolean): StoppingOptions {
  const options = { ...given, algorithm: typeof given.algorithm === "string" ? undefined : given.algorithm };
  checkKeys("fit", options, known, { absent });
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

/** With batch: "all", an epoch is a single update, so the default number of epochs is larger. */
function defaultEpochs<D>(kind: Trainable<D, object>, options: SettledOptions<D>): number | undefined {
  return kind.defaults(options).epochs ?? (options.batch === "all" ? 100 : undefined);
}

/** Checks argument types first, so that the user sees our error instead of "cannot read properties of undefined". */
function checkValues<D>(model: TrainableModel<D, object>, data: D, options: FitOptions<D>): Trainable<D, object> {
  if (!holds(model, "bind")) refuse("fit", "the model", model, "a model", called(model) ?? 'linear({ loss: "logistic" })');
  if (!holds(model, "trainable"))
    refuse(
      "fit",
      "the model",
      model,
      "a model with the property trainable",
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

/** Suggests the correct call if the user passed a factory or a name. */
function called(value: unknown, names: readonly string[] = []): string | undefined {
  if (typeof value === "function") return `${factoryName(value)}(), not ${factoryName(value)}`;
  return typeof value === "string" && names.includes(value) ? `${value}()` : undefined;
}
