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

/** Method by which the digest in a fingerprint is computed (data/digest.ts). */
export const DIGEST = "murmur3";

/** Options of `fit`: the algorithm, stopping, validation and execution. `D`: type of the data. */
export interface FitOptions<D = Dataset> extends PlanOptions, FromOptions {
  /**
   * Step rule, e.g. adam({ rate: 0.003 }). Default: adagrad() for linear models trained by descent, or sgd() with
   * saga() under a group penalty; adam() for networks.
   */
  rule?: Rule;
  /**
   * Variance reduction: svrg(), saga() or sag(). Variance reduction determines its own step size unless `rule` is
   * given. Default: none.
   */
  variance?: Variance;
  /**
   * Algorithm that replaces `rule` and `variance`, e.g. coordinateDescent(). "auto", for linear models, selects a
   * solver for this objective and these data by the table of docs/solvers.md (newtonCholesky(), coordinateDescent(),
   * lbfgs() …), or descent if no solver fits. "gradient" is descent. Default: "gradient" for networks. For linear
   * models, the default is "auto", or "gradient" if an option is given that applies only to descent (`rule`,
   * `variance`, `epochs`, `batch`, `schedule`, `replicas`, `patience`, `from` …).
   */
  algorithm?: Algorithm | "auto" | "gradient";
  /**
   * Number of passes over the data, > 0. Default 5; 100 with batch: "all". Algorithms that stop on convergence set
   * their own default.
   */
  epochs?: number;
  /** Stopping limits: epochs, updates, seconds or tolerance, whichever is reached first. It replaces `epochs`. */
  until?: Until;
  /** Held-out rows, on which the model is measured during training. */
  validate?: D;
  /** Number of epochs between validations, > 0; fractions are allowed. Default 1. Needs `validate`. */
  validateEvery?: number;
  /**
   * The run stops after this many validations without a lower loss, and keeps the best parameters. A whole number >= 1.
   * Needs `validate`. Default: none.
   */
  patience?: number;
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** Options of `fit` after the algorithm has been chosen. */
export type SettledOptions<D = Dataset> = Omit<FitOptions<D>, "algorithm"> & { algorithm?: Algorithm };

/**
 * Choices that `fit` makes for a model: the algorithm selected for "auto" (undefined for descent), the model with the
 * chosen strength of L2, and the reason for these choices.
 */
export interface Settled<D> {
  readonly algorithm?: Algorithm;
  readonly model?: Model<D>;
  readonly why?: string;
}

/**
 * Adapter that makes a kind of model available to the verb `fit`. There is one such object per kind. The adapter
 * connects the folders that implement the kind.
 *
 * A model holds its adapter, so programs load only the kinds that they use. To add a kind, define a model with another
 * adapter. `D`: type of the data. `P`: type of the predictor.
 */
export interface Trainable<D, P> {
  /** Returns the model that was described by `toJSON`. */
  from(json: JsonObject): Model<D> | Promise<Model<D>>;
  /** Throws OptionError unless `value` is data of this kind. `wanted`: required type, for the error. */
  checkData(where: string, name: string, value: unknown, wanted: string, example: string): void;
  /** Returns the number type of the data in memory. */
  typeOf(data: D): ElementType;
  /** Returns sizes and a digest, which together identify the data. */
  fingerprint(data: D): JsonObject;
  /** Returns the fingerprint that older checkpoints contain, which have no `method`. */
  olderFingerprint(data: D): JsonObject;
  /** Describes the size in a fingerprint, e.g. "11,220 rows of 122 columns". */
  size(fingerprint: JsonObject): string;
  /**
   * Kinds with solvers: chooses the algorithm for `algorithm: "auto"` and the settings that the model does not specify.
   */
  settle?: ((model: Model<D>, data: D, options: FitOptions<D>) => Promise<Settled<D>>) | undefined;
  /**
   * Returns the data with the target that the model takes it for, such as classes for the numbers 0 and 1. The given
   * data own the result. Default: the data.
   */
  meant?(data: D, model: Model<D>): D;
  /**
   * Returns the data without rows of weight 0, so that such rows affect neither the result nor the training time.
   * Default: the data.
   */
  ofWeight?(data: D): D;
  /** Returns the default options, which do not depend on the data. */
  defaults(options: SettledOptions<D>): AlgorithmDefaults;
  /** Returns the kernel families that training and measuring need. */
  families(options: SettledOptions<D>, made: { model: Model<D>; prepared: D }): readonly Family[];
  /** Returns the algorithm for runs in which the user chose none. */
  choose(options: SettledOptions<D>, made: { model: Model<D>; prepared: D; problem: Problem; plan: Plan }): Algorithm;
  /** Encodes held-out data in the same way as the training data. */
  follow(heldOut: D, prepared: D): Prepared<D>;
  /** Returns the predictor of a trained model. */
  predictor(saved: SavedModel): P;
  /** Returns metrics on held-out data, including `loss`. `prepared`: the training data. */
  measure(saved: SavedModel, heldOut: D, prepared: D): Record<string, number>;
}

/** Returns the kernel families of an algorithm. If no algorithm is given, returns those of gradient descent. */
export function algorithmFamilies(algorithm: Algorithm | undefined): readonly Family[] {
  if (!algorithm) return ["training"];
  return algorithm.families ?? ["training", "coordinate", "hessian"];
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
  /** Adapter of the model's kind for `fit`. */
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
