import type { JsonObject } from "../../../engine/contract/index.ts";
import { checkKeys, checkNumber } from "../../../engine/errors/errors.ts";
import { checkClassWeights } from "../choose-loss.ts";

/** Options of `forest`, `extraTrees` and `tree` that all three have. */
export interface MeanTreeOptions {
  /** Largest number of divisions between the root and a leaf. Default: no limit. */
  depth?: number;
  /** Smallest number of rows in a leaf. Default 1. */
  minRows?: number;
  /**
   * Smallest reduction of Σ w (t − mean)² for which a node is divided, >= 0, where t is the target or, for classes, the
   * indicator of each class. Default 0: every division is made that separates rows with different targets.
   */
  minGain?: number;
  /** Largest number of bins per column, from 2 to 255. Default 255. */
  bins?: number;
  /** Weights of the classes by name, or "balanced": n / (classes × count). Default: all 1. */
  classWeights?: "balanced" | Record<string, number>;
}

/** Options of `forest`. */
export interface ForestOptions extends MeanTreeOptions {
  /**
   * Share of the columns that are tried per node, in (0, 1]; at least one. Columns that are constant in the node do not
   * count. Default: √p of p columns for classes, p/3 for numbers, as in R's randomForest.
   */
  columns?: number;
  /** Number of rows that each tree draws with replacement, as a share of all rows. In (0, 1]. Default 1. */
  rows?: number;
}

/** Options of `extraTrees`. */
export interface ExtraTreesOptions extends MeanTreeOptions {
  /**
   * Share of the columns that are tried per node, in (0, 1]; at least one. Columns that are constant in the node do not
   * count. Default: √p of p columns for classes, all for numbers (Geurts et al. 2006).
   */
  columns?: number;
}

/** Options of `tree`. */
export interface TreeOptions extends MeanTreeOptions {
  /**
   * Strength of cost-complexity pruning, >= 0: the tree minimises its mean impurity plus alpha per leaf. The impurity is
   * the variance, or the Gini impurity for classes. Default 0. `prunings(model)` lists the strengths at which the tree
   * changes.
   */
  alpha?: number;
}

/** A model of trees with means in their leaves. */
export type MeanTreeKind = "forest" | "extraTrees" | "tree";

/** The options with every default filled in. `columns`: undefined for the default, which depends on the target. */
export interface ForestSettings extends Required<Omit<MeanTreeOptions, "classWeights">>, Pick<MeanTreeOptions, "classWeights"> {
  readonly kind: MeanTreeKind;
  readonly columns?: number;
  /** Rows drawn with replacement, as a share; 0 if trees use all rows. */
  readonly rows: number;
  readonly alpha: number;
}

const shared = ["depth", "minRows", "minGain", "bins", "classWeights"];
const known: Readonly<Record<MeanTreeKind, readonly string[]>> = {
  forest: [...shared, "columns", "rows"],
  extraTrees: [...shared, "columns"],
  tree: [...shared, "alpha"],
};
/** Options of other libraries, and options of `fit`. */
const absent = {
  nEstimators: "the number of trees is an option of fit; write fit(forest(), data, { epochs: 200 })",
  ntree: "the number of trees is an option of fit; write fit(forest(), data, { epochs: 200 })",
  trees: "the number of trees is an option of fit; write fit(forest(), data, { epochs: 200 })",
  epochs: "it is an option of fit; write fit(forest(), data, { epochs: 200 })",
  maxDepth: "write depth: 6",
  minSamplesLeaf: "write minRows: 5",
  nodesize: "write minRows: 5",
  maxFeatures: "write columns: 0.5, a share of the columns",
  mtry: "write columns: 0.5, a share of the columns",
  maxSamples: "write rows: 0.8",
  ccpAlpha: "write alpha: 0.01",
  loss: "leaves are means, which minimise the squared error; for other losses, write trees({ loss })",
  seed: "it is an option of fit; write fit(forest(), data, { seed: 1 })",
};

const NO_LIMIT = 2 ** 32 - 1;

export function forestSettings(kind: MeanTreeKind, given: ForestOptions & TreeOptions): ForestSettings {
  checkKeys(kind, given, known[kind], { absent });
  const defaults = { depth: NO_LIMIT, minRows: 1, minGain: 0, bins: 255, rows: kind === "forest" ? 1 : 0, alpha: 0 };
  const settings: ForestSettings = {
    kind,
    ...defaults,
    ...(kind === "tree" ? { columns: 1 } : {}),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  checkNumber(kind, "depth", settings.depth, { low: 1, high: NO_LIMIT, integer: true });
  checkNumber(kind, "minRows", settings.minRows, { low: 1, high: 2 ** 31, integer: true });
  checkNumber(kind, "bins", settings.bins, { low: 2, high: 255, integer: true });
  for (const name of ["minGain", "alpha"] as const) checkNumber(kind, name, settings[name], { low: 0 });
  if (kind === "forest") checkNumber(kind, "rows", settings.rows, { low: 0, open: true, high: 1 });
  if (settings.columns !== undefined) checkNumber(kind, "columns", settings.columns, { low: 0, open: true, high: 1 });
  checkClassWeights(kind, given.classWeights);
  return Object.freeze(settings);
}

export function forestJson({ kind, depth, ...rest }: ForestSettings): JsonObject {
  const own = Object.entries(rest).filter(([name, value]) => known[kind].includes(name) && value !== undefined);
  return { model: kind, ...(depth === NO_LIMIT ? {} : { depth }), ...Object.fromEntries(own) } as JsonObject;
}

/** Returns the number of columns that are tried per node. */
export function columnsPerSplit({ kind, columns }: ForestSettings, count: number, isClasses: boolean): number {
  if (columns !== undefined) return Math.max(1, Math.round(columns * count));
  if (isClasses) return Math.max(1, Math.floor(Math.sqrt(count)));
  return kind === "forest" ? Math.max(1, Math.floor(count / 3)) : count;
}
