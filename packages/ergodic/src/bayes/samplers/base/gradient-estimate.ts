import type { JsonObject, LogDensity } from "../../../engine/contract/index.ts";
import { CapabilityError, OptionError } from "../../../engine/errors/errors.ts";
import type { Accepted } from "../../../engine/errors/options.ts";

/** How the stochastic-gradient samplers estimate the gradient of the log density. */
export interface EstimateOptions {
  /** Rows per gradient; "all" takes all of them. Default 100, or all where there are fewer or no rows to draw. */
  batch?: number | "all";
  /**
   * "mode": gradients relative to that at the posterior's mode, which lowers their variance (Baker et al. 2019). Default false.
   */
  controlVariate?: "mode" | false;
  /** Gradients relative to those of all rows at a point renewed before every `every`-th update. Not with `controlVariate`. */
  svrg?: { every: number };
}

/**
 * What gradient the samplers follow: of all rows, of a batch, or of a batch with control variates.
 *
 * Batch: ∇ℓ_B(x), B a block of n rows from a random place on in a random order of all rows: a sample without repetition.
 * Control variates (Baker, Fearnhead, Fox, Nemeth 2019): ∇ℓ(x*) + ∇ℓ_B(x) − ∇ℓ_B(x*), whose variance grows with ‖x − x*‖²
 * instead of being of order N²/n; x* is the mode of ℓ, found by L-BFGS on all rows before the first transition, and chains
 * start there. SVRG (Dubey et al. 2016): the same with x* = x as it is before every `every`-th update, when all rows are read.
 * Both leave the estimate unbiased.
 *
 * @throws OptionError where options conflict; CapabilityError where the density has no rows to draw
 *
 * As checked: what is left to the density is undefined.
 */
export interface Estimate {
  batch: number | "all" | undefined;
  centre: "mode" | "moving" | undefined;
  /** Updates between moves of x*. */
  every: number;
}

/** Values that the options of gradient estimates accept. */
export const estimateOptions = {
  batch: { either: [["all"], { low: 1, integer: true }] },
  controlVariate: ["mode", false],
  svrg: { options: { every: { low: 1, high: 2 ** 31, integer: true } }, required: ["every"] },
} as const satisfies Accepted;

const DEFAULT_BATCH = 100;

export function gradientEstimate(where: string, { batch, controlVariate = false, svrg }: EstimateOptions): Estimate {
  if (svrg && controlVariate)
    throw new OptionError(
      where,
      'svrg and controlVariate: "mode" are both given, but there is one x*; leave one out',
      "OPTION_CONFLICT",
    );
  if (batch === "all" && (svrg || controlVariate))
    throw new OptionError(
      where,
      'batch is "all", but control variates are for estimates; give a number, or leave them out',
      "OPTION_CONFLICT",
    );
  return { batch, centre: svrg ? "moving" : controlVariate ? "mode" : undefined, every: svrg?.every ?? 0 };
}

export function estimateJson({ batch, centre, every }: Estimate): JsonObject {
  return {
    ...(batch === undefined ? {} : { batch }),
    controlVariate: centre === "mode" ? "mode" : false,
    ...(centre === "moving" ? { svrg: { every } } : {}),
  };
}

/** Rows of a batch of that density, or 0: all of them. */
export function batchOf(
  where: string,
  { batch, centre }: Pick<Estimate, "batch" | "centre">,
  { minibatches }: LogDensity,
): number {
  if (minibatches) {
    const { rowCount } = minibatches;
    if (batch === "all") return 0;
    if (typeof batch === "number" && batch > rowCount)
      throw new OptionError(where, `batch is ${batch}, but the data have ${rowCount} rows; take fewer, or "all"`, "OPTION_RANGE");
    return batch ?? Math.min(DEFAULT_BATCH, rowCount);
  }
  if (typeof batch === "number" || centre)
    throw new CapabilityError(
      where,
      `${centre ? "control variates are" : `a batch of ${batch} rows is`} asked for, but the log density has no rows to draw; condition the model with { rows: "N" }, naming the extent that counts them, or leave that out`,
      "SAMPLE_ROWS",
    );
  return 0;
}
