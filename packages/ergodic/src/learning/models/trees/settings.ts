import type { JsonObject } from "../../../engine/contract/index.ts";
import { checkChoice, plain } from "../../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { checkClassWeights, resolveLoss } from "../choose-loss.ts";
import type { Loss } from "../loss.ts";
import type { LossName } from "../loss-name.ts";

/** Options of `trees`. */
export interface TreesOptions {
  /**
   * Loss: "squared", "huber", "quantile", "poisson", "logistic" or "multinomial"; or a loss made by its factory or by
   * loss(). Default: logistic for two classes, multinomial for more, squared for numbers. A target of two whole numbers,
   * such as 0 and 1, means two classes. With "quantile", a leaf is the quantile of the residuals of its rows, and l1 and
   * l2 affect only the divisions.
   */
  loss?: LossName | Loss;
  /** Factor of the values of every tree, also called the learning rate. In (0, 1]. Default 0.1. */
  rate?: number;
  /** Largest number of leaves of a tree. Leaves are divided in the order of their gain. Default 31. */
  leaves?: number;
  /** Largest number of divisions between the root and a leaf. Default: no limit. */
  depth?: number;
  /** Strength of the penalty l1‖w‖₁ on the values of leaves, >= 0. Default 0. */
  l1?: number;
  /** Strength of the penalty l2/2‖w‖² on the values of leaves, >= 0. Default 1. */
  l2?: number;
  /** Smallest reduction of the summed loss for which a leaf is divided, >= 0. Default 0. */
  minGain?: number;
  /**
   * Smallest sum of second derivatives in a leaf, >= 0. For the squared loss, this is the sum of the row weights. Default
   * 1.
   */
  minHessian?: number;
  /** Smallest number of rows in a leaf. Default 1. */
  minRows?: number;
  /** Largest number of bins per column, from 2 to 255. Default 255. */
  bins?: number;
  /** Share of the rows, drawn at random without replacement, on which each round is grown. In (0, 1]. Default 1. */
  rows?: number;
  /** Share of the columns, drawn at random, that each tree can use. In (0, 1]. Default 1. */
  columns?: number;
  /**
   * Directions by column name: 1 if the output must not fall when the column rises, −1 if it must not rise. Only for
   * columns of numbers and models with one output. Default: none.
   */
  monotone?: Record<string, 1 | -1>;
  /** Weights of the classes by name, or "balanced": n / (classes × count). Default: all 1. */
  classWeights?: "balanced" | Record<string, number>;
}

/** The options with every default filled in. */
export interface TreesSettings
  extends Required<Omit<TreesOptions, "loss" | "depth" | "monotone" | "classWeights">>,
    Pick<TreesOptions, "loss" | "classWeights"> {
  readonly depth: number;
  readonly monotone: Readonly<Record<string, 1 | -1>>;
}

const known = [
  "loss",
  "rate",
  "leaves",
  "depth",
  "l1",
  "l2",
  "minGain",
  "minHessian",
  "minRows",
  "bins",
  "rows",
  "columns",
  "monotone",
  "classWeights",
];
/** Options of other libraries, and options of `fit`. */
const absent = {
  nEstimators: "the number of rounds is an option of fit; write fit(trees(), data, { epochs: 200 })",
  rounds: "it is an option of fit; write fit(trees(), data, { epochs: 200 })",
  epochs: "it is an option of fit; write fit(trees(), data, { epochs: 200 })",
  iterations: "the number of rounds is an option of fit; write fit(trees(), data, { epochs: 200 })",
  learningRate: "write rate: 0.1",
  eta: "write rate: 0.1",
  maxDepth: "write depth: 6",
  numLeaves: "write leaves: 31",
  maxLeafNodes: "write leaves: 31",
  lambda: "write l2: 1",
  alpha: "write l1: 0",
  gamma: "write minGain: 0",
  minChildWeight: "write minHessian: 1",
  minSamplesLeaf: "write minRows: 20",
  subsample: "write rows: 0.8",
  colsampleBytree: "write columns: 0.8",
  maxBin: "write bins: 255",
  seed: "it is an option of fit; write fit(trees(), data, { seed: 1 })",
};

export function treesSettings(given: TreesOptions): TreesSettings {
  const where = "trees";
  checkKeys(where, given, known, { absent });
  const defaults = { rate: 0.1, leaves: 31, l1: 0, l2: 1, minGain: 0, minHessian: 1, minRows: 1, bins: 255, rows: 1, columns: 1 };
  const own = { ...defaults, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  const { depth = Number.MAX_SAFE_INTEGER, monotone = {} } = given;
  const settings: TreesSettings = { ...own, depth, monotone };
  for (const name of ["rate", "rows", "columns"] as const)
    checkNumber(where, name, settings[name], { low: 0, open: true, high: 1 });
  for (const name of ["l1", "l2", "minGain", "minHessian"] as const) checkNumber(where, name, settings[name], { low: 0 });
  checkNumber(where, "leaves", settings.leaves, { low: 2, high: 65536, integer: true });
  checkNumber(where, "depth", depth, { low: 1, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber(where, "minRows", settings.minRows, { low: 1, high: 2 ** 31, integer: true });
  checkNumber(where, "bins", settings.bins, { low: 2, high: 255, integer: true });
  if (settings.l2 === 0 && settings.minHessian === 0)
    throw new OptionError(
      where,
      "l2 and minHessian are both 0, so a leaf could have no finite value; raise one of them",
      "OPTION_CONFLICT",
    );
  checkClassWeights(where, given.classWeights);
  for (const [name, way] of Object.entries(plain(`${where}.monotone`, monotone)))
    checkChoice(`${where}.monotone`, name, way, [1, -1]);
  return Object.freeze({ ...settings, ...(given.loss === undefined ? {} : { loss: resolveLoss(where, given.loss) }) });
}

export function settingsJson({ loss, classWeights, depth, ...rest }: TreesSettings): JsonObject {
  return {
    model: "trees",
    ...rest,
    ...(depth === Number.MAX_SAFE_INTEGER ? {} : { depth }),
    ...(classWeights === undefined ? {} : { classWeights }),
    ...(loss === undefined ? {} : { loss: typeof loss === "string" ? loss : loss.toJSON() }),
  } as JsonObject;
}
