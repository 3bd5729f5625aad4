import type { RunSummary } from "../../engine/loop/run.ts";
import type { Spread } from "./mode-starts.ts";

/**
 * fit(model, data, { rule: lbfgs() }) of a statistical model: the posterior's mode, the values that maximise log p(values | data).
 *
 * The density is that of the constrained values, without log |J|: what textbooks write, and what depends on no transform. It is
 * climbed on the unconstrained numbers from `starts` points, uniform in (−2, 2) from `seed`, each redrawn until the density
 * is finite; or from `start`. The best is kept, and `spread` says how the others ended. By default quasi-Newton moves until a
 * Newton step promises at most 10⁻⁶ nats more, at most 1000; or any rule on whole gradients. `converged` says that much of the
 * best, by whatever rule it was found.
 *
 * A density may grow without limit where a constrained parameter runs to its border: a hierarchical scale at 0, the sd of a
 * mixture's component on one observation. `unbounded` names these, no mode is there, and another start's is kept if there is
 * one. A density that is lost from every start ends with RUN_DIVERGED.
 *
 * @throws OptionError, DataError, CapabilityError when something does not fit; ErgodicError [RUN_DIVERGED], [SAMPLE_START]
 */
export interface Mode<Q extends string = string> {
  /** Parameters, transformed and generated quantities at the mode. */
  readonly values: Readonly<Record<Q, Float64Array>>;
  /** log p(values, data), constants that distributions drop aside. */
  readonly logDensity: number;
  /** Euclidean norm of its gradient by the unconstrained numbers. */
  readonly gradientNorm: number;
  /** Whether nothing is known to be left: `left` is at most 10⁻⁶ nats (for large densities, what rounding allows), and the density has a limit there. */
  readonly converged: boolean;
  /** Nats that a Newton step promises yet: ½ gᵀH⁻¹g; of a rule, what a climb from its end gains. */
  readonly left: number;
  /** How the starts ended. */
  readonly spread: Spread;
  /** Parameters at whose border the log density grows without limit, from any start: `tau`, `sigma[2]` (counted from 1, as in tables of draws). */
  readonly unbounded: readonly string[];
  /** Why the run stopped. */
  readonly reason: string;
  /** How the run went. */
  readonly run: RunSummary;
}

/** A mode as the search leaves it: unconstrained. */
export interface FoundMode extends Omit<Mode, "values"> {
  readonly u: Float64Array;
}
