import { STOCHASTIC_PRECONDITIONED } from "../../fields.ts";
import { type EstimateOptions, estimateOptions } from "../base/gradient-estimate.ts";
import { sampler } from "../base/sampler.ts";
import { stochasticSampler } from "./sampler.ts";
import { type ScheduleOptions, scheduleOptions } from "./step-schedule.ts";

/** Options of `psgld`. */
export interface PsgldOptions extends Omit<ScheduleOptions, "cycle">, EstimateOptions {
  /** Decay ρ of the running mean of squared gradients, in [0, 1). Default 0.99. */
  smoothing?: number;
  /** Constant ε added to the root of the mean square, > 0. Default 1e-5. */
  leastScale?: number;
}

/**
 * Preconditioned stochastic-gradient Langevin dynamics: V ← ρ V + (1 − ρ) g²; G = 1/(ε + √V); x ← x + h G g + √(2hG) ξ,
 * ξ ~ N(0, I), coordinate by coordinate.
 *
 * g: an unbiased estimate of ∇ℓ(x) (gradient-estimate.ts). h (`stepSize`): as in sgld(), which is the same rule with G
 * = 1; a number > 0, or by default the result of default-step.ts. ρ (`smoothing`): 0.99; ε (`leastScale`): 10⁻⁵.
 *
 * V starts at 0. With `controlVariate` or the default step, chains start at the mode, where g is 0 and G would be 1/ε.
 * At the mode, V therefore starts at |∂²ℓ/∂x_i²| (curvature.ts), or at the estimate of E g² (default-step.ts).
 *
 * The term Γ = ∂G/∂x is dropped, as usual. Even in the limit h → 0, the target is therefore only approximately
 * invariant, unless G is the same for all x.
 *
 * Source: Li, Chen, Carlson, Carin 2016. There are three differences: V uses the gradient of the sum over rows instead
 * of the mean, V starts from another value at a mode, and h is half of the source's step size.
 *
 * @throws OptionError unless 0 <= ρ < 1 and ε > 0; CapabilityError as in sgld.ts
 */
export const psgld = /* @__PURE__ */ sampler<PsgldOptions>(
  {
    name: "psgld",
    family: "stochasticGradient",
    exact: false,
    options: {
      stepSize: scheduleOptions.stepSize,
      thin: scheduleOptions.thin,
      smoothing: { low: 0, high: 1 - 2 ** -40 },
      leastScale: { low: 0, open: true },
      ...estimateOptions,
    },
    conformance: { stepSize: 1e-3, batch: 5 },
  },
  (options) => {
    const { smoothing = 0.99, leastScale = 1e-5 } = options;
    const rule = { kind: STOCHASTIC_PRECONDITIONED, friction: smoothing, noiseEstimate: leastScale, resetEvery: 0 };
    return stochasticSampler("psgld", options, rule, { smoothing, leastScale });
  },
);
