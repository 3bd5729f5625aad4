import type { RunSummary } from "../../engine/loop/run.ts";
import type { Spread } from "./mode-starts.ts";

/**
 * Result of fit(model, data, { rule: lbfgs() }) for a statistical model: the posterior's mode, the values that maximise
 * log p(values | data).
 *
 * The density is that of the constrained values, without log |J|, as textbooks write it; it does not depend on
 * transforms. It is climbed in the unconstrained numbers from `starts` points, uniform in (−2, 2) from `seed`, each
 * redrawn until the density is finite; or from `start`. The best result is returned, and `spread` describes how the
 * other starts ended.
 *
 * By default quasi-Newton moves continue until a Newton step promises at most 10⁻⁶ nats more, up to 1000 moves; or any
 * rule on whole gradients is used. `converged` states this criterion for the best start, by whatever rule it was found.
 *
 * A density can grow without limit when a constrained parameter runs to its border: a hierarchical scale at 0, or the
 * sd of a mixture component on a single observation. `unbounded` names these parameters. There is no mode there, and
 * the result comes from another start if there is one. If the density diverges from every start, the run ends with
 * RUN_DIVERGED.
 *
 * @throws OptionError, DataError, CapabilityError for invalid input; ErgodicError [RUN_DIVERGED], [SAMPLE_START]
 */
export interface Mode<Q extends string = string> {
  /** Parameters, transformed and generated quantities at the mode. */
  readonly values: Readonly<Record<Q, Float64Array>>;
  /** log p(values, data), up to constants that distributions drop. */
  readonly logDensity: number;
  /** Euclidean norm of the gradient with respect to the unconstrained numbers. */
  readonly gradientNorm: number;
  /**
   * Whether nothing significant is left: `left` is at most 10⁻⁶ nats (more for large densities, because of rounding),
   * and the density has a limit there.
   */
  readonly converged: boolean;
  /** Nats that a Newton step still promises: ½ gᵀH⁻¹g; for a rule, the gain of a climb from its end. */
  readonly left: number;
  /** Summary of how the starts ended. */
  readonly spread: Spread;
  /**
   * Parameters at whose border the log density grows without limit, from any start: `tau`, `sigma[2]` (counted from 1,
   * as in tables of draws).
   */
  readonly unbounded: readonly string[];
  /** Reason why the run stopped. */
  readonly reason: string;
  /** Summary of the run. */
  readonly run: RunSummary;
}

/** A mode as the search leaves it, in unconstrained numbers. */
export interface FoundMode extends Omit<Mode, "values"> {
  readonly u: Float64Array;
}
