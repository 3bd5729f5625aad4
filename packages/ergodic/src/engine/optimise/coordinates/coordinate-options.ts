/** The options of coordinate descent (coordinate-descent.ts), as given and with every default filled in. */
import type { Schedule } from "../schedule.ts";
import type { PickName } from "./picks.ts";

/** Options of `coordinateDescent`. */
export interface CoordinateDescentOptions {
  /**
   * Order of the blocks: "cyclic", "random", "permutation", "greedy", "importance", or "workingSets" for linear models without
   * groups. Default "auto": working sets where they apply, else cyclic; "random" with `acceleration: "nesterov"`.
   */
  pick?: "auto" | "workingSets" | PickName;
  /**
   * "exact": to the minimum along the block; "lipschitz": a step of 1/L along the partial derivative. Default "exact";
   * "lipschitz" with `estimate` or "nesterov".
   */
  step?: "exact" | "lipschitz";
  /** Greedy moves per look at all violations (for `pick: "greedy"`). Default 1; a whole number >= 1. */
  block?: number;
  /**
   * Estimates each partial derivative on `rows` random rows (1 to 2³¹), with steps of `rate`/L; `rate` is a number > 0 or a
   * schedule over moves. Default: exact derivatives.
   */
  estimate?: { rows: number; rate: number | Schedule };
  /**
   * "anderson" extrapolates from passes in a fixed order; "nesterov" is the accelerated random form; "none". Default "anderson"
   * where the order is fixed, else "none".
   */
  acceleration?: "none" | "anderson" | "nesterov";
  /**
   * Stops at this relative duality gap or, where there is no gap, at this share of the violation at the start. Default 1e-6; >=
   * 0.
   */
  tolerance?: number;
  /** Epochs between two checks of convergence. Default 10; a whole number >= 1. */
  checkEvery?: number;
}

export type ResolvedOptions = Required<Omit<CoordinateDescentOptions, "estimate">> & Pick<CoordinateDescentOptions, "estimate">;
