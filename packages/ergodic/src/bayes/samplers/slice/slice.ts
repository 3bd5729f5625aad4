import { checkNumber, OptionError } from "../../../engine/errors/errors.ts";
import { sampler } from "../base/sampler.ts";
import { WalkRun } from "../base/walk-run.ts";

/** Options of `slice`. */
export interface SliceOptions {
  /** Initial width of every coordinate's interval; without warm-up, the width itself. Default 1; > 0. */
  width?: number;
  /** Expansion of an interval: "stepOut" by its width, or "doubling". Default "stepOut". */
  expansion?: "stepOut" | "doubling";
  /**
   * Limit of the expansion: the number of widths for "stepOut" (1: no expansion), or the number of doublings, at most
   * 60. Default 1000 for "stepOut", 20 for "doubling".
   */
  limit?: number;
  /** Whether warm-up adapts the widths. Default true. */
  adapt?: boolean;
}

/**
 * Slice sampling, coordinate by coordinate: each x_k is drawn uniformly from the slice {x_k : ℓ(x) > ℓ(x₀) − e}, e ~
 * Exp(1), by expanding and shrinking an interval.
 *
 * An interval of `width` w_k is placed at random about x_k, then expanded (`expansion`). "stepOut" adds w_k on each
 * side as long as the end on that side is inside the slice, up to `limit` widths in total. "doubling" doubles the
 * interval on a random side as long as either end is inside, at most `limit` times. Doubling finds slices that are much
 * wider than w_k, but needs more evaluations to accept a point.
 *
 * Points are drawn from the interval, and each point outside the slice shrinks it. The sampler needs no gradient and no
 * tuning. During warm-up, widths adapt (`adapt`) until there are as many expansions as shrinkages
 * (kernels/bayes/adaptive-step.ts). After warm-up, the widths are fixed.
 *
 * x: float64[d], unconstrained. ℓ: log density in nats, up to a constant. The sampler leaves the target invariant after
 * warm-up, but mixes slowly if coordinates are correlated.
 *
 * Source: Neal 2003, sections 4.1 and 4.2. Differs from the cited algorithm: stepping out always has a limit. Widths:
 * after Tran & Ninness 2015.
 *
 * @throws OptionError
 */
export const slice = /* @__PURE__ */ sampler<SliceOptions>(
  {
    name: "slice",
    family: "slice",
    exact: true,
    options: {
      width: { low: 0, open: true },
      expansion: ["stepOut", "doubling"],
      limit: { low: 1, high: 2 ** 31, integer: true },
      adapt: "boolean",
    },
  },
  (options) => {
    const { width = 1, expansion = "stepOut", adapt = true } = options;
    const doubling = expansion === "doubling";
    const { limit = doubling ? 20 : 1000 } = options;
    if (doubling) checkNumber("slice", "limit", limit, { low: 1, high: 60, integer: true });
    if (adapt && !doubling && limit === 1 && options.adapt)
      throw new OptionError(
        "slice",
        "adapt is true, but intervals that are never expanded (limit: 1) could only shrink; give a width, or another limit",
        "OPTION_CONFLICT",
      );
    return {
      name: "slice",
      verb: "sample",
      toJSON: () => ({ algorithm: "slice", width, expansion, limit, adapt: adapt && (doubling || limit > 1) }),
      start: (density, plan, engine) =>
        new WalkRun(density, plan, engine, {
          name: "slice",
          kernel: "sliceRun",
          covariance: "diagonal",
          stepPerCoordinate: true,
          stepSize: width,
          target: 0.5,
          mode: doubling ? 1 : 0,
          limit,
          stepsAdapt: adapt && (doubling || limit > 1),
        }),
    };
  },
);
