/**
 * network(layers, options): a neural network as a model for `fit`.
 *
 * Minimises mean_i w_i ℓ(z_i, y_i) + l1‖p‖₁ + l2/2‖p‖². z is the output of the last layer, which needs no activation
 * because the loss includes it. `layers`: a layer, a list of layers, or a function (x, scope) => array. loss: as in
 * linear(). Default: the logistic or multinomial loss for classes, and the squared loss for numbers. Biases and norms
 * are not penalised. `rates`: factor of the step size for each group of parameters (grouped(layer, "name")).
 * `standardise`: "auto" scales columns to mean 0 and sd 1 if their units differ, and images by one mean and one sd of
 * all cells. Nothing is scaled if an embedding uses columns as indices into its table. Columns of 0 and 1 are never
 * scaled.
 * With "auto", numeric targets are scaled if √mean(y²) lies outside 0.1 … 10; with true, they are always scaled: z =
 * mean + sd · the last layer's output. During training, the loss is then measured in units of the sd (sd² for the
 * squared loss). These units affect the steps, and the rules that depend on the least loss. Ticks and results report
 * the loss in the units of the target.
 *
 * @throws OptionError for unknown options or losses, or layers that do not fit; CapabilityError if loss, data and plan
 * do not fit together
 */

import type {
  Beginning,
  ElementType,
  JsonObject,
  Model,
  Plan,
  PredictionKind,
  Prepared,
} from "../../../engine/contract/index.ts";
import { type Dataset, refuseGaps } from "../../../engine/data/dataset.ts";
import { withDenseRows } from "../../../engine/data/dense-rows.ts";
import { checkChoice, plain } from "../../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { shown } from "../../../engine/errors/shown.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Family } from "../../../engine/memory/families.ts";
import { hypotenuse } from "../../../engine/numbers/hypotenuse.ts";
import { lossAfter, preparedAs } from "../beginning.ts";
import { checkClassWeights, chooseLoss, classWeights, resolveLoss } from "../choose-loss.ts";
import type { KindOf } from "../linear/linear.ts";
import type { Loss } from "../loss.ts";
import type { LossName } from "../loss-name.ts";
import { standardised } from "../standardise.ts";
import { takesIndices } from "./indices.ts";
import { checkLayers } from "./layers/layer.ts";
import { sequential } from "./layers/sequential.ts";
import { NetworkProblem } from "./problem.ts";
import { familiesOfNetwork, type InputScale, type NetworkFacts, type TargetScale } from "./programs.ts";
import { saveNetwork } from "./save.ts";
import { scalesOf } from "./scales.ts";
import { isLayer, type Layer, type LayerFunction, type LayerLike } from "./scope.ts";

/** Options of `network`. */
export interface NetworkOptions {
  /**
   * Loss: a name, or the result of a factory, as in linear(). Default: the logistic or multinomial loss for classes,
   * and the squared loss for numbers.
   */
  loss?: LossName | Loss;
  /** Strength of l1‖p‖₁ on weights, >= 0. Default 0. */
  l1?: number;
  /** Strength of l2/2‖p‖² on weights, >= 0. Default 0. */
  l2?: number;
  /** Weights of the classes by name, or "balanced": n / (classes × count). Default: all 1. */
  classWeights?: "balanced" | Record<string, number>;
  /** Factor of the step size for each group of parameters (see `grouped`), >= 0. Default: all 1. */
  rates?: Record<string, number>;
  /**
   * Whether columns, images and numeric targets are scaled to mean 0 and standard deviation 1. Default "auto": scaled
   * only if their units require it.
   */
  standardise?: boolean | "auto";
}

const known = ["loss", "l1", "l2", "classWeights", "rates", "standardise"];

/** `K`: kind of prediction, if the compiler knows the loss. */
export interface NetworkModel<K extends PredictionKind = PredictionKind> extends Model<Dataset> {
  /** For types only: kind of prediction. */
  readonly predicts?: K;
  /** Layers of the network. */
  readonly layers: LayerLike;
  /** The options, as given. */
  readonly options: Readonly<NetworkOptions>;
  /** Returns the kernel families that the network's programs call. */
  families(prepared: Dataset): readonly Family[];
  /** Binds the model to prepared data, as a problem for algorithms. */
  bind(prepared: Dataset, plan: Plan, engine: Engine): NetworkProblem;
}

export function networkModel<const O extends NetworkOptions = Record<never, never>>(
  layers: Layer | LayerFunction | readonly LayerLike[],
  given?: O,
  beginning?: Beginning,
): NetworkModel<KindOf<O>> {
  const options: NetworkOptions = given === undefined ? {} : given;
  if (isLayer(options))
    throw new OptionError(
      "network",
      "the second argument is a layer, but must be options; write one list, network([dense(64), relu(), dense(10)])",
      "OPTION_TYPE",
    );
  checkKeys("network", options, known);
  checkNumber("network", "l1", options.l1 ?? 0, { low: 0 });
  checkNumber("network", "l2", options.l2 ?? 0, { low: 0 });
  const { rates = {} } = options;
  for (const [group, rate] of Object.entries(plain("network.rates", rates)))
    checkNumber("network.rates", group, rate, { low: 0 });
  checkClassWeights("network", options.classWeights);
  if (options.standardise !== undefined) checkChoice("network", "standardise", options.standardise, ["auto", true, false]);
  if (options.loss !== undefined) resolveLoss("network", options.loss);
  const whole = wholeOf(layers);
  const factsOf = (prepared: Dataset): NetworkFacts => factsOfRows(whole, options, prepared, beginning);
  return {
    name: "network",
    layers: whole,
    options,
    toJSON: () => toJSON(whole, options),
    prepare: (data, { precision }) =>
      beginning?.description
        ? preparedAs(data, beginning.description, precision.data)
        : prepare(whole, options, data, precision.data),
    families: (prepared) => familiesOfNetwork(factsOf(prepared)),
    bind: (prepared, plan, engine) =>
      new NetworkProblem(prepared, plan, engine, {
        ...factsOf(prepared),
        beginning,
        l1: options.l1 ?? 0,
        l2: options.l2 ?? 0,
        rates: options.rates ?? {},
        classWeights: options.classWeights && classWeights("network", options.classWeights, prepared),
      }),
    save(prepared, parameters) {
      const facts = factsOf(prepared);
      return saveNetwork(facts, toJSON(whole, { ...options, loss: options.loss ?? facts.loss }), prepared, parameters);
    },
    startingAt: (other) => networkModel(whole as Layer, { ...options, loss: lossAfter(options.loss, other) }, other),
  };
}

/**
 * Returns the loss if no target is given. If no loss is given either, several outputs are interpreted as classes and a
 * single output as a number.
 */
export const lossOfRows = ({ loss }: NetworkOptions, outputs: number): Loss =>
  resolveLoss("network", loss ?? (outputs > 1 ? "multinomial" : "squared"));

function wholeOf(layers: Layer | LayerFunction | readonly LayerLike[]): LayerLike {
  if (Array.isArray(layers)) {
    checkLayers("network", layers as readonly LayerLike[]);
    return sequential(layers as readonly LayerLike[]);
  }
  if (typeof layers === "function" || isLayer(layers)) return layers as LayerLike;
  throw new OptionError(
    "network",
    `the first argument is ${shown(layers)}, but must be a layer, a list of layers or a function (x, scope) => array: write network([dense(64), relu(), dense(10)])`,
    "OPTION_TYPE",
  );
}

function toJSON(layers: LayerLike, options: NetworkOptions): JsonObject {
  const { loss, ...rest } = options;
  return {
    model: "network",
    layers: layersJson(layers),
    ...(rest as unknown as JsonObject),
    ...(loss === undefined ? {} : { loss: resolveLoss("network", loss).toJSON() }),
  };
}

/**
 * Returns the JSON of the layers, or null if they contain a plain function, which JSON cannot represent. If the file of
 * a network contains null here, the network can predict, but it cannot be trained further.
 */
function layersJson(layers: LayerLike): JsonObject | null {
  if (!isLayer(layers)) return null;
  try {
    return layers.toJSON();
  } catch (error) {
    if (error instanceof OptionError && error.code === "LAYER_FUNCTION") return null;
    throw error;
  }
}

function prepare(layers: LayerLike, options: NetworkOptions, data: Dataset, type: ElementType): Prepared<Dataset> {
  refuseGaps("network", data);
  const wanted = options.standardise ?? "auto";
  const isIndexed = takesIndices(layers, data.rowShape ?? [data.columnCount]);
  if (isIndexed && wanted === true)
    throw new OptionError(
      "network",
      "standardise is true, but the layers take columns as row numbers of a table (embedding), which must stay whole numbers; leave it out",
      "OPTION_CONFLICT",
    );
  if (isIndexed && (type === "i8" || type === "i16"))
    throw new CapabilityError(
      "network",
      `precision of data is "${type}", which rounds the row numbers that an embedding takes; use "f32"`,
      "PLAN_MEANING",
    );
  const rows = wanted === true ? withDenseRows(data) : data;
  const scaled = isImage(data) || isIndexed ? rows : standardised(rows, wanted, false);
  if (rows !== data && rows !== scaled) rows.dispose();
  const dense = withDenseRows(scaled);
  if (scaled !== data && scaled !== dense) scaled.dispose();
  const dispose = (): void => {
    if (dense !== data) dense.dispose();
  };
  return { dataset: dense.as(type), dispose, [Symbol.dispose]: dispose };
}

const isImage = (data: Dataset): boolean => (data.rowShape?.length ?? 1) > 1;

function factsOfRows(layers: LayerLike, options: NetworkOptions, data: Dataset, beginning?: Beginning): NetworkFacts {
  const { loss, outputs } = chooseLoss("network", options.loss, data);
  const rowShape = data.rowShape ?? [data.columnCount];
  if (beginning?.description) return { network: layers, loss, outputs, rowShape, ...scalesOf(beginning.description) };
  const isScaled = isImage(data) && options.standardise !== false && !takesIndices(layers, rowShape);
  const scale = isScaled ? inputScale(data) : { mean: 0, factor: 1 };
  return { network: layers, loss, outputs, rowShape, scale, target: targetScale(options, loss, data) };
}

/**
 * Returns the scale of a numeric target. If the units of the target are far from 1, an unscaled network would first
 * have to learn these units.
 */
function targetScale({ standardise = "auto" }: NetworkOptions, loss: Loss, data: Dataset): TargetScale | undefined {
  if (loss.task !== "regression" || loss.link !== "identity" || standardise === false) return undefined;
  const { values } = data.target;
  const mean = values.reduce((sum, y) => sum + y, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, y) => sum + (y - mean) ** 2, 0) / values.length);
  const size = hypotenuse(mean, deviation);
  const isFar = size > 10 || size < 0.1;
  return deviation > 0 && (standardise === true || isFar) ? { mean, deviation } : undefined;
}

const MOST_SAMPLED = 1000;
const scales = new WeakMap<Dataset, InputScale>();

/** Mean and standard deviation of all cells, from at most a thousand equidistant rows. */
function inputScale(data: Dataset): InputScale {
  const before = scales.get(data);
  if (before) return before;
  const rows = Math.min(data.rowCount, MOST_SAMPLED);
  let [count, total, squares] = [0, 0, 0];
  for (let k = 0; k < rows; k++) {
    for (const x of data.row(Math.floor((k * data.rowCount) / rows))) {
      count++;
      total += x;
      squares += x * x;
    }
  }
  const mean = total / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
  const scale = { mean: Math.fround(mean), factor: Math.fround(deviation > 0 ? 1 / deviation : 1) };
  scales.set(data, scale);
  return scale;
}
