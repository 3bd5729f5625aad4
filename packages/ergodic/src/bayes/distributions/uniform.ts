import { div, less, log, max, min, neg, type SymbolicArray, sub, where } from "../../engine/compiler/index.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { between, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

type P = { readonly low: SymbolicArray; readonly high: SymbolicArray };
const clipped = (x: SymbolicArray, { low, high }: P): SymbolicArray => min(max(x, low), high);
const share = (x: number, low: number, high: number): number => Math.min(1, Math.max(0, x / (high - low)));

/**
 * Uniform: log p(x) = −log(b − a) on a ≤ x ≤ b.
 *
 * a (`low`) < b (`high`): real. Numbers in the wrong order are refused; symbolic arrays in the wrong order give NaN.
 *
 * low < high.
 *
 * @param low smallest value
 * @param high largest value, > low
 */
export const uniform: (low: Parameter, high: Parameter) => Distribution = distribution(
  "uniform",
  { low: "real", high: "real" },
  {
    kind: "continuous",
    increasing: ["low", "high"],
    support: ({ low, high }) => ({ kind: "interval", low, high }),
    logDensity: (x, { low, high }) => within(between(low, x, high), where(less(low, high), neg(log(sub(high, low))), Number.NaN)),
    logCdf: (x, p) => log(div(sub(clipped(x, p), p.low), sub(p.high, p.low))),
    logSurvival: (x, p) => log(div(sub(p.high, clipped(x, p)), sub(p.high, p.low))),
    sample: (draws, { low, high }) => low + (high - low) * draws.uniform(),
    cdf: (x, { low, high }) => share(x - low, low, high),
    survival: (x, { low, high }) => share(high - x, low, high),
    quantile: (p, { low, high }) => low + (high - low) * p,
    upperQuantile: (q, { low, high }) => high - (high - low) * q,
    mean: ({ low, high }) => low + (high - low) / 2,
    variance: ({ low, high }) => (high - low) ** 2 / 12,
  },
);
