import { log } from "../../engine/numbers/log.ts";
import type { LogTables } from "../parts/log-tables.ts";
import type { Contraction } from "./contraction.ts";

/**
 * Returns the lower bound on ln Z from a distribution q(x) = Π_i q_i(x_i): E_q[Σ_f ln φ_f] + H(q), minus the largest
 * possible rounding error. The bound is −∞ if q gives positive probability to a state in which a factor is 0.
 */
export function evidenceLowerBound(tables: LogTables, q: readonly Float64Array[], contraction: Contraction): number {
  let sum = 0;
  let size = 1;
  for (const { values, shape, scope } of tables.tables) {
    const weights = scope.map((variable) => q[variable]);
    const [mean] = contraction.sum(values, shape, weights, -1);
    sum += mean;
    size += Math.abs(mean) + Math.abs(sum);
  }
  for (const of of q)
    for (const p of of) {
      if (p === 0) continue;
      sum -= p * log(p);
      size += Math.abs(sum);
    }
  // Covers the rounding of every partial sum. The rounding error within a contraction or a distribution is small,
  // because each of them sums only a few terms.
  return sum - 2 ** -48 * size;
}
