import { STOCHASTIC_LANGEVIN } from "../../fields.ts";
import { type EstimateOptions, estimateOptions } from "../base/gradient-estimate.ts";
import { sampler } from "../base/sampler.ts";
import { stochasticSampler } from "./sampler.ts";
import { type ScheduleOptions, scheduleOptions } from "./step-schedule.ts";

/** Options of `sgld`. */
export interface SgldOptions extends ScheduleOptions, EstimateOptions {}

/**
 * Stochastic-gradient Langevin dynamics: x ← x + h g + √(2h) ξ, ξ ~ N(0, I), where g is an unbiased estimate of ∇ℓ(x).
 *
 * x: float64[d], unconstrained. ℓ: log density in nats, up to a constant. h (`stepSize`): units of x², > 0, constant,
 * decreasing, or in cycles (step-schedule.ts). By default, h is determined at the mode (default-step.ts).
 *
 * g is estimated from a batch of rows, with or without control variates (gradient-estimate.ts). If g uses all rows,
 * this is the unadjusted Langevin algorithm.
 *
 * Leaves the target invariant only in the limit h → 0. On N(0, 1/λ) with Var g = V, the variance is (1/λ + hV/(2λ))/(1
 * − hλ/2). The report's `stepBias` estimates the resulting error during the run, in standard deviations (step-bias.ts).
 * A transition consists of `thin` updates.
 *
 * Source: Welling, Teh 2011; in cycles Zhang et al. 2020. Differs from other implementations, which write h/2 g + √h ξ,
 * so that their h is twice as large.
 *
 * @throws OptionError; CapabilityError at the start of a run if the density has no gradient, or no rows from which to
 *   draw batches
 */
export const sgld = /* @__PURE__ */ sampler<SgldOptions>(
  {
    name: "sgld",
    family: "stochasticGradient",
    exact: false,
    options: { ...scheduleOptions, ...estimateOptions },
    conformance: { stepSize: 1e-3, batch: 5 },
  },
  (options) => {
    return stochasticSampler("sgld", options, { kind: STOCHASTIC_LANGEVIN, friction: 0, noiseEstimate: 0, resetEvery: 0 }, {});
  },
);
