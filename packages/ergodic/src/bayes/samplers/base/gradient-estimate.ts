import type { JsonObject, LogDensity } from "../../../engine/contract/index.ts";
import { CapabilityError, OptionError } from "../../../engine/errors/errors.ts";
import type { Accepted } from "../../../engine/errors/options.ts";

/** Gradient estimator of the stochastic-gradient samplers. */
export interface EstimateOptions {
  /**
   * Rows per gradient; "all" uses every row. Default 100, or "all" if there are fewer rows or the density has no rows.
   */
  batch?: number | "all";
  /**
   * Reference point of gradients. "mode": gradients are relative to the gradient at the posterior's mode (control
   * variates), which lowers their variance (Baker et al. 2019). Default "mode" if the run finds the mode for its step
   * size (`stepSize: "auto"` without `cycle`, and no starting point is given) and draws batches. Otherwise false.
   */
  controlVariate?: "mode" | false;
  /**
   * SVRG: gradients are relative to the full gradient at a reference point. The reference point moves to the current
   * point before every `every`-th update. `svrg` cannot be combined with `controlVariate`.
   */
  svrg?: { every: number };
}

/**
 * Estimators of the gradient: from all rows, from a batch, or from a batch with control variates.
 *
 * Batch: ∇ℓ_B(x), where B is a sample of n rows without replacement. All rows are shuffled once, and B is a block at a
 * random position.
 *
 * Control variates (Baker, Fearnhead, Fox, Nemeth 2019): ∇ℓ(x*) + ∇ℓ_B(x) − ∇ℓ_B(x*). The variance is then proportional
 * to ‖x − x*‖² instead of N²/n. x* is the mode of ℓ, found by L-BFGS on all rows before the first transition; chains
 * start there.
 *
 * SVRG (Dubey et al. 2016): the same formula, but x* is set to x before every `every`-th update, which reads all rows.
 * The estimates of both methods are unbiased.
 *
 * An instance stores the checked options. The default of an undefined option depends on the density.
 *
 * @throws OptionError if options conflict; CapabilityError if the density has no rows
 */
export interface Estimate {
  batch: number | "all" | undefined;
  /** Reference point x*. "none": no control variates. Undefined: the run's default. */
  centre: "mode" | "moving" | "none" | undefined;
  /** Number of updates between moves of x*. */
  every: number;
}

/** Values that the options of gradient estimates accept. */
export const estimateOptions = {
  batch: { either: [["all"], { low: 1, integer: true }] },
  controlVariate: ["mode", false],
  svrg: { options: { every: { low: 1, high: 2 ** 31, integer: true } }, required: ["every"] },
} as const satisfies Accepted;

const DEFAULT_BATCH = 100;

export function gradientEstimate(where: string, { batch, controlVariate, svrg }: EstimateOptions): Estimate {
  if (svrg && controlVariate)
    throw new OptionError(
      where,
      'svrg and controlVariate: "mode" are both given, but both choose the reference point x*; leave one out',
      "OPTION_CONFLICT",
    );
  if (batch === "all" && (svrg || controlVariate))
    throw new OptionError(
      where,
      'batch is "all", but control variates are for estimates from batches; give a number, or leave control variates out',
      "OPTION_CONFLICT",
    );
  const centre = controlVariate === false ? "none" : controlVariate;
  return { batch, centre: svrg ? "moving" : centre, every: svrg?.every ?? 0 };
}

/** The estimate of a run. `atMode`: whether the run's default is control variates at the mode. */
export const withDefaultCentre = (estimate: Estimate, atMode: boolean): Estimate => ({
  ...estimate,
  centre: estimate.centre ?? (atMode ? "mode" : "none"),
});

export function estimateJson({ batch, centre, every }: Estimate): JsonObject {
  return {
    ...(batch === undefined ? {} : { batch }),
    ...(centre === "mode" ? { controlVariate: centre } : {}),
    ...(centre === "none" ? { controlVariate: false } : {}),
    ...(centre === "moving" ? { svrg: { every } } : {}),
  };
}

/** Returns the batch size for a density; 0 means all rows. */
export function batchOf(
  where: string,
  { batch, centre }: Pick<Estimate, "batch" | "centre">,
  { minibatches }: LogDensity,
): number {
  if (minibatches) {
    const { rowCount } = minibatches;
    if (batch === "all") return 0;
    if (typeof batch === "number" && batch > rowCount)
      throw new OptionError(where, `batch is ${batch}, but the data have ${rowCount} rows; use fewer, or "all"`, "OPTION_RANGE");
    return batch ?? Math.min(DEFAULT_BATCH, rowCount);
  }
  const centred = centre === "mode" || centre === "moving";
  if (typeof batch === "number" || centred)
    throw new CapabilityError(
      where,
      `${centred ? "control variates are" : `a batch of ${batch} rows is`} asked for, but the log density has no rows to draw; condition the model with { rows: "N" }, naming the extent that counts them, or leave that out`,
      "SAMPLE_ROWS",
    );
  return 0;
}
