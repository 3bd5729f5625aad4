import { averagingOptions } from "../base/dual-averaging.ts";
import { sampler } from "../base/sampler.ts";
import { WalkRun } from "../base/walk-run.ts";

/** Options of `metropolisWithinGibbs`. */
export interface MetropolisWithinGibbsOptions {
  /** Initial step size of every coordinate; without warm-up, the step size itself. Default 1; > 0. */
  stepSize?: number;
  /** Target for the mean acceptance of each coordinate, in (0, 1). Default 0.44. */
  targetAcceptance?: number;
  /**
   * Order of the coordinates: "systematic" visits all d coordinates in order, and "random" visits d coordinates drawn
   * at random. Default "systematic".
   */
  scan?: "systematic" | "random";
}

/**
 * Metropolis within Gibbs: coordinates move one after another, x_k' = x_k + σ_k z, accepted with probability min(1,
 * exp(ℓ(x') − ℓ(x))).
 *
 * A transition visits every coordinate in order. With `scan: "random"`, a transition visits d coordinates drawn at
 * random, which makes the chain reversible. Both orders cost d evaluations of ℓ.
 *
 * σ_k starts at `stepSize`. Warm-up brings each coordinate's mean acceptance to `targetAcceptance`
 * (kernels/bayes/adaptive-step.ts); afterwards all steps are fixed. x: float64[d], unconstrained. ℓ: log density in
 * nats, up to a constant.
 *
 * The sampler leaves the target invariant after warm-up. Proposals without a finite density are rejected. The sampler
 * mixes slowly if coordinates are correlated.
 *
 * Source: Metropolis et al. 1953; Roberts & Rosenthal 2009, section 3. Differs from the cited algorithm: steps adapt
 * after each visit, not in batches of 50.
 *
 * @throws OptionError
 */
export const metropolisWithinGibbs = /* @__PURE__ */ sampler<MetropolisWithinGibbsOptions>(
  {
    name: "metropolisWithinGibbs",
    family: "metropolis",
    exact: true,
    options: {
      stepSize: { low: 0, open: true },
      targetAcceptance: averagingOptions.targetAcceptance,
      scan: ["systematic", "random"],
    },
  },
  (options) => {
    const name = "metropolisWithinGibbs";
    const { stepSize = 1, targetAcceptance = 0.44, scan = "systematic" } = options;
    return {
      name,
      verb: "sample",
      toJSON: () => ({ algorithm: name, stepSize, targetAcceptance, scan }),
      start: (density, plan, engine) =>
        new WalkRun(density, plan, engine, {
          name,
          kernel: "coordinateWalkRun",
          covariance: "diagonal",
          stepPerCoordinate: true,
          stepSize,
          target: targetAcceptance,
          mode: scan === "random" ? 1 : 0,
          limit: 0,
        }),
    };
  },
);
