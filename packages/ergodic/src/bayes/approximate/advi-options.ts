/** Options of variational inference (advi.ts): as the user gives them, and with defaults filled in. */

/** Options of `meanField` and `fullRank`. */
export interface AdviOptions {
  /**
   * Initial normal distribution: "pathfinder" (the best normal of four Pathfinder paths) or "point" (the starting
   * point, with unit scale). Default "pathfinder".
   */
  start?: "pathfinder" | "point";
  /** Number of draws with which each gradient of the ascent is estimated. Default 1; a whole number >= 1. */
  gradientDraws?: number;
  /** Number of draws with which each ELBO is estimated. Default 100; a whole number >= 1. */
  elboDraws?: number;
  /** Maximum number of steps of the ascent; 0 skips it. Default 10,000. */
  maxIterations?: number;
  /** Relative change of the ELBO below which the ascent ends. Default 0.01; >= 0. */
  tolerance?: number;
  /** Number of steps between two estimates of the ELBO. Default 100; a whole number >= 1. */
  evaluateEvery?: number;
  /** Number of steps for which each step size is tried. Default 50; a whole number >= 1. */
  adaptIterations?: number;
  /** Step size η of the ascent, > 0. Default: the best of 100, 10, 1, 0.1 and 0.01. */
  rate?: number;
  /** Number of rows per evaluation during the ascent, for a model conditioned with `rows`. Default: all. */
  batch?: number;
  /**
   * Number of fixed draws for the final maximisation of the ELBO by L-BFGS; 0 skips this stage. Default 200; 0 with
   * `batch`.
   */
  refineDraws?: number;
  /** Whether draws are resampled by Pareto-smoothed importance weights. Default true. */
  psis?: boolean;
}

/** Options with defaults filled in. */
export type ResolvedAdvi = Required<Omit<AdviOptions, "rate" | "batch">> & Pick<AdviOptions, "rate" | "batch">;
