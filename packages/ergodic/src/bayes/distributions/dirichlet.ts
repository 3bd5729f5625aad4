import { abs, and, lessEqual, lgamma, minimum, sub, sum } from "../../engine/compiler/index.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { drawLogGamma } from "../../engine/random/draw-gamma.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { minus, plus, timesLog, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const totalOf = (a: Float64Array): number => a.reduce((total, x) => total + x, 0);

/**
 * Dirichlet: log p(x) = log Γ(Σ a_k) − Σ log Γ(a_k) + Σ (a_k − 1) log x_k on x ≥ 0 with sum 1 (to 1e-8).
 *
 * x: [..., K]. a (`concentration`): [..., K], > 0. The density is with respect to the first K − 1 elements.
 *
 * concentration: [..., K], each > 0.
 */
export const dirichlet: (concentration: Parameter) => Distribution = distribution(
  "dirichlet",
  { concentration: "positiveVector" },
  {
    kind: "continuous",
    eventRank: 1,
    support: () => ({ kind: "simplex" }),
    logDensity(x, { concentration }) {
      const last = { axis: -1 };
      const inside = and(lessEqual(0, minimum(x, last)), lessEqual(abs(sub(sum(x, last), 1)), 1e-8));
      const normaliser = minus(lgamma(sum(concentration, last)), sum(lgamma(concentration), last));
      return within(inside, plus(normaliser, sum(timesLog(sub(concentration, 1), x), last)));
    },
    sample(draws, { concentration }) {
      const logs = concentration.map((a) => drawLogGamma(draws, a));
      const largest = logs.reduce((a, b) => Math.max(a, b), -Infinity);
      const powers = logs.map((x) => exp(x - largest));
      const total = totalOf(powers);
      return powers.map((x) => x / total);
    },
    mean: ({ concentration }) => concentration.map((a) => a / totalOf(concentration)),
    variance({ concentration }) {
      const total = totalOf(concentration);
      return concentration.map((a) => (a * (total - a)) / total ** 2 / (total + 1));
    },
  },
);
