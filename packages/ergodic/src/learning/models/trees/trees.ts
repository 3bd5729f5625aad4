/**
 * Gradient boosting of decision trees: z = base + Σ_t rate × tree_t(x). Each round adds one tree per output, fitted to
 * the first and second derivatives g, h of the loss at z. A leaf with the sums G and H has the value w = −S(G)/(H + l2),
 * where S moves G towards 0 by l1. A division is worth ½ (S(G_l)²/(H_l + l2) + S(G_r)²/(H_r + l2) − S(G)²/(H + l2)).
 *
 * A row with x < threshold goes left. Missing values go to the side where the loss falls more, learnt for each division.
 * If no value was missing there, they go with the larger part. Levels of a category are ordered by g/h, and the best
 * division of this order is taken; with at most four levels, one level is divided from the rest. The base is the
 * constant with the smallest loss. Sources: Friedman 2001; Chen and Guestrin 2016; Fisher 1958 (order of levels); Ke et
 * al. 2017 (leaves by gain, smoothing of levels).
 *
 * @throws OptionError; from `fit` CapabilityError if loss, data and options do not fit together
 */

import type { Beginning, JsonObject, Model, Plan, PredictionKind, Prepared, SavedModel } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { ensembleFrom, ensembleParts } from "../../../predict/trees/ensemble.ts";
import { FROM, lossAfter, preparedAs } from "../beginning.ts";
import { chooseLoss, classWeights, resolveLoss, twoValues } from "../choose-loss.ts";
import type { KindOf } from "../linear/linear.ts";
import { ensembleOf, vectorOf } from "./ensemble-vector.ts";
import { TreesProblem } from "./problem.ts";
import { settingsJson, type TreesOptions, type TreesSettings, treesSettings } from "./settings.ts";

/** An ensemble of trees, as returned by `trees`. `K`: kind of prediction, if the compiler knows the loss. */
export interface TreesModel<K extends PredictionKind = PredictionKind> extends Model<Dataset> {
  /** For types only: kind of prediction. */
  readonly predicts?: K;
  /** The options, with every default filled in. */
  readonly options: Readonly<TreesSettings>;
  /** Binds the model to prepared data, as a problem for algorithms. */
  bind(prepared: Dataset, plan: Plan, engine: Engine): TreesProblem;
}

export function treesModel<const O extends TreesOptions = Record<never, never>>(
  given?: O,
  beginning?: Beginning,
): TreesModel<KindOf<O>> {
  const settings = treesSettings(given === undefined ? {} : given);
  const own: TreesSettings = beginning ? { ...settings, ...lossOf(settings, beginning) } : settings;
  return {
    name: "trees",
    options: own,
    toJSON: () => settingsJson(own),
    prepare: (data) => (beginning?.description ? preparedAs(data, beginning.description, data.type) : unchanged(data)),
    bind: (data, _, engine) => {
      const { loss, outputs } = chooseLoss("trees", own.loss, data);
      return new TreesProblem(data, engine, {
        loss,
        outputs,
        settings: own,
        classWeights: own.classWeights && classWeights("trees", own.classWeights, data),
        start: beginning && startOf(beginning, data, outputs),
      });
    },
    save: (data, parameters) => save(own, data, parameters),
    startingAt: (other) => treesModel(given, other),
  };
}

/** Returns the model that `toJSON` described. */
export function treesFromJson({ model: _, ...options }: JsonObject): TreesModel {
  const { loss, ...rest } = options;
  return treesModel({ ...(rest as TreesOptions), ...(loss === undefined ? {} : { loss: resolveLoss("trees", loss) }) });
}

const unchanged = (dataset: Dataset): Prepared<Dataset> => ({ dataset, dispose() {}, [Symbol.dispose]() {} });

function lossOf({ loss }: TreesSettings, beginning: Beginning): Pick<TreesSettings, "loss"> {
  const after = lossAfter(typeof loss === "string" ? resolveLoss("trees", loss) : loss, beginning);
  return after === undefined ? {} : { loss: after };
}

/** Models whose trees are not summed. */
const MEANS: readonly unknown[] = ["forest", "extraTrees", "tree"];

function startOf({ numbers, reset, description }: Beginning, data: Dataset, outputs: number): Float64Array | undefined {
  if (reset.length > 0)
    throw new OptionError(FROM, "reset names parts of networks, but trees have none; leave it out", "OPTION_CONFLICT");
  if (!numbers) return undefined;
  if ("vector" in numbers || !description)
    throw new OptionError(
      FROM,
      "from is a list of numbers, but trees need a trained model or its file; give that",
      "OPTION_TYPE",
    );
  const { library } = (description.model ?? {}) as { library?: unknown };
  if (library !== undefined)
    throw new OptionError(
      FROM,
      `from is a model of ${String(library)}, but only trees of this library can get more rounds; train without from`,
      "OPTION_TYPE",
    );
  const { tensors } = numbers;
  const made = (description.model as JsonObject | undefined)?.model;
  if (MEANS.includes(made))
    throw new OptionError(
      FROM,
      `from was made by ${String(made)}(), to which boosting adds nothing; give a model of trees()`,
      "OPTION_CONFLICT",
    );
  return vectorOf(ensembleFrom({ description, tensors }, { columns: data.columnCount, outputs, where: FROM }));
}

function save(settings: TreesSettings, data: Dataset, parameters: Float64Array): SavedModel {
  const { loss, outputs } = chooseLoss("trees", settings.loss, data);
  const { description, tensors } = ensembleParts(ensembleOf(parameters, outputs));
  return {
    kind: "trees",
    description: {
      model: settingsJson({ ...settings, loss }),
      loss: loss.toJSON(),
      equation: loss.equation,
      task: outputs > 1 ? "multiclass" : loss.task,
      link: outputs > 1 && !loss.joint ? (loss.link === "sigmoid" ? "sigmoidNormalised" : "sign") : loss.link,
      target: {
        name: data.target.name,
        levels: data.target.levels ?? (loss.task === "binary" ? twoValues(data.target.values) : null),
      },
      outputs,
      pipeline: data.pipeline.toJSON(),
      ...description,
    },
    tensors,
  };
}
