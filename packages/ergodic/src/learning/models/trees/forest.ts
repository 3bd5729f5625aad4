/**
 * Trees with means in their leaves: z = base + (1/T) Σ_t tree_t(x).
 *
 * `forest`: each tree draws rows with replacement, and each node tries a random part of the columns (Breiman 2001).
 * `extraTrees`: all rows; each node tries one random cut per column (Geurts et al. 2006). `tree`: one tree on all rows,
 * with cost-complexity pruning (Breiman et al. 1984). A division minimises the weighted variance of the target or, for
 * classes, the Gini impurity. Columns are divided into bins once, for all trees: cuts lie midway between neighbouring
 * values of all rows. Of equal cuts in a node, the middle one is taken. Random cuts are drawn uniformly among the bins
 * of a node's range, not among its values.
 *
 * For classes, a leaf holds the share of each class, and the prediction is the mean share. A row with x <
 * threshold goes left. Missing values go to the side that lowers the impurity more; if none was missing, with the larger
 * part. Levels of a category are ordered by their mean or, for several classes, by their share of the node's commonest
 * class; extra trees send each level to a random side.
 *
 * @throws OptionError; from `fit` CapabilityError if data and options do not fit together
 */

import type { Beginning, JsonObject, Model, Plan, PredictionKind, Prepared, SavedModel } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { CapabilityError, OptionError } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { ensembleFrom, ensembleParts } from "../../../predict/trees/ensemble.ts";
import { FROM, preparedAs } from "../beginning.ts";
import { classWeights } from "../choose-loss.ts";
import { ForestProblem } from "./forest-problem.ts";
import {
  type ForestOptions,
  type ForestSettings,
  forestJson,
  forestSettings,
  type MeanTreeKind,
  type TreeOptions,
} from "./forest-settings.ts";
import { meanEnsemble, meanVector } from "./forest-vector.ts";

/** A model of trees with means in their leaves, as returned by `forest`, `extraTrees` and `tree`. */
export interface ForestModel<K extends PredictionKind = PredictionKind> extends Model<Dataset> {
  /** For types only: kind of prediction. */
  readonly predicts?: K;
  /** The options, with every default filled in. */
  readonly options: Readonly<ForestSettings>;
  /** Binds the model to prepared data, as a problem for algorithms. */
  bind(prepared: Dataset, plan: Plan, engine: Engine): ForestProblem;
}

export function forestModel(kind: MeanTreeKind, given: ForestOptions & TreeOptions = {}, beginning?: Beginning): ForestModel {
  const settings = forestSettings(kind, given);
  return {
    // The kind of predictor, as in files.
    name: "trees",
    options: settings,
    toJSON: () => forestJson(settings),
    prepare: (data) => (beginning?.description ? preparedAs(data, beginning.description, data.type) : unchanged(data)),
    bind(data, _, engine) {
      const outputs = outputsOf(kind, data);
      return new ForestProblem(data, engine, {
        outputs,
        settings,
        classWeights: settings.classWeights && classWeights(kind, settings.classWeights, data),
        start: beginning && startOf(kind, beginning, data, outputs),
      });
    },
    save: (data, parameters) => save(settings, data, parameters),
    startingAt: (other) => forestModel(kind, given, other),
  };
}

/** Returns the model that `toJSON` described. */
export const forestFromJson = ({ model, ...options }: JsonObject): ForestModel =>
  forestModel(model as MeanTreeKind, options as ForestOptions & TreeOptions);

const unchanged = (dataset: Dataset): Prepared<Dataset> => ({ dataset, dispose() {}, [Symbol.dispose]() {} });

function outputsOf(kind: MeanTreeKind, { target }: Dataset): number {
  const classes = target.levels?.length ?? 0;
  if (classes === 1)
    throw new CapabilityError(
      kind,
      `target "${target.name}" has one class only, ${target.levels?.[0]}; there is nothing to learn`,
      "MODEL_TARGET",
    );
  return classes > 2 ? classes : 1;
}

function startOf(
  kind: MeanTreeKind,
  { numbers, reset, description }: Beginning,
  data: Dataset,
  outputs: number,
): Float64Array | undefined {
  const refuse = (message: string): never => {
    throw new OptionError(FROM, message, "OPTION_CONFLICT");
  };
  if (kind === "tree") refuse("a single tree cannot be continued; leave from out, or train forest() or trees()");
  if (reset.length > 0) refuse("reset names parts of networks, but trees have none; leave it out");
  if (!numbers) return undefined;
  if ("vector" in numbers || !description)
    throw new OptionError(FROM, "from is a list of numbers, but trees need a trained model or its file", "OPTION_TYPE");
  const made = (description.model as JsonObject | undefined)?.model;
  if (made !== kind) refuse(`from was made by ${String(made)}(), but the model to train is ${kind}(); give one of the same kind`);
  return meanVector(ensembleFrom({ description, tensors: numbers.tensors }, { columns: data.columnCount, outputs, where: FROM }));
}

function save(settings: ForestSettings, data: Dataset, parameters: Float64Array): SavedModel {
  const { target } = data;
  const outputs = outputsOf(settings.kind, data);
  const { description, tensors } = ensembleParts(meanEnsemble(parameters, outputs));
  const isClasses = target.levels !== null && target.levels !== undefined;
  return {
    kind: "trees",
    description: {
      model: forestJson(settings),
      loss: { name: isClasses ? "brier" : "squared" },
      equation: isClasses ? "½·Σ(z − y)²" : "½·(z − y)²",
      task: outputs > 1 ? "multiclass" : isClasses ? "binary" : "regression",
      link: isClasses ? "probabilities" : "identity",
      target: { name: target.name, levels: target.levels ?? null },
      outputs,
      pipeline: data.pipeline.toJSON(),
      ...description,
    },
    tensors,
  };
}
