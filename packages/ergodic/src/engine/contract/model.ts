/** What is updated, and its trained form as plain data. */

import type { Engine } from "../memory/engine.ts";
import type { JsonObject } from "./json.ts";
import type { Plan } from "./plan.ts";
import type { Problem } from "./problem.ts";
import type { Tensor } from "./progression.ts";

/**
 * From a model's outputs z to predictions.
 *
 * "identity" z; "exp" eᶻ (a count's mean); "sigmoid" 1/(1+e⁻ᶻ) of one output; "softmax" over several; "sign": the class alone, no
 * probability (margins are passed on as they are); "sigmoidNormalised": one-against-rest probabilities, scaled to sum to 1.
 */
export type Link = "identity" | "exp" | "sigmoid" | "softmax" | "sign" | "sigmoidNormalised";

/** What is predicted: the name of a class, a number, a number >= 0. All three where the compiler does not know it. */
export type PredictionKind = "class" | "number" | "count";

/** A trained model as plain data: what a file holds and what predict/ reads. `kind` names the predictor. */
export interface SavedModel {
  /** The kind of predictor: "linear", "network", "factorisation". */
  kind: string;
  /** Everything but the numbers. */
  description: JsonObject;
  /** The numbers, by name. */
  tensors: Record<string, Tensor>;
}

/** Data made for one run; `dispose` gives back what was made in addition to the user's own. */
export interface Prepared<D> extends Disposable {
  /** The data as the model sees them. */
  readonly dataset: D;
  /** Gives back what was made in addition to the user's own. */
  dispose(): void;
}

/** What a model takes over from one that was trained before. */
export interface Beginning {
  /** Of that one: how raw rows became its columns and targets; as `SavedModel` or a checkpoint has it. Absent where numbers alone were given. */
  readonly description?: JsonObject | undefined;
  /** Its numbers: by name, as a file has them, or in the order that `fit` documents. Absent: none. */
  readonly numbers?: { readonly tensors: SavedModel["tensors"] } | { readonly vector: Float64Array } | undefined;
  /** Parts that begin anew, by their paths. */
  readonly reset: readonly string[];
}

/** WHAT is updated. `D`: its data. */
export interface Model<D = unknown> {
  /** The model's kind, e.g. "linear". */
  readonly name: string;
  /** JSON from which the registry makes the same model again. */
  toJSON(): JsonObject;
  /** The data as the model sees them: standardised, mapped, numbers in the plan's type. */
  prepare(data: D, plan: Plan): Prepared<D>;
  /** The model on prepared data, as a problem for algorithms. */
  bind(prepared: D, plan: Plan, engine: Engine): Problem;
  /** The trained model as plain data; `parameters` as the problem lays them out. */
  save(prepared: D, parameters: Float64Array): SavedModel;
  /** The same model, whose problems start at another one's numbers, on data prepared as that one's were. Absent: such models begin anew. */
  startingAt?(beginning: Beginning): Model<D>;
}
