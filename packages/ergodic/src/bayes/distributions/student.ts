import {
  add,
  div,
  lessEqual,
  lgamma,
  log,
  log1p,
  mul,
  type SymbolicArray,
  square,
  sub,
  toArray,
} from "../../engine/compiler/index.ts";
import { exp as expOf } from "../../engine/numbers/exp.ts";
import { lgamma as logGamma } from "../../engine/numbers/gamma.ts";
import { drawGamma } from "../../engine/random/draw-gamma.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { studentCdf, studentQuantile, studentWithin } from "./tails.ts";
import { minus, plus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

function logStudent(z: SymbolicArray, nu: SymbolicArray, sigma: SymbolicArray): SymbolicArray {
  const half = mul(0.5, add(nu, 1));
  const normaliser = minus(lgamma(half), lgamma(mul(0.5, nu)), mul(0.5, log(mul(Math.PI, nu))), log(sigma));
  return sub(normaliser, mul(half, log1p(div(square(z), nu))));
}

const drawStudent = (draws: Draws, nu: number): number => draws.normal() * Math.sqrt(nu / 2 / drawGamma(draws, nu / 2));
const varianceOf = (nu: number, sigma: number): number =>
  nu > 2 ? (sigma * sigma * nu) / (nu - 2) : nu > 1 ? Infinity : Number.NaN;
/** Mean of |T|. */
const meanSize = (nu: number): number =>
  nu > 1 ? (2 * Math.sqrt(nu / Math.PI) * expOf(logGamma((nu + 1) / 2) - logGamma(nu / 2))) / (nu - 1) : Infinity;

/**
 * Student's t: log p(x) = log Γ((ν+1)/2) − log Γ(ν/2) − ½ log πν − log σ − (ν+1)/2 · log(1 + z²/ν), z = (x − μ)/σ;
 * half-Student: on x ≥ 0 with μ = 0 and twice the density.
 *
 * ν (`nu`) > 0: degrees of freedom. μ (`mu`): real. σ (`sigma`) > 0: scale. For ν beyond 1e6 the difference of log Γ
 * loses digits.
 *
 * nu > 0, mu real, sigma > 0.
 *
 * @param nu degrees of freedom, > 0
 * @param mu location: the centre of symmetry
 * @param sigma scale, > 0. It is not the standard deviation
 */
export const student: (nu: Parameter, mu: Parameter, sigma: Parameter) => Distribution = distribution(
  "student",
  { nu: "positive", mu: "real", sigma: "positive" },
  {
    kind: "continuous",
    locationScale: { scale: "sigma" },
    support: () => ({ kind: "interval" }),
    logDensity: (x, { nu, mu, sigma }) => logStudent(div(sub(x, mu), sigma), nu, sigma),
    sample: (draws, { nu, mu, sigma }) => mu + sigma * drawStudent(draws, nu),
    cdf: (x, { nu, mu, sigma }) => studentCdf((x - mu) / sigma, nu),
    survival: (x, { nu, mu, sigma }) => studentCdf((mu - x) / sigma, nu),
    quantile: (p, { nu, mu, sigma }) => mu + sigma * studentQuantile(p, nu),
    upperQuantile: (q, { nu, mu, sigma }) => mu - sigma * studentQuantile(q, nu),
    mean: ({ nu, mu }) => (nu > 1 ? mu : Number.NaN),
    variance: ({ nu, sigma }) => varianceOf(nu, sigma),
  },
);

/** Half-Student: |X| with X Student's t around 0. nu > 0, sigma > 0. */
export const halfStudent: (nu: Parameter, sigma: Parameter) => Distribution = distribution(
  "halfStudent",
  { nu: "positive", sigma: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity: (x, { nu, sigma }) => within(lessEqual(0, x), plus(logStudent(div(x, sigma), nu, sigma), Math.LN2)),
    sample: (draws, { nu, sigma }) => sigma * Math.abs(drawStudent(draws, nu)),
    cdf: (x, { nu, sigma }) => (x > 0 ? studentWithin(x / sigma, nu) : 0),
    survival: (x, { nu, sigma }) => (x > 0 ? 2 * studentCdf(-x / sigma, nu) : 1),
    quantile: (p, { nu, sigma }) => sigma * studentQuantile((1 + p) / 2, nu),
    upperQuantile: (q, { nu, sigma }) => -sigma * studentQuantile(q / 2, nu),
    mean: ({ nu, sigma }) => sigma * meanSize(nu),
    variance: ({ nu, sigma }) => varianceOf(nu, sigma) - (nu > 2 ? (sigma * meanSize(nu)) ** 2 : 0),
  },
);
