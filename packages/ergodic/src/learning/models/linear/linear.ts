/**
 * Linear models: mean_i w_i ℓ(z_i, y_i) + l1‖p‖₁ + l2/2‖p‖² + group Σ_g √|g| ‖p_g‖, z = x·p + intercept. The intercept
 * is not penalised.
 *
 * loss: a name, or the result of a factory. Default: logistic for two classes, multinomial for more, squared for
 * numbers. For a binary loss and more than two classes, the model is fitted one-vs-rest. `classWeights`: by class name,
 * or "balanced" (n / (classes × count)). `features`: a random feature map applied to the rows, which makes the linear
 * model a kernel machine.
 * `standardise`: columns have mean 0 and sd 1. Columns of sparse data are only scaled, unless they are numeric columns
 * of a table. Without an intercept, columns are not centred and are scaled to mean square 1. The statistics are learnt
 * from the training rows and stored in the model.
 * "auto" never standardises the features of a map, nor sparse columns that do not come from a table. Otherwise, "auto"
 * compares the columns by √mean(x²). "auto" standardises if these values differ by more than a factor of 10 or lie
 * outside 0.1 … 10. Without a map, columns that contain only 0 and 1, such as levels of categories, are neither scaled
 * nor compared. With `features`, the unit of a column is max|x|. Columns are then standardised if the largest unit is
 * more than 10 times the lower decile of the units. A map has one gamma for all columns. Enlarging columns that hardly
 * vary (pixels that are nearly always blank, rare levels) would therefore add noise to the distances.
 *
 * @throws OptionError for unknown options, losses or classes; CapabilityError if the loss does not suit the target
 */

import type {
  Beginning,
  ElementType,
  Json,
  JsonObject,
  Link,
  Model,
  Plan,
  PredictionKind,
  Prepared,
  SavedModel,
} from "../../../engine/contract/index.ts";
import { type Dataset, refuseGaps } from "../../../engine/data/dataset.ts";
import type { RandomFeatures } from "../../../engine/data/features/index.ts";
import { checkBoolean, checkChoice, holds, plain, refuse } from "../../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { checkVector, FROM, lossAfter, preparedAs, tensorOf } from "../beginning.ts";
import { checkClassWeights, chooseLoss, classWeights, resolveLoss, twoValues } from "../choose-loss.ts";
import type { Loss } from "../loss.ts";
import type { KindByLoss, KindByTask, LossName } from "../loss-name.ts";
import { standardised } from "../standardise.ts";
import { LinearProblem, strideOf } from "./problem.ts";

/** Options of `linear`. */
export interface LinearOptions {
  /**
   * Loss: "logistic", "hinge", "squaredHinge", "multinomial", "squared", "huber", "epsilonInsensitive", "quantile" or
   * "poisson"; or a loss made by its factory or by loss(). Default: logistic for two classes, multinomial for more,
   * squared for numbers. A target of two whole numbers, such as 0 and 1, means two classes.
   */
  loss?: LossName | Loss;
  /**
   * Strength of l1‖p‖₁, >= 0; or "auto". With "auto", the strength is chosen that predicts held-out rows best
   * (docs/solvers.md). Default 0.
   */
  l1?: number | "auto";
  /**
   * Strength of l2/2‖p‖², >= 0; or "auto". With "auto", the strength is chosen that predicts held-out rows best, or 0
   * for squared losses with 20 rows or more per column (docs/solvers.md). Default "auto" if a solver minimises a smooth
   * loss without another penalty; otherwise 0.
   */
  l2?: number | "auto";
  /**
   * Group penalty Σ_g √|g| ‖p_g‖: its strength, >= 0, and its groups, each a list of column names. A column in no group
   * is its own group. Default: none.
   */
  group?: { strength: number; groups: string[][] };
  /** Whether there is an intercept, which is not penalised. Default true. */
  intercept?: boolean;
  /**
   * Whether coefficients must be >= 0. The bound applies to the coefficients of standardised columns, which have the
   * same signs as the final coefficients. Needs coordinateDescent(). Default false.
   */
  nonNegative?: boolean;
  /**
   * Factors of l1 and l2 by column name, >= 0; 1 for columns not named. These factors do not apply to the group
   * penalty.
   */
  penaltyWeights?: Record<string, number>;
  /** Weights of the classes by name, or "balanced": n / (classes × count). Default: all 1. */
  classWeights?: "balanced" | Record<string, number>;
  /**
   * Random feature map applied to the rows, e.g. rff({ count: 1000 }), which makes the model a kernel machine. Default:
   * none.
   */
  features?: RandomFeatures;
  /**
   * Whether columns are scaled to mean 0 and standard deviation 1 (without an intercept, to mean square 1), as learnt
   * in training. Default "auto": scales the columns only if their units differ by more than a factor of 10 or are far
   * from 1. "auto" never scales columns of only 0 and 1, and it scales sparse columns only if they come from a table.
   */
  standardise?: boolean | "auto";
}

const known = [
  "loss",
  "l1",
  "l2",
  "group",
  "intercept",
  "nonNegative",
  "penaltyWeights",
  "classWeights",
  "features",
  "standardise",
];
/** Options of other libraries, and options of `fit`. */
const absent = {
  penalty: "write l2: 0.01 or l1: 0.01, which set the strengths of the two penalties",
  C: "it is an inverse penalty; write l2: 1 / (n * C) for n rows",
  cv: 'write l2: "auto" to choose the penalty, or crossValidate(model, data, { folds: 5 }) to measure a model',
  nEstimators: "a linear model is one vector of weights; ensembles of trees are made by trees()",
  epochs: "it is an option of fit; write fit(model, data, { epochs: 100 })",
  seed: "it is an option of fit; write fit(model, data, { seed: 1 })",
  rate: "it is an option of rules; write fit(model, data, { rule: adam({ rate: 0.01 }) })",
};

export type KindOf<O extends { readonly loss?: unknown }> = O extends { loss: infer L }
  ? L extends keyof KindByLoss
    ? KindByLoss[L]
    : L extends Loss<infer T>
      ? KindByTask[T]
      : PredictionKind
  : PredictionKind;

/** `K`: kind of prediction, if the compiler knows the loss. */
export interface LinearModel<K extends PredictionKind = PredictionKind> extends Model<Dataset> {
  /** For types only: kind of prediction. */
  readonly predicts?: K;
  /** The options, as given. */
  readonly options: Readonly<LinearOptions>;
  /** Binds the model to prepared data, as a problem for algorithms. */
  bind(prepared: Dataset, plan: Plan, engine: Engine): LinearProblem;
}

export function linearModel<const O extends LinearOptions = Record<never, never>>(
  given?: O,
  beginning?: Beginning,
): LinearModel<KindOf<O>> {
  const options: LinearOptions = given === undefined ? {} : given;
  checkKeys("linear", options, known, { absent });
  for (const name of ["l1", "l2"] as const)
    if (options[name] !== "auto") checkNumber("linear", name, options[name] ?? 0, { low: 0, or: ' or "auto"' });
  for (const name of ["intercept", "nonNegative"] as const)
    if (options[name] !== undefined) checkBoolean("linear", name, options[name]);
  if (options.standardise !== undefined) checkChoice("linear", "standardise", options.standardise, ["auto", true, false]);
  if (options.group !== undefined) checkGroup(options.group);
  if (options.penaltyWeights !== undefined) checkWeights("linear.penaltyWeights", options.penaltyWeights);
  checkClassWeights("linear", options.classWeights);
  if (options.features !== undefined && !holds(options.features, "gamma"))
    refuse("linear", "features", options.features, "random features", "rff({ count: 1000 })");
  if (options.loss !== undefined) resolveLoss("linear", options.loss);
  return {
    name: "linear",
    options,
    toJSON: () => toJSON(options),
    prepare: (data, { precision }) =>
      beginning?.description ? preparedAs(data, beginning.description, precision.data) : prepare(options, data, precision.data),
    bind: (prepared, plan, engine) => bind(options, prepared, plan, engine, beginning),
    save: (prepared, parameters) => save(options, prepared, parameters),
    startingAt: (other) => linearModel({ ...options, loss: lossAfter(options.loss, other) }, other),
  };
}

function checkGroup(group: NonNullable<LinearOptions["group"]>): void {
  checkKeys("linear.group", group, ["groups", "strength"]);
  checkNumber("linear", "group.strength", group.strength, { low: 0 });
  const { groups } = group;
  const fits =
    Array.isArray(groups) && groups.every((names) => Array.isArray(names) && names.every((n) => typeof n === "string"));
  if (!fits) refuse("linear", "group.groups", groups, "lists of columns", '[["a", "b"], ["c"]]');
}

function checkWeights(where: string, given: Record<string, number>): void {
  for (const [name, weight] of Object.entries(plain(where, given))) checkNumber(where, name, weight, { low: 0 });
}

function toJSON(options: LinearOptions): JsonObject {
  const { loss, features, ...rest } = options;
  return {
    model: "linear",
    ...(rest as unknown as JsonObject),
    ...(loss === undefined ? {} : { loss: resolveLoss("linear", loss).toJSON() }),
    ...(features ? { features: features.toJSON() } : {}),
  };
}

function prepare(options: LinearOptions, data: Dataset, type: ElementType): Prepared<Dataset> {
  refuseGaps("linear", data);
  const scaled = standardised(data, options.standardise ?? "auto", options.features !== undefined, options.intercept ?? true);
  const mapped = options.features ? scaled.map(options.features) : scaled;
  if (scaled !== data && scaled !== mapped) scaled.dispose();
  const dispose = (): void => {
    if (mapped !== data) mapped.dispose();
  };
  return { dataset: mapped.as(type), dispose, [Symbol.dispose]: dispose };
}

function bind(options: LinearOptions, data: Dataset, plan: Plan, engine: Engine, beginning?: Beginning): LinearProblem {
  const { loss, outputs } = chooseLoss("linear", options.loss, data);
  const intercept = options.intercept ?? true;
  return new LinearProblem(data, engine, {
    loss,
    outputs,
    intercept,
    start: beginning && startOf(beginning, data, outputs, intercept),
    l1: strengthOf("l1", options.l1),
    l2: strengthOf("l2", options.l2),
    group: options.group?.strength ?? 0,
    nonNegative: options.nonNegative ?? false,
    groups: options.group ? groupsByIndex(options.group.groups, data) : [],
    penaltyWeights: options.penaltyWeights && penaltyWeights(options.penaltyWeights, data),
    classWeights: options.classWeights && classWeights("linear", options.classWeights, data),
    model: plan.precision.model,
    deterministic: plan.deterministic,
  });
}

/** Returns the strength of a penalty. `fit` has already replaced "auto"; other verbs do not choose a strength. */
function strengthOf(name: "l1" | "l2", given: number | "auto" = 0): number {
  if (given !== "auto") return given;
  throw new OptionError(
    "linear",
    `${name} is "auto", which fit() chooses; give a number here, e.g. ${name}: 1e-3`,
    "OPTION_CONFLICT",
  );
}

function groupsByIndex(groups: string[][], data: Dataset): number[][] {
  const position = new Map(data.names.map((name, j) => [name, j]));
  const indices = groups.map((names) =>
    names.map((name) => {
      const j = position.get(name);
      if (j !== undefined) return j;
      throw new OptionError(
        "linear",
        `group names column "${name}", which the data does not have (columns: ${data.names.slice(0, 8).join(", ")} …)`,
        "OPTION_COLUMN",
      );
    }),
  );
  const grouped = new Set<number>();
  for (const j of indices.flat()) {
    if (grouped.has(j))
      throw new OptionError(
        "linear",
        `column "${data.names[j]}" is in a group twice, but groups may not overlap; name it once`,
        "OPTION_COLUMN",
      );
    grouped.add(j);
  }
  return [
    ...indices,
    ...data.names
      .map((_, j) => j)
      .filter((j) => !grouped.has(j))
      .map((j) => [j]),
  ];
}

function penaltyWeights(given: Record<string, number>, data: Dataset): Float64Array {
  checkKeys("linear.penaltyWeights", given, data.names);
  return Float64Array.from(data.names, (name) => given[name] ?? 1);
}

/**
 * Returns initial parameters in the layout of linear/problem.ts, from the weights and intercepts of a starting point.
 */
function startOf({ numbers, reset }: Beginning, data: Dataset, outputs: number, intercept: boolean): Float64Array | undefined {
  if (reset.length > 0)
    throw new OptionError(FROM, "reset names parts of networks, but a linear model has none; leave it out", "OPTION_CONFLICT");
  if (!numbers) return undefined;
  const { columnCount } = data;
  const stride = strideOf(columnCount);
  const size = outputs * columnCount;
  let weights: ArrayLike<number>;
  let intercepts: ArrayLike<number>;
  if ("vector" in numbers) {
    const count = size + (intercept ? outputs : 0);
    checkVector(numbers.vector, count, `${size} weights, output by output${intercept ? `, then ${outputs} intercepts` : ""}`);
    weights = numbers.vector.subarray(0, size);
    intercepts = numbers.vector.subarray(size);
  } else {
    weights = tensorOf(numbers.tensors, "weights", size) ?? [];
    intercepts = tensorOf(numbers.tensors, "intercept", outputs) ?? new Float64Array(outputs);
  }
  const all = new Float64Array(outputs * stride);
  for (let k = 0; k < outputs; k++) {
    for (let j = 0; j < columnCount; j++) all[k * stride + j] = weights[k * columnCount + j];
    if (intercept) all[k * stride + columnCount] = intercepts[k] / data.layout.one;
  }
  return all;
}

function save(options: LinearOptions, data: Dataset, parameters: Float64Array): SavedModel {
  const { loss, outputs } = chooseLoss("linear", options.loss, data);
  const { columnCount } = data;
  const stride = parameters.length / outputs;
  const weights = new Float64Array(outputs * columnCount);
  const intercept = new Float64Array(outputs);
  for (let k = 0; k < outputs; k++) {
    weights.set(parameters.subarray(k * stride, k * stride + columnCount), k * columnCount);
    if (options.intercept ?? true) intercept[k] = parameters[k * stride + columnCount] * data.layout.one;
  }
  const link: Link = outputs > 1 && !loss.joint ? (loss.link === "sigmoid" ? "sigmoidNormalised" : "sign") : loss.link;
  return {
    kind: "linear",
    description: {
      model: toJSON({ ...options, loss: options.loss ?? loss }),
      loss: loss.toJSON(),
      equation: loss.equation,
      task: outputs > 1 ? "multiclass" : loss.task,
      link,
      target: {
        name: data.target.name,
        levels: data.target.levels ?? (loss.task === "binary" ? twoValues(data.target.values) : null),
      },
      outputs,
      pipeline: data.pipeline.toJSON() as Json,
    },
    tensors: { weights, intercept },
  };
}
