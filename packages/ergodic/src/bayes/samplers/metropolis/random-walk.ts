import { averagingOptions } from "../base/dual-averaging.ts";
import { covarianceKinds } from "../base/learned-factor.ts";
import { sampler, withoutUndefined } from "../base/sampler.ts";
import { WalkRun } from "../base/walk-run.ts";
import { type WindowOptions, windowsOption } from "../base/windows.ts";

/** Options of `randomWalk`. */
export interface RandomWalkOptions {
  /** Initial σ, in units of the learned covariance. Without warm-up, this is σ itself. Default 2.38/√d; > 0. */
  stepSize?: number;
  /** Target for the mean acceptance, in (0, 1). Default 0.234; 0.44 in one dimension. */
  targetAcceptance?: number;
  /** Form of the covariance that warm-up learns: "dense" or "diagonal". Default: dense up to 100 dimensions. */
  covariance?: "dense" | "diagonal";
  /** Lengths of the warm-up windows, as for nuts(), except that `final` is 150. */
  windows?: WindowOptions;
}

const MOST_DENSE = 100;
/**
 * An acceptance probability near 0 or 1 carries little information. After the usual 50 transitions, the step would
 * therefore still be largely random.
 */
const FINAL = 150;

/**
 * Adaptive random-walk Metropolis: x' = x + σ L z, z ~ N(0, I), accepted with probability min(1, exp(ℓ(x') − ℓ(x))).
 *
 * σ: `stepSize`, in units of L; L Lᵀ: the target's covariance as seen in warm-up, or its diagonal (`covariance`). x:
 * float64[d], unconstrained. ℓ: log density in nats, up to a constant.
 *
 * Warm-up brings the mean acceptance to `targetAcceptance` (kernels/bayes/adaptive-step.ts) and estimates L in
 * `windows` (base/windows.ts), after which σ restarts at 2.38/√d. After warm-up, σ and L are fixed, so the target is
 * invariant. Proposals without a finite density are rejected.
 *
 * L changes only gradually from window to window. A warm-up of 1000 transitions finds scales with ratios up to 1000 :
 * 1, and a warm-up of 4000 transitions up to 10,000 : 1.
 *
 * Source: Metropolis et al. 1953; Haario, Saksman & Tamminen 2001; targets of Roberts, Gelman & Gilks 1997. Differs
 * from Haario's algorithm: the covariance is renewed only at the ends of windows, from the draws in the window, and not
 * after warm-up.
 *
 * @throws OptionError
 */
export const randomWalk = /* @__PURE__ */ sampler<RandomWalkOptions>(
  {
    name: "randomWalk",
    family: "metropolis",
    exact: true,
    options: {
      stepSize: { low: 0, open: true },
      targetAcceptance: averagingOptions.targetAcceptance,
      covariance: covarianceKinds,
      windows: windowsOption,
    },
  },
  (options) => {
    const { stepSize, targetAcceptance, covariance } = options;
    const windows = { final: FINAL, ...options.windows };
    return {
      name: "randomWalk",
      verb: "sample",
      toJSON: () =>
        withoutUndefined({ algorithm: "randomWalk", stepSize, targetAcceptance, covariance, windows: { ...windows } }),
      start: (density, plan, engine) => {
        const { dimension } = density;
        const optimal = 2.38 / Math.sqrt(dimension);
        return new WalkRun(density, plan, engine, {
          name: "randomWalk",
          kernel: "randomWalkRun",
          covariance: covariance ?? (dimension <= MOST_DENSE ? "dense" : "diagonal"),
          stepPerCoordinate: false,
          stepSize: stepSize ?? optimal,
          target: targetAcceptance ?? (dimension === 1 ? 0.44 : 0.234),
          mode: 0,
          limit: 0,
          windows,
          learn: (chain, _, factor) => {
            chain.factor.set(factor);
            chain.setSteps(optimal);
          },
        });
      },
    };
  },
);
