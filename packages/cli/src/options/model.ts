/**
 * Creates the model to be trained, as named by the word that follows `--model` on the command line.
 *
 *   linear                       the default
 *   mlp:256,128                  hidden widths; activation=…, dropout=…, normalised=true
 *   cnn:16,32                    channels of the convolutions; hidden=…, dropout=…
 *   circulant:32,64              like cnn with block-circulant weights; hidden=…, block=…
 *   mobilenet:0.25, mobilenetv2:0.5, shufflenet:0.5, shufflenetv1:0.5    width; form=small or form=published, and other
 *   options
 *   trees:leaves=63,depth=6      gradient boosting; rate=…, minRows=…, rows=…, columns=… and other options of trees()
 *   forest:columns=0.3, extraTrees:minRows=5, tree:alpha=0.01    means of trees, and other options of these functions
 *   net.js, net.mjs, net.ts      a file (network-file.ts)
 *
 * The number of outputs of the last layer follows from the target and the loss. `form` is small if the shorter side of
 * an image is below 64. `--augment` is applied first: shift:1, flip, cutout:3, noise:0.1, joined by +.
 *
 * @throws UsageError for any other word, and for options of linear models used with a network; OptionError from the
 * network itself
 */
import {
  cnn,
  type Dataset,
  extraTrees,
  type FitOptions,
  type ForestModel,
  fit,
  forest,
  type LinearModel,
  type LinearPredictor,
  linear,
  mlp,
  type NetworkModel,
  type NetworkPredictor,
  network,
  type Run,
  type TreesModel,
  type TreesPredictor,
  tree,
  trees,
} from "ergodic";
import {
  type CirculantNetOptions,
  type CnnOptions,
  circulantNet,
  type LayerLike,
  type MlpOptions,
  type MobileNetOptions,
  mobileNetV1,
  mobileNetV2,
  noise,
  randomCutout,
  randomFlip,
  randomShift,
  type ShuffleNetV1Options,
  type ShuffleNetV2Options,
  sequential,
  shuffleNetV1,
  shuffleNetV2,
} from "ergodic/layers";
import type { Trained } from "ergodic/learning";
import { chooseLoss } from "ergodic/losses";
import type { OutputPredictor } from "ergodic/predict";
import { UsageError } from "../errors.ts";
import { given } from "./given.ts";
import { isNetworkFile, layersOfFile, type MakeLayers, type NetworkShape } from "./network-file.ts";
import { outsideBrackets, parseSpec, type Spec } from "./spec.ts";
import { LINK } from "./things.ts";
import { isNetwork, lossOf, type ModelOptions, modelOptions } from "./training.ts";
import { TREES, type TreesWord, treesWord } from "./trees-word.ts";

export type AnyModel = LinearModel | NetworkModel | TreesModel | ForestModel;
export type AnyFitted = OutputPredictor & Trained;
/** A saved model of rows. */
export type RowPredictor = LinearPredictor | NetworkPredictor | TreesPredictor;

interface Words {
  /** Values without a key. */
  readonly numbers: readonly number[];
  readonly options: Spec["options"];
}

type Layers = (words: Words, shape: NetworkShape) => LayerLike;

/** Shape that every network accepts. It is used to check options before data are read. */
const ANY_SHAPE: NetworkShape = { outputs: 2, rowShape: [32, 32, 3] };

const channels = (numbers: readonly number[]): { channels?: readonly number[] } =>
  numbers.length > 0 ? { channels: numbers } : {};

/** A network with a single width. */
const scaled =
  <O extends { width?: number }>(make: (options: O) => LayerLike): Layers =>
  ({ numbers, options }, { outputs }) =>
    make({ ...(numbers.length > 0 ? { width: numbers[0] } : {}), ...options, outputs } as unknown as O);

/** `takes`: number of values allowed without a key; `images`: whether rows must be [height, width, channels]. */
const networks: Readonly<Record<string, { takes: number; images: boolean; layers: Layers }>> = {
  mlp: {
    takes: Infinity,
    images: false,
    layers: ({ numbers, options }, { outputs }) => mlp(numbers, { ...(options as MlpOptions), outputs }),
  },
  cnn: {
    takes: Infinity,
    images: true,
    layers: ({ numbers, options }, { outputs }) => cnn({ ...channels(numbers), ...(options as CnnOptions), outputs }),
  },
  circulant: {
    takes: Infinity,
    images: true,
    layers: ({ numbers, options }, { outputs }) =>
      circulantNet({ ...channels(numbers), ...(options as CirculantNetOptions), outputs }),
  },
  mobilenet: { takes: 1, images: true, layers: scaled<MobileNetOptions>(mobileNetV1) },
  mobilenetv2: { takes: 1, images: true, layers: scaled<MobileNetOptions>(mobileNetV2) },
  shufflenet: { takes: 1, images: true, layers: scaled<ShuffleNetV2Options>(shuffleNetV2) },
  shufflenetv1: { takes: 1, images: true, layers: scaled<ShuffleNetV1Options>(shuffleNetV1) },
};

/**
 * Options of linear models that networks do not support. Each has the value that is refused, or undefined if every
 * value is refused.
 */
const ofLinear = { intercept: false, nonNegative: true, features: undefined } as const;

/**
 * Checks the other options as far as possible before data are read, and returns a function that makes the model for the
 * data.
 */
export type ModelMaker = (options: ModelOptions) => (data: Dataset) => AnyModel;

/** Reads --model and --augment, and the file that --model names. */
export async function modelMaker({ model, augment }: ModelOptions): Promise<ModelMaker> {
  const word = treesWord({ model });
  if (word && augment === undefined) return treesMaker(word, parseSpec("--model", model!, MAIN_OPTION[word]));
  if (isNetwork({ model })) return networkMaker(await layersOf(model!), augmentations(augment));
  if (augment !== undefined)
    throw new UsageError("--augment", "it applies only to networks, but the model is linear; use --model cnn, or leave it out");
  return (options) => {
    const made = linear(modelOptions(options));
    return () => made;
  };
}

/** Option that a value without a name sets, as in trees:63. */
const MAIN_OPTION: Readonly<Record<TreesWord, string>> = {
  trees: "leaves",
  forest: "columns",
  extraTrees: "columns",
  tree: "alpha",
};

const treesMaker =
  (word: TreesWord, { options: own }: Spec): ModelMaker =>
  (options) => {
    refuseLinearOptions(options);
    const { classWeights, standardise } = modelOptions(options);
    if (standardise !== undefined)
      throw new UsageError("--standardise", "has no effect on trees, which do not depend on the scale of columns; leave it out");
    const l1 = options.l1 === "auto" ? refuseOfLinear("l1", options.model) : options.l1;
    const l2 = options.l2 === "auto" ? refuseOfLinear("l2", options.model) : options.l2;
    const all = { ...own, ...given({ loss: lossOf(options), l1, l2, classWeights }) };
    const makers = { trees, forest, extraTrees, tree } as unknown as Record<
      TreesWord,
      (options: object) => TreesModel | ForestModel
    >;
    const made = makers[word](all);
    return () => made;
  };

const networkMaker =
  (make: (shape: NetworkShape) => LayerLike, front: readonly LayerLike[]): ModelMaker =>
  (options) => {
    refuseLinearOptions(options);
    const { classWeights, standardise } = modelOptions(options);
    const l1 = options.l1 === "auto" ? refuseOfLinear("l1", options.model) : options.l1;
    const l2 = options.l2 === "auto" ? refuseOfLinear("l2", options.model) : options.l2;
    const settings = given({ loss: lossOf(options), l1, l2, classWeights, standardise });
    network((x) => x, settings);
    return (data) => {
      const rowShape = data.rowShape ?? [data.columnCount];
      if (front.length > 0) refuseOtherThanImages("--augment", rowShape);
      const { outputs } = chooseLoss("train", settings.loss, data);
      const layers = make({ outputs, rowShape });
      return network(front.length > 0 ? sequential([...front, layers]) : layers, settings);
    };
  };

/** Fits any kind of model. */
export function fitModel(model: AnyModel, data: Dataset, options: FitOptions): Run<AnyFitted> {
  if (model.name === "trees") return fit(model as TreesModel, data, options);
  return model.name === "linear" ? fit(model as LinearModel, data, options) : fit(model as NetworkModel, data, options);
}

function refuseLinearOptions(options: ModelOptions): void {
  const beside = (Object.keys(ofLinear) as (keyof typeof ofLinear)[]).find((name) =>
    ofLinear[name] === undefined ? options[name] !== undefined : options[name] === ofLinear[name],
  );
  if (beside === undefined) return;
  refuseOfLinear(beside, options.model);
}

const flags = {
  intercept: "--no-intercept",
  nonNegative: "--non-negative",
  features: "--features",
  l1: "--l1 auto",
  l2: "--l2 auto",
} as const;

function refuseOfLinear(name: keyof typeof flags, model: string | undefined): never {
  throw new UsageError(flags[name], `applies only to linear models, but --model is ${model}; leave one out`);
}

async function layersOf(text: string): Promise<(shape: NetworkShape) => LayerLike> {
  if (isNetworkFile(text)) return whole(await layersOfFile(text));
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const known = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (!known) throw unknown(name);
  const words = wordsOf(name, colon < 0 ? "" : text.slice(colon + 1), known.takes);
  known.layers(words, ANY_SHAPE);
  return (shape) => {
    if (known.images) refuseOtherThanImages("--model", shape.rowShape, name);
    return known.layers(words, shape);
  };
}

const whole =
  (make: MakeLayers) =>
  (shape: NetworkShape): LayerLike => {
    const made = make(shape);
    return Array.isArray(made) ? sequential(made as readonly LayerLike[]) : (made as LayerLike);
  };

function unknown(name: string): UsageError {
  const words = ["linear", ...TREES, ...Object.keys(networks)];
  const near = words.find((word) => word === name.toLowerCase() || word.startsWith(name) || name.startsWith(word));
  return new UsageError(
    "--model",
    `"${name}" is not known${near ? `; did you mean ${near}?` : ""} (known: ${words.join(", ")}, or a file .js, .mjs or .ts)`,
  );
}

/** "16,32,hidden=64" → [16, 32] and { hidden: 64 }. */
function wordsOf(name: string, text: string, takes: number): Words {
  const parts = outsideBrackets(text, ",");
  const plain = parts.filter((part) => !part.includes("="));
  const numbers = plain.map((part) => {
    const value = Number(part);
    if (part.trim() !== "" && Number.isFinite(value)) return value;
    throw new UsageError(
      "--model",
      `"${part}" of ${name} is neither a number nor an option; write ${name}:0.5 or ${name}:option=value`,
    );
  });
  if (numbers.length > takes)
    throw new UsageError("--model", `${name} takes one width, but ${plain.join(",")} was given; write ${name}:${plain[0]}`);
  const keyed = parts.filter((part) => part.includes("="));
  return { numbers, options: keyed.length > 0 ? parseSpec("--model", `${name}:${keyed.join(",")}`).options : {} };
}

function refuseOtherThanImages(flag: string, rowShape: readonly number[], name?: string): void {
  if (rowShape.length === 3) return;
  const what = name === undefined ? "changes images" : `${name} takes images`;
  throw new UsageError(
    flag,
    `${what}, but a row is ${rowShape.join(" × ")}; give the shape of a row, like --row-shape 8x8x1: height, width, channels`,
  );
}

const changes: Readonly<Record<string, (value: number | undefined) => LayerLike>> = {
  shift: (most) => randomShift(most),
  flip: () => randomFlip(),
  cutout: (size = 4) => randomCutout(size),
  noise: (deviation = 0.1) => noise(deviation),
};

function augmentations(text: string | undefined): LayerLike[] {
  return (text === undefined ? [] : text.split(LINK)).map((part) => {
    const { name, options } = parseSpec("--augment", part, "value");
    if (!Object.hasOwn(changes, name))
      throw new UsageError("--augment", `"${name}" is not known (known: ${Object.keys(changes).join(", ")})`);
    const { value, ...others } = options;
    if (Object.keys(others).length > 0 || (value !== undefined && (typeof value !== "number" || name === "flip")))
      throw new UsageError("--augment", `"${part}" cannot be read; write shift:1, flip, cutout:3 or noise:0.1, joined by +`);
    return changes[name](value as number | undefined);
  });
}
