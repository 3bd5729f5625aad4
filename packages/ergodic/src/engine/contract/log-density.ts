/** Capability: a log density, which samplers, mode searches and approximations move on. */

import type { Draws } from "../random/stream.ts";

/** How memory is bound for one lane. */
export interface BindOptions {
  /** Number of the lane, from 0: those of different lanes may run at the same time. */
  lane: number;
  /** What the memory is for, for errors. */
  purpose: string;
  /** false: no gradient is wanted, which may be cheaper. Default true. */
  gradient?: boolean;
}

/** A log density bound to memory: a function in the engine's table. */
export interface DensityBinding {
  /** In the table: (model u32, x u32 → f64[dimension], gradient u32 → f64[dimension], written unless not wanted) → f64, the log density at x. */
  readonly slot: number;
  /** Address of the model's block. */
  readonly model: number;
  /** Gives memory back. */
  dispose(): void;
}

/** log p_β(u) = log prior(u) + β log likelihood(u), log |J| counted with the prior. */
export interface TemperedBinding extends DensityBinding {
  /** Address of β, f64: read at each evaluation. */
  readonly power: number;
  /** Address of the log likelihood, f64: written at each evaluation. */
  readonly likelihood: number;
}

/** Evaluations are those of a DensityBinding, on the rows that were last gathered. */
export interface MinibatchBinding extends DensityBinding {
  /** Address of u32[n]: the rows to gather, which may repeat. Rows are numbered in a random order: those that follow each other are as good as any. */
  readonly rows: number;
  /** In the table: (block) → anything; brings the rows to where the evaluations read them. */
  readonly gatherSlot: number;
  /** The block that `gatherSlot` takes. */
  readonly gatherBlock: number;
}

/** Capability of a log density: ℓ_B(u) = log prior(u) + N/n Σ_{i in B} log likelihood of row i, whose mean over random rows is ℓ(u). */
export interface Minibatches {
  /** N. */
  readonly rowCount: number;
  /** Memory for one lane. `batch`: n, from 1 to N. */
  bind(options: BindOptions & { batch: number }): MinibatchBinding;
}

/** Where a parameter's numbers are in u. */
export interface ParameterPlace {
  /** The parameter's name. */
  readonly name: string;
  /** Its first number in u. */
  readonly offset: number;
  /** Its numbers in u. */
  readonly size: number;
}

/** The place of a discrete parameter, with its least and greatest value. */
export interface DiscretePlace extends ParameterPlace {
  /** The least value, which may be −∞. */
  readonly low: number;
  /** The greatest value, which may be ∞. */
  readonly high: number;
}

/**
 * Capability: log p(u) in nats, up to a constant, over unconstrained numbers u, and its gradient: what samplers, mode finders and variational
 * approximations move on.
 */
export interface LogDensity {
  /** Numbers in u. */
  readonly dimension: number;
  /** false: bindings write no gradient (a plain function without one). */
  readonly hasGradient?: boolean;
  /** true: evaluations run on the calling thread alone (a function of JavaScript). */
  readonly onThisThread?: boolean;
  /** Where the numbers of each parameter are in u, if parameters have names. */
  readonly parameters?: readonly ParameterPlace[];
  /** Coordinates of u that hold integers: low … high, which may be infinite. Gradients are 0 there. */
  readonly discrete?: readonly DiscretePlace[];
  /** Values by name at u, and u of the parameters' values. */
  constrain?(u: ArrayLike<number>): Record<string, Float64Array>;
  /** u of the parameters' values. */
  unconstrain?(values: Readonly<Record<string, number | ArrayLike<number>>>): Float64Array;
  /** Memory for one lane: bindings of different lanes may run at the same time. `gradient: false`: none is wanted, which may be cheaper. */
  bind(options: BindOptions): DensityBinding;
  /** Prior and likelihood apart, where they are known. */
  bindTempered?(options: BindOptions): TemperedBinding;
  /** false: the likelihood is the same everywhere, so that powers of it are no help. */
  readonly hasLikelihood?: boolean;
  /** u drawn from the prior, where there is one. @throws CapabilityError */
  drawPrior?(draws: Draws): Float64Array;
  /** A starting point: u of each parameter from its prior, or uniform in (−2, 2) if it has none that is proper. Absent: there are no priors. */
  drawStart?(draws: Draws): Float64Array;
  /** Which part of it is not finite at these points, as text: for a start that fails. */
  explain?(points: readonly Float64Array[]): string | undefined;
  /** Estimates on some rows of the data, if `rows` named the size that counts them. */
  readonly minibatches?: Minibatches;
}
