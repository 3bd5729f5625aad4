import {
  add,
  atan,
  div,
  less,
  lessEqual,
  log,
  log1p,
  max,
  min,
  mul,
  neg,
  type SymbolicArray,
  square,
  sub,
  toArray,
  where,
} from "../../engine/compiler/index.ts";
import { arctangent } from "../../engine/numbers/arctangent.ts";
import { cosine, sine } from "../../engine/numbers/cosine-sine.ts";
import { distribution, type Parameter } from "./distribution.ts";
import { minus, within } from "./terms.ts";
import type { Distribution } from "./value.ts";

const LOG_PI = 1.1447298858494002;

const logCauchy = (z: SymbolicArray, sigma: SymbolicArray): SymbolicArray => minus(neg(log1p(square(z))), log(sigma), LOG_PI);

/** P(Z ≤ z), computed as atan(−1/z)/π for z < −1, where it is more accurate. */
function lower(z: number): number {
  return z < -1 ? arctangent(-1 / z) / Math.PI : 0.5 + arctangent(z) / Math.PI;
}

function logLower(z: SymbolicArray): SymbolicArray {
  const far = less(z, -1);
  const tail = log(mul(1 / Math.PI, atan(div(-1, min(z, -1)))));
  return where(far, tail, log(add(0.5, mul(1 / Math.PI, atan(max(z, -1))))));
}

const tangent = (x: number): number => sine(x) / cosine(x);

/** Standard quantile tan π(p − ½), exact in the lower tail. */
const standardQuantile = (p: number): number => {
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  return p < 0.25 ? -1 / tangent(Math.PI * p) : p > 0.75 ? 1 / tangent(Math.PI * (1 - p)) : tangent(Math.PI * (p - 0.5));
};

/**
 * Cauchy: log p(x) = −log π − log σ − log(1 + z²), z = (x − μ)/σ; half-Cauchy: on x ≥ 0 with μ = 0 and twice the
 * density.
 *
 * μ (`mu`): real, the median. σ (`sigma`) > 0: scale, half the interquartile range. Neither mean nor variance exists.
 *
 * mu real, sigma > 0.
 */
export const cauchy: (mu: Parameter, sigma: Parameter) => Distribution = distribution(
  "cauchy",
  { mu: "real", sigma: "positive" },
  {
    kind: "continuous",
    locationScale: { scale: "sigma" },
    support: () => ({ kind: "interval" }),
    logDensity: (x, { mu, sigma }) => logCauchy(div(sub(x, mu), sigma), sigma),
    logCdf: (x, { mu, sigma }) => logLower(div(sub(x, mu), sigma)),
    logSurvival: (x, { mu, sigma }) => logLower(div(sub(mu, x), sigma)),
    // Draws are ratios of two normals, because the tangent function gives different results on different hosts.
    sample: (draws, { mu, sigma }) => mu + (sigma * draws.normal()) / draws.normal(),
    cdf: (x, { mu, sigma }) => lower((x - mu) / sigma),
    survival: (x, { mu, sigma }) => lower((mu - x) / sigma),
    quantile: (p, { mu, sigma }) => mu + sigma * standardQuantile(p),
    upperQuantile: (q, { mu, sigma }) => mu - sigma * standardQuantile(q),
    mean: () => Number.NaN,
    variance: () => Number.NaN,
  },
);

/** Half-Cauchy: |X| with X Cauchy around 0. sigma > 0. */
export const halfCauchy: (sigma: Parameter) => Distribution = distribution(
  "halfCauchy",
  { sigma: "positive" },
  {
    kind: "continuous",
    support: () => ({ kind: "interval", low: toArray(0) }),
    logDensity: (x, { sigma }) => within(lessEqual(0, x), minus(logCauchy(div(x, sigma), sigma), -Math.LN2)),
    logCdf: (x, { sigma }) => within(lessEqual(0, x), log(mul(2 / Math.PI, atan(div(x, sigma))))),
    logSurvival: (x, { sigma }) => where(less(0, x), log(mul(2 / Math.PI, atan(div(sigma, max(x, Number.MIN_VALUE))))), 0),
    sample: (draws, { sigma }) => sigma * Math.abs(draws.normal() / draws.normal()),
    cdf: (x, { sigma }) => (x > 0 ? (2 / Math.PI) * arctangent(x / sigma) : 0),
    survival: (x, { sigma }) => (x > 0 ? (2 / Math.PI) * arctangent(sigma / x) : 1),
    quantile: (p, { sigma }) => (p === 1 ? Infinity : sigma * tangent((Math.PI / 2) * p)),
    upperQuantile: (q, { sigma }) => (q === 0 ? Infinity : sigma / tangent((Math.PI / 2) * q)),
    mean: () => Infinity,
    variance: () => Infinity,
  },
);
