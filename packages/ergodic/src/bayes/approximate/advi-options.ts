/** The options of variational inference (advi.ts), as given and with every default filled in. */

/** Options of `meanField` and `fullRank`. */
export interface AdviOptions {
  /**
   * Where the normal starts: "pathfinder" (the best normal of four Pathfinder paths) or "point" (the starting point, unit
   * scale). Default "pathfinder".
   */
  start?: "pathfinder" | "point";
  /** Draws per gradient of the ascent. Default 1; a whole number >= 1. */
  gradientDraws?: number;
  /** Draws per estimate of the ELBO. Default 100; a whole number >= 1. */
  elboDraws?: number;
  /** Most steps of the ascent; 0 skips it. Default 10,000. */
  maxIterations?: number;
  /** The ascent ends where the relative change of the ELBO falls below this. Default 0.01; >= 0. */
  tolerance?: number;
  /** Steps between two estimates of the ELBO. Default 100; a whole number >= 1. */
  evaluateEvery?: number;
  /** Steps for which each step size is tried. Default 50; a whole number >= 1. */
  adaptIterations?: number;
  /** η, the step size of the ascent, > 0. Default: the best of 100, 10, 1, 0.1 and 0.01. */
  rate?: number;
  /** Rows that each evaluation of the ascent reads, for a model conditioned with `rows`. Default: all. */
  batch?: number;
  /** Fixed draws on which L-BFGS maximises the ELBO at the end; 0 skips this. Default 200; 0 with `batch`. */
  refineDraws?: number;
  /** Whether draws are picked by Pareto smoothed importance weights. Default true. */
  psis?: boolean;
}

/** Defaults filled in. */
export type ResolvedAdvi = Required<Omit<AdviOptions, "rate" | "batch">> & Pick<AdviOptions, "rate" | "batch">;
