/**
 * Linear models: mean_i w_i ℓ(z_i, y_i) + l1‖p‖₁ + l2/2‖p‖² + group Σ_g √|g| ‖p_g‖, z = x·p + intercept; the intercept is not penalised.
 *
 * loss: by name, made by its factory, or left out: logistic for two classes, multinomial for more, squared for numbers. A binary loss on more
 * than two classes is fitted one class against the rest. `classWeights`: by class name, or "balanced" (n / (classes × count)).
 * `features`: a random feature map in front, so that a linear model is a kernel machine. `standardise`: columns to mean 0 and sd 1 (sparse: scale
 * only), learnt from the training rows and kept with the model. "auto" never does so with sparse columns, nor after a map. For others it goes by √mean(x²):
 * where columns differ by more than 10 times, or lie outside 0.1 … 10. With `features` it goes by max|x|, the columns' units: where the largest is
 * more than 10 times the lower decile. A map's gamma fits itself to one scale of all columns, and blowing up those that hardly vary (pixels that are
 * nearly always blank, rare levels) would fill its distances with noise.
 *
 * @throws OptionError for unknown options, losses or classes; CapabilityError where loss and target do not fit
 */
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../base/errors.ts";
import type { ElementType, Json, JsonObject, Link, Model, Plan, PredictionKind, Prepared, SavedModel } from "../../contract.ts";
import type { Dataset } from "../../data/dataset.ts";
import { featureMaps, type RandomFeatures, randomFeaturesFrom } from "../../data/features/index.ts";
import type { Engine } from "../../host/engine.ts";
import { type Loss, lossFrom, lossNames } from "../loss.ts";
import "../losses/index.ts";
import { LinearProblem } from "./problem.ts";

export interface LinearOptions {
  loss?: string | Loss;
  l1?: number;
  l2?: number;
  /** Strength and groups by column name; every column left out is a group of its own. */
  group?: { strength: number; groups: string[][] };
  intercept?: boolean;
  /** Coefficients >= 0 (of the standardised columns, which have the signs of the columns). For coordinateDescent. */
  nonNegative?: boolean;
  /** Multiplies l1 and l2 of each column, by name; 1 where not given. Not for the group penalty. */
  penaltyWeights?: Record<string, number>;
  classWeights?: "balanced" | Record<string, number>;
  features?: RandomFeatures;
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

/** What each loss of this library predicts, for the compiler. */
export interface KindByLoss {
  logistic: "class";
  hinge: "class";
  squaredHinge: "class";
  multinomial: "class";
  squared: "number";
  huber: "number";
  epsilonInsensitive: "number";
  quantile: "number";
  poisson: "count";
}
interface KindByTask {
  binary: "class";
  multiclass: "class";
  regression: "number";
  count: "count";
}
export type KindOf<O extends LinearOptions> = O extends { loss: infer L }
  ? L extends keyof KindByLoss
    ? KindByLoss[L]
    : L extends Loss<infer T>
      ? KindByTask[T]
      : PredictionKind
  : PredictionKind;

/** `K`: what is predicted, where the compiler knows the loss. */
export interface LinearModel<K extends PredictionKind = PredictionKind> extends Model<Dataset> {
  readonly predicts?: K;
  readonly options: Readonly<LinearOptions>;
  bind(prepared: Dataset, plan: Plan, engine: Engine): LinearProblem;
}

export function linear<const O extends LinearOptions = Record<never, never>>(given?: O): LinearModel<KindOf<O>> {
  const options: LinearOptions = given ?? {};
  checkKeys("linear", options, known);
  checkNumber("linear", "l1", options.l1 ?? 0, { low: 0 });
  checkNumber("linear", "l2", options.l2 ?? 0, { low: 0 });
  if (options.group) checkNumber("linear", "group.strength", options.group.strength, { low: 0 });
  if (options.loss !== undefined) resolveLoss(options.loss);
  return {
    name: "linear",
    options,
    toJson: () => toJson(options),
    prepare: (data, plan) => prepare(options, data, plan.precision.data),
    bind: (prepared, plan, engine) => bind(options, prepared, plan, engine),
    save: (prepared, parameters) => save(options, prepared, parameters),
  };
}

/** The model that `toJson` described. */
export function linearFrom(json: JsonObject): LinearModel {
  const { model: _, features, loss, ...rest } = json;
  return linear({
    ...(rest as LinearOptions),
    ...(loss === undefined ? {} : { loss: resolveLoss(loss) }),
    ...(features ? { features: randomFeaturesFrom(features as JsonObject) } : {}),
  });
}

function toJson(options: LinearOptions): JsonObject {
  const { loss, features, ...rest } = options;
  return {
    model: "linear",
    ...(rest as unknown as JsonObject),
    ...(loss === undefined ? {} : { loss: resolveLoss(loss).toJson() }),
    ...(features ? { features: features.toJson() } : {}),
  };
}

function resolveLoss(loss: string | Loss | Json): Loss {
  if (loss && typeof loss === "object" && "expression" in loss) return loss as unknown as Loss;
  const found = lossFrom(loss as Json);
  if (found) return found;
  throw new OptionError(
    "linear",
    `loss is ${JSON.stringify(loss)}, but must be one of ${lossNames().join(", ")}`,
    "OPTION_UNKNOWN",
  );
}

function prepare(options: LinearOptions, data: Dataset, type: ElementType): Prepared<Dataset> {
  const wanted = options.standardise ?? "auto";
  const standardised =
    wanted === true || (wanted === "auto" && worthStandardising(data, options.features !== undefined))
      ? data.standardise()
      : data;
  const mapped = options.features ? standardised.map(options.features) : standardised;
  if (standardised !== data && standardised !== mapped) standardised.dispose();
  const dispose = (): void => {
    if (mapped !== data) mapped.dispose();
  };
  return { dataset: mapped.as(type), dispose, [Symbol.dispose]: dispose };
}

/** Sparse columns are left alone: hashed and counted features come in comparable units; so do the features of a map. */
function worthStandardising(data: Dataset, mapped: boolean): boolean {
  const { kind } = data.pipeline.steps[data.pipeline.steps.length - 1];
  if (data.format === "sparse" || Object.hasOwn(featureMaps, kind)) return false;
  const scales = data
    .columnScales(mapped ? "largest" : "rootMeanSquare")
    .filter((s) => s > 0)
    .sort();
  if (scales.length === 0) return false;
  const smallest = scales[mapped ? Math.floor(scales.length / 10) : 0];
  const largest = scales[scales.length - 1];
  return largest > 10 * smallest || (!mapped && (largest > 10 || smallest < 0.1));
}

/** The loss that fits the data, and how many outputs it needs. */
export function chooseLoss(options: LinearOptions, data: Dataset): { loss: Loss; outputs: number } {
  const { target } = data;
  const classes = target.kind === "category" ? (target.levels?.length ?? 0) : 0;
  const fallback = classes === 0 ? "squared" : classes === 2 ? "logistic" : "multinomial";
  const loss = resolveLoss(options.loss ?? fallback);
  const refuse = (message: string): never => {
    throw new CapabilityError("linear", message, "MODEL_TARGET");
  };
  if (classes > 0 && (loss.task === "regression" || loss.task === "count")) {
    refuse(
      `loss "${loss.name}" needs numbers, but target "${target.name}" has the classes ${target.levels?.slice(0, 4).join(", ")}; take loss: "${fallback}"`,
    );
  }
  if (classes === 1) refuse(`target "${target.name}" has one class only, ${target.levels?.[0]}; there is nothing to learn`);
  if (classes === 0 && loss.task === "multiclass")
    refuse(`loss "${loss.name}" needs classes, but target "${target.name}" is a number; read it as a category`);
  if (classes === 0 && loss.task === "binary") {
    const values = distinctTarget(data);
    if (values.length !== 2) {
      const many = values.length > 2 ? "3 values or more" : "one value";
      refuse(`loss "${loss.name}" needs two classes, but target "${target.name}" takes ${many}; read it as a category`);
    }
    if (!(values[0] <= 0 && values[1] > 0)) {
      refuse(
        `loss "${loss.name}" takes numbers <= 0 and > 0 as its two classes, but target "${target.name}" is ${values.join(" or ")}; read it as a category`,
      );
    }
  }
  return { loss, outputs: loss.joint || classes > 2 ? classes : 1 };
}

const distinctTargets = new WeakMap<Dataset, number[]>();

/** The distinct values of the target, or the first three of them; ascending. Kept, since every fit on the dataset asks. */
function distinctTarget(data: Dataset): number[] {
  const known = distinctTargets.get(data);
  if (known) return known;
  const { values } = data.target;
  const found: number[] = [];
  for (let i = 0; i < values.length && found.length < 3; i++) {
    const y = values[i];
    if (y !== found[0] && y !== found[1]) found.push(y);
  }
  found.sort((a, b) => a - b);
  distinctTargets.set(data, found);
  return found;
}

function bind(options: LinearOptions, data: Dataset, plan: Plan, engine: Engine): LinearProblem {
  const { loss, outputs } = chooseLoss(options, data);
  return new LinearProblem(data, engine, {
    loss,
    outputs,
    intercept: options.intercept ?? true,
    l1: options.l1 ?? 0,
    l2: options.l2 ?? 0,
    group: options.group?.strength ?? 0,
    nonNegative: options.nonNegative ?? false,
    groups: options.group ? groupsByIndex(options.group.groups, data) : [],
    penaltyWeights: options.penaltyWeights && penaltyWeights(options.penaltyWeights, data),
    classWeights: options.classWeights && classWeights(options.classWeights, data),
    model: plan.precision.model,
    deterministic: plan.deterministic,
  });
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
  for (const [name, weight] of Object.entries(given)) checkNumber("linear.penaltyWeights", name, weight, { low: 0 });
  return Float64Array.from(data.names, (name) => given[name] ?? 1);
}

function classWeights(given: "balanced" | Record<string, number>, data: Dataset): Float64Array {
  const { levels, values } = data.target;
  if (!levels)
    throw new CapabilityError(
      "linear",
      `classWeights need classes, but target "${data.target.name}" is a number; leave them out, or read it as a category (data.asClasses())`,
      "MODEL_TARGET",
    );
  if (given === "balanced") {
    const counts = new Float64Array(levels.length);
    for (const y of values) counts[y]++;
    return counts.map((c) => values.length / (levels.length * Math.max(1, c)));
  }
  checkKeys("linear.classWeights", given, levels);
  for (const [name, weight] of Object.entries(given)) checkNumber("linear.classWeights", name, weight, { low: 0 });
  return Float64Array.from(levels, (level) => given[level] ?? 1);
}

/** What a number target of two values calls its classes. */
function twoValues(values: Float64Array): string[] {
  return [String(values.find((y) => !(y > 0))), String(values.find((y) => y > 0))];
}

function save(options: LinearOptions, data: Dataset, parameters: Float64Array): SavedModel {
  const { loss, outputs } = chooseLoss(options, data);
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
      model: toJson({ ...options, loss: options.loss ?? loss.name }),
      loss: loss.toJson(),
      equation: loss.equation,
      task: outputs > 1 ? "multiclass" : loss.task,
      link,
      target: {
        name: data.target.name,
        levels: data.target.levels ?? (loss.task === "binary" ? twoValues(data.target.values) : null),
      },
      columns: data.names,
      outputs,
      pipeline: data.pipeline.toJson() as Json,
    },
    tensors: { weights, intercept },
  };
}
