/** Capability: a log density, for samplers, mode searches and variational approximations. */

import type { Draws } from "../random/stream.ts";

/** Options for binding memory to one lane. */
export interface BindOptions {
  /** Index of the lane, from 0. Different lanes can run at the same time. */
  lane: number;
  /** Purpose of the memory, for errors. */
  purpose: string;
  /** Whether gradients are needed. Evaluation without gradients can be cheaper. Default true. */
  gradient?: boolean;
}

/** A log density bound to memory, callable through the engine's function table. */
export interface DensityBinding {
  /**
   * Slot in the function table: (model u32, x u32 → f64[dimension], gradient u32 → f64[dimension]) → f64, the log
   * density at x. The gradient is only written if it was requested.
   */
  readonly slot: number;
  /** Address of the model's block. */
  readonly model: number;
  /** Frees the memory. */
  dispose(): void;
}

/** Tempered density: log p_β(u) = log prior(u) + β log likelihood(u). The prior includes log |J|. */
export interface TemperedBinding extends DensityBinding {
  /** Address of β, an f64 that each evaluation reads. */
  readonly power: number;
  /** Address of the log likelihood, an f64 that each evaluation writes. */
  readonly likelihood: number;
}

/** A density that is evaluated on the minibatch that was gathered last. */
export interface MinibatchBinding extends DensityBinding {
  /**
   * Address of the rows to gather, u32[n]. A row can occur several times. Rows are numbered in random order, so a range
   * of consecutive rows is a valid random sample.
   */
  readonly rows: number;
  /**
   * Slot in the function table: (block) → a result that is ignored. The function copies the gathered rows to the memory
   * that evaluations read.
   */
  readonly gatherSlot: number;
  /** Address of the block that `gatherSlot` takes. */
  readonly gatherBlock: number;
}

/**
 * Capability of a log density: minibatch estimates ℓ_B(u) = log prior(u) + N/n Σ_{i in B} log likelihood of row i. The
 * mean of the estimates over random batches is ℓ(u).
 */
export interface Minibatches {
  /** Number of rows N. */
  readonly rowCount: number;
  /** Binds memory for one lane. `batch`: number of rows n, from 1 to N. */
  bind(options: BindOptions & { batch: number }): MinibatchBinding;
}

/** Location of a parameter in u. */
export interface ParameterPlace {
  /** Name of the parameter. */
  readonly name: string;
  /** Index of its first coordinate in u. */
  readonly offset: number;
  /** Number of its coordinates in u. */
  readonly size: number;
}

/** Location and range of a discrete parameter. */
export interface DiscretePlace extends ParameterPlace {
  /** Smallest value; can be −∞. */
  readonly low: number;
  /** Largest value; can be ∞. */
  readonly high: number;
}

/**
 * Capability: log p(u) in nats, up to a constant, and its gradient, over unconstrained coordinates u. Samplers, mode
 * searches and variational approximations use this capability.
 */
export interface LogDensity {
  /** Number of coordinates in u. */
  readonly dimension: number;
  /** Whether bindings write gradients. False for a plain function without one. */
  readonly hasGradient?: boolean;
  /** Whether evaluations can only run on the calling thread, because the density is a JavaScript function. */
  readonly onThisThread?: boolean;
  /** Location of each parameter in u, if parameters have names. */
  readonly parameters?: readonly ParameterPlace[];
  /**
   * Coordinates of u that hold integers, with their ranges low … high. Ranges can be infinite. The gradients of these
   * coordinates are 0.
   */
  readonly discrete?: readonly DiscretePlace[];
  /** Returns parameter values by name, computed from u. */
  constrain?(u: ArrayLike<number>): Record<string, Float64Array>;
  /** Computes u from parameter values and returns u. */
  unconstrain?(values: Readonly<Record<string, number | ArrayLike<number>>>): Float64Array;
  /**
   * Binds memory for one lane. Bindings of different lanes can be evaluated at the same time. With `gradient: false`,
   * evaluation can be cheaper.
   */
  bind(options: BindOptions): DensityBinding;
  /** Binds a tempered density. Present if prior and likelihood are known separately. */
  bindTempered?(options: BindOptions): TemperedBinding;
  /** Whether the likelihood depends on u. If not, tempering does not help. */
  readonly hasLikelihood?: boolean;
  /** Draws u from the prior, if there is one. @throws CapabilityError */
  drawPrior?(draws: Draws): Float64Array;
  /**
   * Draws a starting point: each parameter from its prior, or uniformly from (−2, 2) if it has no proper prior. Absent
   * if there are no priors.
   */
  drawStart?(draws: Draws): Float64Array;
  /** Describes the term that is not finite at these points, for the error message after a failed start. */
  explain?(points: readonly Float64Array[]): string | undefined;
  /** Minibatch estimates. Present if the option `rows` names the model's size that equals the number of data rows. */
  readonly minibatches?: Minibatches;
}
