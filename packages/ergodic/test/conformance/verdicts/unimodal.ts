/**
 * Random posteriors with one mode and other difficulties: curved, heavy-tailed, at the boundary of supports, or
 * hierarchical.
 */

import { mul, square } from "../../../src/engine/compiler/index.ts";
import type { Draws as RandomNumbers } from "../../../src/engine/random/stream.ts";
import {
  beta,
  cauchy,
  functionDensity,
  gamma,
  halfNormal,
  model,
  normal,
  student,
  uniform,
  vector,
} from "../../../src/entries/everything.ts";
import { gridMarginal, gridOf, mixtureMarginal, standardCdf } from "./marginals.ts";
import type { Drawn } from "./posteriors.ts";

const between = (draws: RandomNumbers, low: number, high: number): number => low + (high - low) * draws.uniform();
const listOf = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** x ~ N(0, s²), y ~ N(b x², t²). */
function banana(name: string, draws: RandomNumbers): Drawn {
  const [s, b, t] = [between(draws, 0.6, 1.5), between(draws, 0.3, 1), between(draws, 0.3, 1)];
  const made = model(({ param }) => {
    const x = param("x", normal(0, s));
    const y = param("y", normal(mul(b, square(x)), t));
    return { x, y };
  });
  const { u, probabilities } = gridOf((x) => -0.5 * (x / s) ** 2, -8 * s, 8 * s, 4000);
  const mean = b * s * s;
  return {
    name,
    kind: "curved",
    model: made,
    data: {},
    marginals: [
      mixtureMarginal("x", undefined, [{ weight: 1, mean: 0, sd: s }]),
      {
        name: "y",
        index: undefined,
        mean,
        sd: Math.sqrt(2 * mean * mean + t * t),
        cdf: (y) => u.reduce((total, x, i) => total + probabilities[i] * standardCdf((y - b * x * x) / t), 0),
      },
    ],
    logDensity: ([x, y]) => -0.5 * (x / s) ** 2 - 0.5 * ((y - b * x * x) / t) ** 2,
  };
}

/** log p = −(r − R)²/2σ², where r is the distance from the origin of the plane. */
function ring(name: string, draws: RandomNumbers): Drawn {
  const [R, sigma] = [between(draws, 1, 3), between(draws, 0.15, 0.4)];
  const logDensity = (x: ArrayLike<number>): number => -0.5 * ((Math.hypot(x[0], x[1]) - R) / sigma) ** 2;
  const { u: radii, probabilities } = gridOf((r) => Math.log(r) - 0.5 * ((r - R) / sigma) ** 2, 1e-6, R + 8 * sigma, 4000);
  const sd = Math.sqrt(radii.reduce((total, r, i) => total + probabilities[i] * r * r, 0) / 2);
  const share = (z: number): number => (z >= 1 ? 1 : z <= -1 ? 0 : 1 - Math.acos(z) / Math.PI);
  const cdf = (x: number): number => radii.reduce((total, r, i) => total + probabilities[i] * share(x / r), 0);
  return {
    name,
    kind: "curved",
    model: functionDensity({
      dimension: 2,
      logDensity,
      gradient([x, y]) {
        const r = Math.hypot(x, y);
        return [x, y].map((value) => (-(r - R) / sigma ** 2) * (value / r));
      },
    }),
    data: {},
    marginals: [0, 1].map((index) => ({ name: "x", index, mean: 0, sd, cdf })),
    logDensity,
  };
}

/** Independent Student's t. Above 2.5 degrees of freedom, means can be compared. */
function tails(name: string, draws: RandomNumbers, d: number): Drawn {
  const each = listOf(d, () => ({
    nu: between(draws, 2.6, 7),
    mu: between(draws, -1, 1),
    sigma: between(draws, 0.5, 3),
  }));
  const made = model(({ param }) =>
    Object.fromEntries(each.map(({ nu, mu, sigma }, i) => [`x${i}`, param(`x${i}`, student(nu, mu, sigma))])),
  );
  const log = (x: number, i: number): number => {
    const { nu, mu, sigma } = each[i];
    return -0.5 * (nu + 1) * Math.log1p(((x - mu) / sigma) ** 2 / nu);
  };
  return {
    name,
    kind: "heavy",
    model: made,
    data: {},
    marginals: each.map(({ mu, sigma }, i) => {
      const value = (u: number): number => mu + sigma * Math.sinh(u);
      const grid = gridOf((u) => log(value(u), i) + Math.log(Math.cosh(u)), -14, 14);
      const { sd: _, ...rest } = gridMarginal(`x${i}`, undefined, grid, value);
      return rest;
    }),
    logDensity: (u) => each.reduce((total, _, i) => total + log(u[i], i), 0),
  };
}

/** Location of a Cauchy distribution, from a few observations around one place. */
function cauchyPlace(name: string, draws: RandomNumbers): Drawn {
  const at = between(draws, -2, 2);
  const y = listOf(12, () => at + 0.7 * draws.normal());
  const made = model({ y: vector("N") }, ({ y, param, observe }) => {
    const theta = param("theta", cauchy(0, 2));
    observe(y, cauchy(theta, 1));
    return { theta };
  });
  const logDensity = ([theta]: ArrayLike<number> & Iterable<number>): number =>
    -Math.log1p((theta / 2) ** 2) - y.reduce((total, value) => total + Math.log1p((value - theta) ** 2), 0);
  const grid = gridOf((theta) => logDensity([theta]), at - 15, at + 15);
  return {
    name,
    kind: "heavy",
    model: made,
    data: { y },
    marginals: [gridMarginal("theta", undefined, grid, (theta) => theta)],
    logDensity,
  };
}

/** Quantities with much of their mass at the ends of their supports, and the upper end of a uniform distribution. */
function edges(name: string, draws: RandomNumbers): Drawn {
  const [a, b, k, s] = [between(draws, 0.5, 1.5), between(draws, 1, 4), between(draws, 0.6, 2), between(draws, 0.5, 3)];
  const y = listOf(6, () => between(draws, 0, 4));
  const most = Math.max(...y);
  const made = model({ y: vector("N") }, ({ y, param, observe }) => {
    const p = param("p", beta(a, b));
    const g = param("g", gamma(k, 1));
    const h = param("h", halfNormal(s));
    const theta = param("theta", normal(0, 10), { lower: most });
    observe(y, uniform(0, theta));
    return { p, g, h, theta };
  });
  // Unconstrained numbers: logit p, log g, log h, log (theta − most).
  const logistic = (u: number): number => 1 / (1 + Math.exp(-u));
  const logs: ((u: number) => number)[] = [
    (u) => -a * Math.log1p(Math.exp(-u)) - b * Math.log1p(Math.exp(u)),
    (u) => k * u - Math.exp(u),
    (u) => u - 0.5 * (Math.exp(u) / s) ** 2,
    (u) => u - 0.5 * ((most + Math.exp(u)) / 10) ** 2 - y.length * Math.log(most + Math.exp(u)),
  ];
  const values = [logistic, Math.exp, Math.exp, (u: number) => most + Math.exp(u)];
  return {
    name,
    kind: "edge",
    model: made,
    data: { y },
    marginals: ["p", "g", "h", "theta"].map((quantity, i) =>
      gridMarginal(quantity, undefined, gridOf(logs[i], -40, 40, 40_000), values[i]),
    ),
    logDensity: (u) => logs.reduce((total, log, i) => total + log(u[i]), 0),
  };
}

/** y_j ~ N(θ_j, σ_j²), θ_j ~ N(μ, τ²), μ ~ N(0, m²), τ ~ half-normal(t). */
function hierarchy(name: string, draws: RandomNumbers, centred: boolean): Drawn {
  const groups = 5 + draws.integer(6);
  const [m, t] = [5, between(draws, 2, 5)];
  const [mu0, tau0] = [between(draws, -3, 3), centred ? between(draws, 3, 5) : between(draws, 0.5, 3)];
  const sigma = listOf(groups, () => (centred ? between(draws, 0.3, 0.8) : between(draws, 1, 3)));
  const y = sigma.map((noise) => mu0 + tau0 * draws.normal() + noise * draws.normal());
  const made = model({ y: vector("J"), sigma: vector("J") }, ({ y, sigma, param, observe }) => {
    const mu = param("mu", normal(0, m));
    const tau = param("tau", halfNormal(t));
    const theta = param("theta", normal(mu, tau), { shape: groups, centred });
    observe(y, normal(theta, sigma));
    return { mu, tau, theta };
  });
  // Given τ, μ and θ are normal. The grid is over log τ.
  const given = (u: number) => {
    const variances = sigma.map((noise) => noise ** 2 + Math.exp(2 * u));
    const precision = 1 / m ** 2 + variances.reduce((total, v) => total + 1 / v, 0);
    const mean = variances.reduce((total, v, j) => total + y[j] / v, 0) / precision;
    return { variances, precision, mean };
  };
  const logTau = (u: number): number => {
    const { variances, precision, mean } = given(u);
    const squares = variances.reduce((total, v, j) => total + y[j] ** 2 / v + Math.log(v), 0);
    return u - 0.5 * (Math.exp(u) / t) ** 2 - 0.5 * (squares + Math.log(precision) - precision * mean ** 2);
  };
  const grid = gridOf(logTau, -14, 5, 2000);
  const parts = (make: (u: number) => { mean: number; sd: number }) =>
    Array.from(grid.u, (u, i) => ({ weight: grid.probabilities[i], ...make(u) })).filter(({ weight }) => weight > 1e-12);
  const thetaGiven = (j: number) => (u: number) => {
    const { precision, mean } = given(u);
    const share = Math.exp(2 * u) / (Math.exp(2 * u) + sigma[j] ** 2);
    const sd = Math.sqrt(share * sigma[j] ** 2 + (1 - share) ** 2 / precision);
    return { mean: share * y[j] + (1 - share) * mean, sd };
  };
  return {
    name,
    kind: "hierarchical",
    model: made,
    data: { y, sigma },
    marginals: [
      mixtureMarginal(
        "mu",
        undefined,
        parts((u) => ({ mean: given(u).mean, sd: 1 / Math.sqrt(given(u).precision) })),
      ),
      gridMarginal("tau", undefined, grid, Math.exp),
      ...[0, groups - 1].map((j) => mixtureMarginal("theta", j, parts(thetaGiven(j)))),
    ],
    logDensity(u) {
      const [mu, logTauAt] = [u[0], u[1]];
      const tau = Math.exp(logTauAt);
      let total = -0.5 * (mu / m) ** 2 + logTauAt - 0.5 * (tau / t) ** 2;
      for (let j = 0; j < groups; j++) {
        const z = centred ? (u[2 + j] - mu) / tau : u[2 + j];
        total -= 0.5 * z * z + (centred ? logTauAt : 0) + 0.5 * ((y[j] - mu - tau * z) / sigma[j]) ** 2;
      }
      return total;
    },
  };
}

/** The `i`-th of 20. */
export function drawUnimodal(i: number, draws: RandomNumbers): Drawn {
  if (i < 3) return banana(`banana ${i + 1}`, draws);
  if (i < 5) return ring(`ring ${i - 2}`, draws);
  if (i < 8) return tails(`Student's t in ${[1, 3, 8][i - 5]} dimensions`, draws, [1, 3, 8][i - 5]);
  if (i < 10) return cauchyPlace(`place of a Cauchy distribution ${i - 7}`, draws);
  if (i < 15) return edges(`edges ${i - 9}`, draws);
  return hierarchy(`hierarchy ${i - 14}, ${i < 18 ? "non-centred" : "centred"}`, draws, i >= 18);
}
