import type { Dataset } from "../../../engine/data/dataset.ts";
import { TreesPredictor } from "../../../predict/trees/trees.ts";
import { withMeantTarget } from "../../models/choose-loss.ts";
import { type ForestModel, forestFromJson, forestModel } from "../../models/trees/forest.ts";
import type { ExtraTreesOptions, ForestOptions, TreeOptions } from "../../models/trees/forest-settings.ts";
import { bagging } from "../../trees/boosting.ts";
import { fromDatasets, measureOutputs } from "./from-datasets.ts";
import { algorithmFamilies, type Trainable, type TrainableModel } from "./trainable.ts";
import { refuseRules } from "./trees.ts";

/**
 * Random forest for `fit`: the mean of deep trees, each of which draws rows with replacement and tries a random part of
 * the columns per division. For classes, the prediction is the mean share of each class in the leaves.
 *
 * An epoch is one tree; the default is 100. About 37 % of the rows are not in a tree's draw. `oob` in ticks and in
 * `model.run.report` is the error of the predictions for each row by the trees that did not draw it: the share of wrong
 * classes, or the root mean squared error. Data made with `encode: "none"` keep categories and missing values.
 *
 * @param given columns per division, rows per tree, and the size of the trees. Default: √p of p columns for classes, p/3
 * for numbers, and leaves that cannot be divided
 * @throws OptionError for unknown options; from `fit` CapabilityError if data and options do not fit together
 *
 * @example
 * ```ts
 * const model = await fit(forest(), data, { epochs: 200, seed: 1 });
 * model.run.report.oob;
 * ```
 */
export const forest = (given: ForestOptions = {}): ForestModel => trainable(forestModel("forest", given));

/**
 * Extremely randomised trees for `fit`: like `forest`, but every tree uses all rows, and a division takes the best of
 * one random threshold per tried column. Source: Geurts et al. 2006.
 *
 * An epoch is one tree; the default is 100.
 *
 * @param given columns per division, and the size of the trees. Default: √p of p columns for classes, all for numbers
 * @throws OptionError for unknown options; from `fit` CapabilityError if data and options do not fit together
 *
 * @example
 * ```ts
 * const model = await fit(extraTrees(), data, { epochs: 200, seed: 1 });
 * ```
 */
export const extraTrees = (given: ExtraTreesOptions = {}): ForestModel => trainable(forestModel("extraTrees", given));

/**
 * One decision tree (CART) for `fit`, with cost-complexity pruning. `prunings(model)` lists the trees that pruning gives.
 *
 * @param given size of the tree, and the strength `alpha` of pruning. Default: no limits, alpha 0
 * @throws OptionError for unknown options; from `fit` CapabilityError if data and options do not fit together
 *
 * @example
 * ```ts
 * const model = await fit(tree({ minRows: 5, alpha: 0.01 }), data);
 * ```
 */
export const tree = (given: TreeOptions = {}): ForestModel => trainable(forestModel("tree", given));

function trainable(model: ForestModel): ForestModel {
  const made: ForestModel & TrainableModel<Dataset, TreesPredictor> = {
    ...model,
    trainable: model.options.kind === "tree" ? trainableTree : trainableForest,
  };
  return made;
}

export const trainableForest: Trainable<Dataset, TreesPredictor> = {
  ...fromDatasets,
  from: forestFromJson,
  meant: (data, model) => withMeantTarget((model as ForestModel).options.kind, undefined, data),
  defaults: ({ algorithm }) => (algorithm ?? bagging()).defaults ?? {},
  families: ({ algorithm }) => algorithmFamilies(algorithm ?? bagging()),
  choose(options) {
    refuseRules(options, "leave it out");
    return bagging();
  },
  predictor: (saved) => new TreesPredictor(saved),
  measure: (saved, heldOut) => measureOutputs(new TreesPredictor(saved), heldOut),
};

/** One tree takes one epoch. */
export const trainableTree: Trainable<Dataset, TreesPredictor> = {
  ...trainableForest,
  defaults: (options) => ({ ...trainableForest.defaults(options), epochs: 1 }),
};
