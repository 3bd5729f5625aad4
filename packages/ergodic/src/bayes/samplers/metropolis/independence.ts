import { checkFunction } from "../../../engine/errors/checks.ts";
import { checkKeys } from "../../../engine/errors/errors.ts";
import type { Draws } from "../../../engine/random/stream.ts";
import type { Sampler } from "../base/sampler.ts";
import { ProposalRun } from "./proposal-run.ts";

/** Options of `independence`: the proposal distribution q. */
export interface IndependenceOptions {
  /** Draws a point from q. All randomness must come from `draws`. */
  sample: (draws: Draws) => ArrayLike<number>;
  /** log q(x) in nats, up to a constant. */
  logDensity: (x: Float64Array) => number;
}

/**
 * Independence Metropolis-Hastings: x' ~ q independent of x, accepted with probability min(1, w(x')/w(x)), w = exp(ℓ −
 * log q).
 *
 * q: `sample` draws from it, `logDensity` is its log density, up to a constant. All randomness must come from `draws`.
 *
 * If w is bounded, with both densities normalised, each transition multiplies the total variation distance to the
 * target by at most 1 − 1/sup w. If w is not bounded (because q has lighter tails than the target), a chain can stay
 * for a long time at a point with a large w.
 *
 * Chains begin at draws of q. x: float64[d]. ℓ: log density in nats, up to a constant. Nothing is adapted. The sampler
 * leaves the target invariant, and runs on the calling thread regardless of the number of workers.
 *
 * Source: Hastings 1970; Tierney 1994; the bound: Mengersen & Tweedie 1996. The algorithm is the same as in other
 * implementations.
 *
 * @throws OptionError if an option is not a function, or its result does not fit
 *
 * @example
 * ```ts
 * independence({ sample: (draws) => [3 * draws.normal()], logDensity: (x) => -(x[0] ** 2) / 18 })
 * ```
 */
export function independence(options: IndependenceOptions): Sampler {
  checkKeys("independence", options, ["sample", "logDensity"]);
  const { sample, logDensity } = options;
  checkFunction("independence", "sample", sample, "a function", "(draws) => x");
  checkFunction("independence", "logDensity", logDensity, "a function", "(x) => log q(x)");
  return {
    name: "independence",
    verb: "sample",
    toJSON: () => ({ algorithm: "independence" }),
    start: (density, plan, engine) =>
      new ProposalRun("independence", density, plan, engine, {
        start: sample,
        propose: (x, draws) => {
          const proposal = Float64Array.from(sample(draws));
          return { x: proposal, logRatio: logDensity(x) - logDensity(proposal) };
        },
      }),
  };
}
