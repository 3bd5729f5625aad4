import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { TreesPredictor } from "../../../predict/trees/trees.ts";
import { withMeantTarget } from "../../models/choose-loss.ts";
import type { KindOf } from "../../models/linear/linear.ts";
import type { TreesOptions } from "../../models/trees/settings.ts";
import { type TreesModel, treesFromJson, treesModel } from "../../models/trees/trees.ts";
import { boosting } from "../../trees/boosting.ts";
import { fromDatasets, givenLoss, measureOutputs } from "./from-datasets.ts";
import { ScoredTrees, type Scores } from "./scored-trees.ts";
import { algorithmFamilies, type FitOptions, type Trainable, type TrainableModel } from "./trainable.ts";

/**
 * Gradient boosting of decision trees for `fit`: z = base + Σ rate × tree(x), with one more tree per output in every
 * round.
 *
 * Each tree is fitted to the first and second derivatives of the loss, leaf by leaf. An epoch is one round; the default
 * is 100 rounds. With `validate` and `patience`, `fit` stops when held-out rows no longer improve.
 * Data made with `encode: "none"` keep categories and missing values, which the trees then divide themselves.
 *
 * @param given loss, size of the trees, penalties and sampling. Default: 31 leaves, rate 0.1, l2 1
 * @throws OptionError for unknown options; from `fit` CapabilityError if loss, data and options do not fit together
 *
 * @example
 * ```ts
 * const data = await readCsv("sales.csv", { target: "price", encode: "none" });
 * const { train, test } = data.split(0.8, { seed: 1 });
 * const model = await fit(trees(), train, { epochs: 500, validate: test, patience: 20, seed: 1 });
 * ```
 */
export function trees<const O extends TreesOptions = Record<never, never>>(given?: O & TreesOptions): TreesModel<KindOf<O>> {
  const model: TreesModel<KindOf<O>> & TrainableModel<Dataset, TreesPredictor> = {
    ...treesModel(given),
    trainable: trainableTrees,
  };
  return model;
}

/** Outputs of held-out rows at their latest measurement. */
const scored = new WeakMap<Dataset, Scores>();

export const trainableTrees: Trainable<Dataset, TreesPredictor> = {
  ...fromDatasets,
  from: treesFromJson,
  meant: (data, model) => withMeantTarget(model.name, givenLoss(model), data),
  defaults: ({ algorithm }) => (algorithm ?? boosting()).defaults ?? {},
  families: ({ algorithm }) => algorithmFamilies(algorithm ?? boosting()),
  choose(options) {
    refuseRules(options, "leave it out, and set rate of trees()");
    return boosting();
  },
  predictor: (saved) => new TreesPredictor(saved),
  measure(saved, heldOut) {
    const predictor = new ScoredTrees(saved, scored.get(heldOut));
    const measured = measureOutputs(predictor, heldOut);
    scored.set(heldOut, predictor.scored!);
    return measured;
  },
};

/** `advice`: end of the error. */
export function refuseRules({ rule, variance }: FitOptions, advice: string): void {
  if (!rule && !variance) return;
  const name = rule ? "rule" : "variance";
  throw new CapabilityError(
    "fit",
    `${name} was given, but trees are grown without gradient steps; ${advice}`,
    "MODEL_CAPABILITY",
  );
}
