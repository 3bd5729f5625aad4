import type { RunSummary } from "../../engine/loop/run.ts";
import type { Spread } from "./mode-starts.ts";

/**
 * Result of fit(model, data, { rule: lbfgs() }) for a statistical model: the mode of the posterior. The mode consists
 * of the values that maximise log p(values | data).
 *
 * The density is the textbook density of the constrained values, without log |J|. The mode therefore does not depend on
 * the transforms of parameters. The search climbs this density in the unconstrained numbers. The search starts at
 * `start`, or at `starts` random points, which are drawn uniformly in (−2, 2) with `seed`. A random point is redrawn
 * until its density is finite. The best result is returned, and `spread` describes how the other starts ended.
 *
 * By default, up to 1000 quasi-Newton moves are made until a Newton step promises an increase of at most 10⁻⁶ nats.
 * `rule` can replace these moves with any step rule for full gradients. `converged` states whether the best start
 * satisfies this criterion, regardless of the rule.
 *
 * A density can grow without limit as a constrained parameter approaches its border. Examples are a hierarchical scale
 * near 0, and the sd of a mixture component that contains a single observation. `unbounded` names these parameters.
 * There is no mode at such a border, so the search returns the result of another start if possible. If the density
 * diverges from every start, the run ends with RUN_DIVERGED.
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
   * Whether the search converged: `left` is at most 10⁻⁶ nats (more for large densities, because of rounding), and the
   * density is bounded at the result.
   */
  readonly converged: boolean;
  /**
   * Increase, in nats, that a Newton step still promises: ½ gᵀH⁻¹g. With `rule`, the value is the increase that a climb
   * from the end of the search achieves.
   */
  readonly left: number;
  /** Summary of how the starts ended. */
  readonly spread: Spread;
  /**
   * Parameters for which some start found that the log density grows without limit near the border: `tau`, `sigma[2]`
   * (counted from 1, as in tables of draws).
   */
  readonly unbounded: readonly string[];
  /** Reason why the run stopped. */
  readonly reason: string;
  /** Summary of the run. */
  readonly run: RunSummary;
}

/** A mode in unconstrained numbers, as the search returns it. */
export interface FoundMode extends Omit<Mode, "values"> {
  readonly u: Float64Array;
}
