/** Options of coordinate descent (coordinate-descent.ts), as the user gives them and with defaults filled in. */
import type { Schedule } from "../schedule.ts";
import type { PickName } from "./picks.ts";

/** Options of `coordinateDescent`. */
export interface CoordinateDescentOptions {
  /**
   * Order of the blocks: "cyclic", "random", "permutation", "greedy", "importance", or "workingSets" for linear models
   * without groups. Default "auto": working sets if possible, otherwise cyclic, or "random" with `acceleration:
   * "nesterov"`.
   */
  pick?: "auto" | "workingSets" | PickName;
  /**
   * Step along a block. "exact" moves to the minimum along the block; "lipschitz" takes a proximal step of size 1/L
   * along the partial derivative. Default "exact", but "lipschitz" with `estimate` or with `acceleration: "nesterov"`.
   */
  step?: "exact" | "lipschitz";
  /**
   * Number of greedy moves between two evaluations of all violations (for `pick: "greedy"`). Default 1; a whole number
   * >= 1.
   */
  block?: number;
  /**
   * Estimates each partial derivative from `rows` random rows (1 to 2³¹), and takes steps of size `rate`/L. `rate` is a
   * number > 0 or a schedule over moves. Default: exact derivatives.
   */
  estimate?: { rows: number; rate: number | Schedule };
  /**
   * Acceleration: "anderson" extrapolates from passes in a fixed order, "nesterov" makes accelerated moves in random
   * order, and "none" turns acceleration off. Default "anderson" if the order is fixed, otherwise "none".
   */
  acceleration?: "none" | "anderson" | "nesterov";
  /**
   * Relative duality gap at which the run stops. For problems without a gap, the run stops at this ratio of the
   * violation to the initial violation. Default 1e-6; >= 0.
   */
  tolerance?: number;
  /** Number of epochs between two convergence checks. Default 10; a whole number >= 1. */
  checkEvery?: number;
}

export type ResolvedOptions = Required<Omit<CoordinateDescentOptions, "estimate">> & Pick<CoordinateDescentOptions, "estimate">;
