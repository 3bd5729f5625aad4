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
} from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import { datasetMark, isMarked, ratingsMark } from "../../../engine/data/marks.ts";
import { refuse } from "../../../engine/errors/checks.ts";
import { DataError } from "../../../engine/errors/errors.ts";
import type { PlanOptions } from "../../../engine/loop/plan.ts";
import type { Until } from "../../../engine/loop/stopping.ts";
import type { Family } from "../../../engine/memory/families.ts";
import type { Rule } from "../../../engine/optimise/kinds.ts";
import type { Variance } from "../../../engine/optimise/variance.ts";
import type { FromOptions } from "../from-options.ts";

/** How a fingerprint's digest is made (data/digest.ts). */
export const DIGEST = "murmur3";

/** Options of `fit`: the step rule, when to stop, validation, and how the run executes. `D`: the data. */
export interface FitOptions<D = Dataset> extends PlanOptions, FromOptions {
  /**
   * The step rule, e.g. adam({ rate: 0.003 }). Default where linear models descend: adagrad(), sgd() with saga() under a group
   * penalty; for networks adam().
   */
  rule?: Rule;
  /** Variance reduction with a step size of its own unless `rule` is given: svrg(), saga() or sag(). Default: none. */
  variance?: Variance;
  /**
   * A whole algorithm instead of `rule` and `variance`, e.g. coordinateDescent(). "auto", for linear models: what solves this objective on these data, by
   * the table of docs/solvers.md (newtonCholesky(), coordinateDescent(), lbfgs() …), or descent where nothing does. Default: "auto" for linear models,
   * unless an option is given that is of descent alone (`rule`, `variance`, `epochs`, `batch`, `schedule`, `replicas`, `patience`, `from` …);
   * "gradient", descent, for networks.
   */
  algorithm?: Algorithm | "auto" | "gradient";
  /** Passes over the data, > 0. Default 5; 100 with batch: "all"; what algorithms ask for that stop on convergence. */
  epochs?: number;
  /** When to stop: epochs, updates, seconds or tolerance, whichever comes first. Instead of `epochs`. */
  until?: Until;
  /** Held-out rows, on which the model is measured during training. */
  validate?: D;
  /** Epochs between validations, > 0; fractions allowed. Default 1. Needs `validate`. */
  validateEvery?: number;
  /**
   * Stops after so many validations without a lower loss, and keeps the best parameters. A whole number >= 1. Needs `validate`.
   * Default: none.
   */
  patience?: number;
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** The options, once an algorithm is known. */
export type SettledOptions<D = Dataset> = Omit<FitOptions<D>, "algorithm"> & { algorithm?: Algorithm };

/** What is left to `fit`, settled: the algorithm that "auto" takes, descent where there is none; the model with its strengths; and why. */
export interface Settled<D> {
  readonly algorithm?: Algorithm;
  readonly model?: Model<D>;
  readonly why?: string;
}

/**
 * What the verb `fit` must know of a kind of model besides the model itself: one object for each kind, which joins its folders.
 * A model brings its own, so that programs hold the kinds that they name, and a new kind is a model that brings another.
 *
 * `D`: the data; `P`: what predicts.
 */
export interface Trainable<D, P> {
  /** The model that `toJSON` described. */
  from(json: JsonObject): Model<D> | Promise<Model<D>>;
  /** Throws OptionError unless `value` is such data. `wanted`: what the option must be, for the error. */
  checkData(where: string, name: string, value: unknown, wanted: string, example: string): void;
  /** The type of the numbers in memory. */
  typeOf(data: D): ElementType;
  /** Tells data apart: sizes and a digest. */
  fingerprint(data: D): JsonObject;
  /** The one that checkpoints hold which say no `method`. */
  olderFingerprint(data: D): JsonObject;
  /** "11,220 rows of 122 columns", from a fingerprint. */
  size(fingerprint: JsonObject): string;
  /** Where a kind has solvers: what `algorithm: "auto"` takes, and what the model leaves to `fit`. */
  settle?: ((model: Model<D>, data: D, options: FitOptions<D>) => Promise<Settled<D>>) | undefined;
  /** The data without rows of weight 0, which are not to move anything, the clock included. Default: the data. */
  ofWeight?(data: D): D;
  /** What holds where the user says nothing, before data are seen. */
  defaults(options: SettledOptions<D>): AlgorithmDefaults;
  /** Of the kernels that training and measuring call. */
  families(options: SettledOptions<D>, made: { model: Model<D>; prepared: D }): readonly Family[];
  /** The algorithm of a user who named none. */
  choose(options: SettledOptions<D>, made: { model: Model<D>; prepared: D; problem: Problem; plan: Plan }): Algorithm;
  /** Held-out data as the model sees them. */
  follow(heldOut: D, prepared: D): Prepared<D>;
  /** The predictor of a trained model. */
  predictor(saved: SavedModel): P;
  /** Numbers on held-out data; `loss` among them. `prepared`: the training data. */
  measure(saved: SavedModel, heldOut: D, prepared: D): Record<string, number>;
}

/** Of an algorithm's kernels; without one, those of gradient descent. */
export function algorithmFamilies(algorithm: Algorithm | undefined): readonly Family[] {
  if (!algorithm) return ["training"];
  return algorithm.families ?? ["training", "coordinate"];
}

export function checkDataset(where: string, name: string, value: unknown, wanted: string, example: string): void {
  if (!isMarked(value, datasetMark)) refuse(where, name, value, wanted, example);
}

export function checkRatings(where: string, name: string, value: unknown): void {
  if (isMarked(value, ratingsMark)) return;
  if (name === "validate") refuse(where, name, value, "Ratings held out", "ratings.split(0.8, { seed: 1 }).test");
  refuse(where, name, value, "Ratings", "Ratings.fromTriples({ users, items, values })");
}

/** A model that `fit` can train. */
export interface TrainableModel<D, P> extends Model<D> {
  /** What `fit` must know of its kind. */
  readonly trainable: Trainable<D, P>;
}

export function checkHeldOut<D>(where: string, kind: Pick<Trainable<D, object>, "checkData">, validate: unknown): void {
  if (validate === undefined) return;
  kind.checkData(where, "validate", validate, "a Dataset of held-out rows", "data.split(0.8, { seed: 1 }).test");
}

export function refuseOtherData<D>(where: string, kind: Trainable<D, object>, data: D, kept: JsonObject): void {
  const given = kept.method === DIGEST ? kind.fingerprint(data) : kind.olderFingerprint(data);
  if (JSON.stringify(given) === JSON.stringify(kept)) return;
  const size = (d: JsonObject): string => `${kind.size(d)} (digest ${String(d.digest)})`;
  throw new DataError(
    where,
    `the data has ${size(given)}, but the run was on ${size(kept)}; give the same dataset`,
    "CHECKPOINT_DATA",
  );
}
