/** Interface of a model, which algorithms update, and the trained model as plain data. */

import type { Engine } from "../memory/engine.ts";
import type { JsonObject } from "./json.ts";
import type { Plan } from "./plan.ts";
import type { Problem } from "./problem.ts";
import type { Tensor } from "./progression.ts";

/**
 * Maps a model's outputs z to predictions.
 *
 * "identity": z. "exp": eᶻ, for example the mean of a count. "sigmoid": 1/(1+e⁻ᶻ) of a single output. "softmax":
 * probabilities over several outputs. "sign": the class only, without probabilities. Margins are returned unchanged.
 * "sigmoidNormalised": one-vs-rest probabilities, scaled to sum to 1. "probabilities": outputs that already are
 * probabilities, as in forests; several outputs are scaled to sum to 1.
 */
export type Link = "identity" | "exp" | "sigmoid" | "softmax" | "sign" | "sigmoidNormalised" | "probabilities";

/**
 * Kind of prediction: a class name, a number, or a number >= 0. If the compiler does not know the kind, the type is a
 * union of all three.
 */
export type PredictionKind = "class" | "number" | "count";

/** A trained model as plain data, as stored in files and read by predict/. `kind` names the predictor. */
export interface SavedModel {
  /** Kind of predictor: "linear", "network", "trees", "factorisation", "boltzmannMachine". */
  kind: string;
  /** Everything except the tensors, as JSON. */
  description: JsonObject;
  /** Tensors by name. */
  tensors: Record<string, Tensor>;
}

/** Data prepared for one run. `dispose` frees only the copies made here, not the user's data. */
export interface Prepared<D> extends Disposable {
  /** Data in the form that the model reads. */
  readonly dataset: D;
  /** Frees the prepared copies, but not the user's data. */
  dispose(): void;
}

/** State of an earlier trained model from which a new model starts. */
export interface Beginning {
  /**
   * Description of how the earlier model turned raw rows into columns and targets. The description has the same form as
   * in a `SavedModel` or a checkpoint. Absent if only numbers were given.
   */
  readonly description?: JsonObject | undefined;
  /**
   * Parameters of the earlier model, either by name, as in a file, or as one vector in the order documented in `fit`.
   * Absent if there are none.
   */
  readonly numbers?: { readonly tensors: SavedModel["tensors"] } | { readonly vector: Float64Array } | undefined;
  /** Paths of the parts that are initialised again. */
  readonly reset: readonly string[];
}

/** WHAT is updated. `D`: type of its data. */
export interface Model<D = unknown> {
  /** Kind of model, e.g. "linear". */
  readonly name: string;
  /** Returns JSON from which the registry can rebuild the model. */
  toJSON(): JsonObject;
  /** Prepares data for the model: standardises and maps columns, and converts numbers to the types in the plan. */
  prepare(data: D, plan: Plan): Prepared<D>;
  /** Binds the model to prepared data, as a problem for algorithms. */
  bind(prepared: D, plan: Plan, engine: Engine): Problem;
  /** Returns the trained model as plain data. `parameters` has the layout of the problem. */
  save(prepared: D, parameters: Float64Array): SavedModel;
  /**
   * Returns a copy of this model that starts from the parameters of an earlier model and prepares data in the same way.
   * Absent if the model cannot start from another model.
   */
  startingAt?(beginning: Beginning): Model<D>;
}
