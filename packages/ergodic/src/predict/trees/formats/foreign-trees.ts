/** Turns trees of another library into a saved model, as `TreesPredictor` reads it. */

import type { JsonObject, Link, SavedModel } from "../../../engine/contract/index.ts";
import type { Task } from "../../metrics.ts";
import { type Ensemble, ensembleParts } from "../ensemble.ts";
import { checkPart, type Origin } from "./faults.ts";

/** How outputs become predictions. */
export interface Answer {
  readonly task: Task;
  readonly link: Link;
  /** Name of the library's loss if it is the same function, otherwise the other library's name of the objective. */
  readonly loss: string;
}

export interface ForeignTrees extends Answer {
  readonly ensemble: Ensemble;
  /** Names of the columns. */
  readonly names: readonly string[];
  /** Type to which rows are rounded first. Default "f64". */
  readonly type?: "f32" | "f64";
  /** Names of the classes. Default: "0", "1", … */
  readonly classes?: readonly string[];
  /** Objective in the words of the other library. */
  readonly objective: string;
}

/** The target's name, which files of other libraries do not contain. */
const TARGET = "y";

/** Largest number of columns. A short file can claim any number of columns, and each column takes memory for its name. */
export const MOST_COLUMNS = 2 ** 20;

/** @throws DataError if two columns have the same name */
export function foreignTrees(origin: Origin, trees: ForeignTrees): SavedModel {
  const { ensemble, names, type = "f64", task, link, loss, objective } = trees;
  checkPart(origin, new Set(names).size === names.length, "has two columns with the same name");
  const { description, tensors } = ensembleParts(ensemble);
  const outputs = ensemble.base.length;
  const hasClasses = task === "binary" || task === "multiclass";
  const levels = hasClasses ? (trees.classes ?? Array.from({ length: Math.max(2, outputs) }, (_, k) => String(k))) : null;
  const source: JsonObject = {
    kind: "numbers",
    source: origin.library,
    type,
    target: levels ? { name: TARGET, kind: "category", levels: [...levels] } : { name: TARGET, kind: "number" },
    weights: null,
    format: "dense",
    columnCount: names.length,
    names: [...names],
    gaps: true,
  };
  return {
    kind: "trees",
    description: {
      model: { model: "trees", library: origin.library, objective },
      // A built-in loss determines its link, and none has the link of forests.
      loss: { name: link === "probabilities" ? "forest" : loss },
      equation: objective,
      task,
      link,
      target: { name: TARGET, levels: levels ? [...levels] : null },
      outputs,
      pipeline: [source],
      ...description,
    },
    tensors,
  };
}
