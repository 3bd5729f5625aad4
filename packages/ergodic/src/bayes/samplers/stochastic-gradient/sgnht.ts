import { STOCHASTIC_THERMOSTATTED } from "../../fields.ts";
import { type EstimateOptions, estimateOptions } from "../base/gradient-estimate.ts";
import { sampler } from "../base/sampler.ts";
import { stochasticSampler } from "./sampler.ts";
import { type ScheduleOptions, scheduleOptions } from "./step-schedule.ts";

/** Options of `sgnht`. */
export interface SgnhtOptions extends Omit<ScheduleOptions, "cycle">, EstimateOptions {
  /** Injected noise a, which is also the initial thermostat α, in (0, 1]. Default 0.01. */
  friction?: number;
}

/**
 * Stochastic-gradient Nosé-Hoover thermostat: v ← v + h g − α v + √(2ah) ξ; x ← x + v; α ← α + v·v/d − h, ξ ~ N(0, I).
 *
 * g: an unbiased estimate of ∇ℓ(x) (gradient-estimate.ts). h (`stepSize`): in units of x², > 0. By default, h is
 * determined at the mode (default-step.ts). a (`friction`): default 0.01, also the initial α. α rises until it absorbs
 * the noise of g. The variance of this noise need not be known, but must be the same everywhere.
 *
 * v starts as √h ξ. In the long run, the mean of v·v/d is exactly h. Leaves the target invariant only in the limit h →
 * 0. Source: Ding et al. 2014. All coordinates share one α.
 *
 * @throws OptionError unless 0 < a <= 1; CapabilityError as in sgld.ts
 */
export const sgnht = /* @__PURE__ */ sampler<SgnhtOptions>(
  {
    name: "sgnht",
    family: "stochasticGradient",
    exact: false,
    options: {
      stepSize: scheduleOptions.stepSize,
      thin: scheduleOptions.thin,
      friction: { low: 0, open: true, high: 1 },
      ...estimateOptions,
    },
    conformance: { stepSize: 1e-3, batch: 5 },
  },
  (options) => {
    const { friction = 0.01 } = options;
    const rule = { kind: STOCHASTIC_THERMOSTATTED, friction, noiseEstimate: 0, resetEvery: 0 };
    return stochasticSampler("sgnht", options, rule, { friction });
  },
);
