import { checkFunction } from "../../../engine/errors/checks.ts";
import { checkKeys } from "../../../engine/errors/errors.ts";
import type { Draws } from "../../../engine/random/stream.ts";
import type { Sampler } from "../base/sampler.ts";
import { ProposalRun, type Propose } from "./proposal-run.ts";

/** Options of `metropolisHastings`. */
export interface MetropolisHastingsOptions {
  /**
   * Proposal function (x, draws) => { x, logRatio }. `logRatio` is log q(x | x') − log q(x' | x), 0 by default. All
   * randomness must come from `draws`.
   */
  propose: Propose;
  /** Draws a random starting point. Default: uniform in (−2, 2) for each coordinate. */
  start?: (draws: Draws) => ArrayLike<number>;
}

/**
 * Metropolis-Hastings with a user-defined proposal: x' = propose(x, draws), accepted with probability min(1, exp(ℓ(x')
 * − ℓ(x) + log q(x | x') − log q(x' | x))).
 *
 * `logRatio` of a proposal is log q(x | x') − log q(x' | x), 0 by default. A wrong ratio changes the target. The
 * sampler cannot detect this. All randomness must come from `draws`. If randomness came from elsewhere, runs could not
 * be repeated.
 *
 * x: float64[d], a copy that may be changed. ℓ: log density in nats, up to a constant; −∞ where the target has no mass.
 * To sample a discrete target, let `propose` and `start` return only points in its support.
 *
 * Nothing is adapted. The sampler leaves the target invariant, and runs on the calling thread regardless of the number
 * of workers. Proposals without a finite density are rejected.
 *
 * Source: Hastings 1970. The algorithm is the same as in other implementations.
 *
 * @throws OptionError if `propose` is not a function, or its result does not fit
 *
 * @example
 * ```ts
 * metropolisHastings({ propose: (x, draws) => ({ x: x.map((v) => v + draws.normal()) }) })   // symmetric
 * metropolisHastings({                                                                       // on integers
 *   start: (draws) => [draws.integer(9)],
 *   propose: (x, draws) => ({ x: [x[0] + (draws.integer(2) ? 1 : -1)] }),
 * })
 * ```
 */
export function metropolisHastings(options: MetropolisHastingsOptions): Sampler {
  const name = "metropolisHastings";
  checkKeys(name, options, ["propose", "start"]);
  checkFunction(name, "propose", options.propose, "a function", "(x, draws) => ({ x, logRatio })");
  if (options.start !== undefined) checkFunction(name, "start", options.start, "a function", "(draws) => x");
  return {
    name,
    verb: "sample",
    toJSON: () => ({ algorithm: name }),
    start: (density, plan, engine) => new ProposalRun(name, density, plan, engine, options),
  };
}
