import { lessEqual, mul, sub, where } from "../../../engine/compiler/index.ts";
import { loss } from "../loss.ts";

/**
 * Quantile (pinball) loss: τr where r = y − z ≥ 0, (τ − 1)r below. τ (`quantile`) in [0, 1]. Source: Koenker and
 * Bassett 1978.
 */
export const quantileLoss = loss(
  "quantile",
  {
    /** Probability τ of the quantile, in [0, 1]. */
    quantile: 0.5,
  },
  ({ z, y, quantile: tau }) => {
    const r = sub(y, z);
    return where(lessEqual(0, r), mul(tau, r), mul(sub(tau, 1), r));
  },
  { task: "regression", link: "identity" },
  { quantile: { low: 0, high: 1 } },
);
