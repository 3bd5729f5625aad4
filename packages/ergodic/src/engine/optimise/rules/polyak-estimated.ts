import { abs, add, div, equal, lessEqual, max, min, mul, square, sub, sum, where } from "../../compiler/index.ts";
import { positive, rule } from "../rule.ts";

/**
 * Polyak's step with an estimated optimum: η = min((f(p) − f̂)/‖g‖², η_max), p ← p − η g, where f̂ is the best loss so
 * far minus δ.
 *
 * δ starts at `gap` · |first loss|. Progress is judged in phases. When the best loss has fallen by δ/2 since the start
 * of a phase, δ is multiplied by `grow` ≥ 1, and a new phase starts. If this takes more than `patience` updates, δ is
 * multiplied by `shrink` < 1. η_max: `maximum`. f̂ < f(p), so a step never goes uphill. The rule is meant for full
 * gradients or large batches, because the lowest of many noisy losses is an underestimate. State: four scalars, and
 * nothing per parameter. Source: Nedić, Bertsekas 2001, dynamic step size; the phases and δ/2 are from Goffin, Kiwiel
 * 1999. (A single step cannot reach f̂ itself: a convex f lies above its tangent.) With minibatches, f excludes the
 * model's penalty but g includes its gradient.
 */
export const polyakEstimated = rule(
  "polyakEstimated",
  { gap: 0.5, grow: 1.5, shrink: 0.5, patience: 3, maximum: 1e6 },
  ({ g, t, loss, gap, grow, shrink, patience, maximum }, _, { best, record, delta, missed }) => {
    const first = equal(t, 1);
    const nextBest = where(first, loss, min(best, loss));
    const reached = lessEqual(nextBest, sub(record, mul(0.5, delta)));
    const misses = add(missed, 1);
    const stalled = lessEqual(patience, misses);
    const later = where(reached, mul(grow, delta), where(stalled, mul(shrink, delta), delta));
    const nextDelta = where(first, mul(gap, max(abs(loss), 1e-12)), later);
    const squaredNorm = sum(square(g));
    const rate = where(equal(squaredNorm, 0), 0, min(div(add(sub(loss, nextBest), nextDelta), squaredNorm), maximum));
    const ends = where(first, 1, where(reached, 1, stalled));
    return {
      scalars: {
        best: nextBest,
        record: where(ends, nextBest, record),
        delta: nextDelta,
        missed: where(ends, 0, misses),
      },
      step: mul(rate, g),
    };
  },
  {
    summary: "Polyak's rate with an estimate of the least loss",
    source: "Nedić, Bertsekas 2001; Goffin, Kiwiel 1999",
    ranges: { gap: positive, grow: { low: 1 }, shrink: { low: 0, high: 1, open: true }, patience: { low: 1 }, maximum: positive },
  },
);
