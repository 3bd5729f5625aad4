/** What the verb `fit` must know of a kind of model beside the model itself: one object a kind, which joins its folders. */
import type { Rule } from "./algorithms/gradient/index.ts";
import type { Variance } from "./algorithms/gradient/variance.ts";
import { DataError, OptionError } from "./base/errors.ts";
import type {
  Algorithm,
  AlgorithmDefaults,
  ElementType,
  JsonObject,
  Model,
  Plan,
  Prepared,
  Problem,
  SavedModel,
} from "./contract.ts";
import type { Dataset } from "./data/dataset.ts";
import type { PlanOptions } from "./loop/plan.ts";
import type { Until } from "./loop/stopping.ts";

/** `D`: the data of the model. */
export interface FitOptions<D = Dataset> extends PlanOptions {
  rule?: Rule;
  variance?: Variance;
  algorithm?: Algorithm;
  epochs?: number;
  until?: Until;
  validate?: D;
  validateEvery?: number;
  patience?: number;
  signal?: AbortSignal;
}

/** `D`: the data; `P`: what predicts. */
export interface Trainable<D, P> {
  /** The model that `toJson` described. */
  from(json: JsonObject): Model<D>;
  /** Throws OptionError unless `value` is such data. `wanted`: what the option is, in words. */
  checkData(where: string, name: string, value: unknown, wanted: string, example: string): void;
  /** The type of the numbers in memory. */
  typeOf(data: D): ElementType;
  /** Tells data apart: sizes and a digest. */
  fingerprint(data: D): JsonObject;
  /** "11,220 rows of 122 columns", from a fingerprint. */
  size(fingerprint: JsonObject): string;
  /** What holds where the user says nothing, before data are seen. */
  defaults(options: FitOptions<D>): AlgorithmDefaults;
  /** The algorithm of a user who named none. */
  choose(options: FitOptions<D>, made: { model: Model<D>; prepared: D; problem: Problem; plan: Plan }): Algorithm;
  /** Held-out data as the model sees them. */
  follow(heldOut: D, prepared: D): Prepared<D>;
  predictor(saved: SavedModel): P;
  /** Numbers on held-out data; `loss` among them. `prepared`: the training data. */
  measure(saved: SavedModel, heldOut: D, prepared: D): Record<string, number>;
}

/** Short whatever its size: data may stand in the wrong place. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "function") return `the function ${factoryName(value)}, not called`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== "object" || value === null) return String(value);
  const kind = value.constructor?.name ?? "Object";
  return kind === "Object" ? `an object of ${Object.keys(value).slice(0, 5).join(", ") || "nothing"}` : `of type ${kind}`;
}

export function refuse(where: string, name: string, value: unknown, wanted: string, example: string): never {
  throw new OptionError(where, `${name} is ${shown(value)}, but must be ${wanted}: write ${example}`, "OPTION_TYPE");
}

export function factoryName(factory: { name: string; ruleName?: unknown }): string {
  return typeof factory.ruleName === "string" ? factory.ruleName : factory.name || "make";
}

export function refuseOtherData<D>(where: string, kind: Trainable<D, object>, data: D, kept: JsonObject): void {
  const given = kind.fingerprint(data);
  if (JSON.stringify(given) === JSON.stringify(kept)) return;
  const size = (d: JsonObject): string => `${kind.size(d)} (digest ${String(d.digest)})`;
  throw new DataError(
    where,
    `the data has ${size(given)}, but the run was on ${size(kept)}; give the same dataset`,
    "CHECKPOINT_DATA",
  );
}
