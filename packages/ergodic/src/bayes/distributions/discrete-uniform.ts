import { add, and, equal, floor, lessEqual, log, neg, sub, where } from "../../engine/compiler/index.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { between, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const count = (low: number, high: number): number => high - low + 1;

/**
 * Discrete uniform: P(x) = 1/(b − a + 1) on the whole numbers a ≤ x ≤ b.
 *
 * a (`low`) ≤ b (`high`): whole. Numbers in the wrong order are refused; symbolic arrays in the wrong order give NaN.
 *
 * low <= high, both whole.
 */
export const discreteUniform: (low: Parameter, high: Parameter) => Distribution = distribution(
  "discreteUniform",
  { low: "real", high: "real" },
  {
    kind: "discrete",
    increasing: ["low", "high"],
    support: ({ low, high }) => ({ kind: "integers", low, high }),
    logDensity(x, { low, high }) {
      const each = where(lessEqual(low, high), neg(log(add(sub(high, low), 1))), Number.NaN);
      return within(and(between(low, x, high), equal(floor(x), x)), each);
    },
    sample: (draws, { low, high }) => low + draws.integer(count(low, high)),
    cdf: (x, { low, high }) => Math.min(1, Math.max(0, count(low, Math.floor(x)) / count(low, high))),
    survival: (x, { low, high }) => Math.min(1, Math.max(0, (high - Math.floor(x)) / count(low, high))),
    quantile: (p, { low, high }) => Math.max(low, low + Math.ceil(p * count(low, high)) - 1),
    mean: ({ low, high }) => low + (high - low) / 2,
    variance: ({ low, high }) => (count(low, high) ** 2 - 1) / 12,
  },
);
