import { checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { STOCHASTIC_HAMILTONIAN } from "../../fields.ts";
import { type EstimateOptions, estimateOptions } from "../base/gradient-estimate.ts";
import { sampler } from "../base/sampler.ts";
import { stochasticSampler } from "./sampler.ts";
import { type ScheduleOptions, scheduleOptions } from "./step-schedule.ts";

/** Options of `sghmc`. */
export interface SghmcOptions extends ScheduleOptions, EstimateOptions {
  /** Friction a: share of the velocity that an update removes, in (0, 1]. Default 0.01. */
  friction?: number;
  /**
   * Noise estimate b in [0, friction]. The estimate is hV/2 if the variance V of the gradient's noise is known. Needs
   * `stepSize`. Default 0.
   */
  noiseEstimate?: number;
  /** Number of updates between redraws of the velocity; 0: never. Default 0. */
  resetEvery?: number;
}

/**
 * Stochastic-gradient Hamiltonian Monte Carlo: x ← x + v; v ← v + h g − a v + √(2(a − b)h) ξ, ξ ~ N(0, I).
 *
 * g: an unbiased estimate of ∇ℓ(x) (gradient-estimate.ts). h (`stepSize`): in units of x², > 0, or in cycles. By
 * default, h is determined at the mode (default-step.ts). a (`friction`): 0.01. b (`noiseEstimate`): hV/2 if the
 * variance V of g is known. Default 0.
 *
 * v starts as √h ξ and is redrawn before every `resetEvery`-th update (0: never). Leaves the target invariant only in
 * the limit h → 0: the relative error of the variance is hV/2a − b/a. With batches, steps must therefore be far below
 * the stability limit (`stepBias`, step-bias.ts).
 *
 * Source: Chen, Fox, Guestrin 2014, appendix G.
 *
 * @throws OptionError unless 0 < a <= 1 and 0 <= b <= a, or if b is given without h; CapabilityError as in sgld.ts
 */
export const sghmc = /* @__PURE__ */ sampler<SghmcOptions>(
  {
    name: "sghmc",
    family: "stochasticGradient",
    exact: false,
    options: {
      ...scheduleOptions,
      friction: { low: 0, open: true, high: 1 },
      noiseEstimate: { low: 0, high: 1 },
      resetEvery: { low: 0, high: 2 ** 31, integer: true },
      ...estimateOptions,
    },
    conformance: { stepSize: 1e-4, batch: 5 },
  },
  (options) => {
    const { friction = 0.01, noiseEstimate = 0, resetEvery = 0 } = options;
    checkNumber("sghmc", "noiseEstimate", noiseEstimate, { low: 0, high: friction });
    if (noiseEstimate > 0 && (options.stepSize ?? "auto") === "auto")
      throw new OptionError(
        "sghmc",
        `noiseEstimate is ${noiseEstimate}, which holds for one step size only, but stepSize is not given; give both or neither`,
        "OPTION_CONFLICT",
      );
    const rule = { kind: STOCHASTIC_HAMILTONIAN, friction, noiseEstimate, resetEvery };
    return stochasticSampler("sghmc", options, rule, { friction, noiseEstimate, resetEvery });
  },
);
