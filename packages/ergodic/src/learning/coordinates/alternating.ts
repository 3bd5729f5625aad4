import type { Algorithm, JsonObject } from "../../engine/contract/index.ts";
import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { FactorPasses, type Pass } from "./factor-passes.ts";

/** Options of `alternatingLeastSquares`. */
export interface AlternatingOptions {
  /**
   * The run has converged when an epoch lowers the objective by at most this share of its value. Default 1e-4; >= 0.
   */
  tolerance?: number;
}

/**
 * Alternating least squares: solves all users' rows exactly with the items fixed, then all items' rows with the users
 * fixed.
 *
 * Each row solves (Σ c q qᵀ + λI) p = Σ c t q over its ratings, by Cholesky. If every cell counts, Σ q qᵀ over all rows
 * of the other side is computed once and shared, and each row adds only its rated cells. An epoch is one alternation.
 * The objective never increases. Cost per epoch at rank r: r² per rating and side, r³/3 per row.
 * The run has converged when an epoch lowers the objective by at most `tolerance` (default 1e-4), as a share of its
 * value.
 * Needs: a factor model. Sources: Zhou et al. 2008; Hu, Koren, Volinsky 2008. Differs from other implementations:
 * nothing.
 *
 * @throws OptionError unless tolerance >= 0
 */
export function alternatingLeastSquares(options: AlternatingOptions = {}): Algorithm {
  const name = "alternatingLeastSquares";
  checkKeys(name, options, ["tolerance"]);
  const { tolerance = 1e-4 } = options;
  checkNumber(name, "tolerance", tolerance, { low: 0 });
  return {
    name,
    verb: "fit",
    takesStart: true,
    toJSON: () => ({ algorithm: name, tolerance }),
    defaults: { batch: "all", precision: "f64", epochs: 100 },
    families: ["coordinate"],
    start: (problem, plan, engine) =>
      new FactorPasses(
        {
          name,
          tolerance,
          residuals: false,
          passes: ({ solveSlot, stride }) =>
            ([0, 1] as const).map((side): Pass => {
              return {
                side,
                slot: solveSlot,
                perRating: stride ** 2,
                perRow: (stride * stride * stride) / 3,
                args: (...given) => given,
              };
            }),
        },
        problem,
        plan,
        engine,
      ),
  };
}

export function alternatingFrom({ algorithm: _, ...options }: JsonObject): Algorithm {
  return alternatingLeastSquares(options as AlternatingOptions);
}
