/**
 * Random posteriors with several modes: mixtures of normals with known masses, as plain functions, in priors and in
 * likelihoods.
 */

import { add, constantArray, logSumExp, mul, square, sub, sum, toArray } from "../../../src/engine/compiler/index.ts";
import type { Draws as RandomNumbers } from "../../../src/engine/random/stream.ts";
import { functionDensity, mixture, model, normal } from "../../../src/entries/everything.ts";
import { gridMarginal, gridOf, mixtureMarginal } from "./marginals.ts";
import type { Drawn } from "./posteriors.ts";

/** Component of a mixture of round normals in d dimensions. */
export interface Part {
  readonly weight: number;
  readonly mean: readonly number[];
  readonly sd: number;
}

const between = (draws: RandomNumbers, low: number, high: number): number => low + (high - low) * draws.uniform();
/** Log-uniform distribution. */
const scaleBetween = (draws: RandomNumbers, low: number, high: number): number => low * (high / low) ** draws.uniform();

function direction(draws: RandomNumbers, d: number): number[] {
  const z = Array.from({ length: d }, () => draws.normal());
  const length = Math.hypot(...z);
  return z.map((value) => value / length);
}

/** Weights of `count` parts. All but the first are at least .02, and together at most .5. */
function weightsOf(draws: RandomNumbers, count: number): number[] {
  const light = Array.from({ length: count - 1 }, () => scaleBetween(draws, 0.02 * (count - 1), 0.5) / (count - 1));
  return [1 - light.reduce((a, b) => a + b, 0), ...light];
}

/** Starts on which a set of parts is tried, and the least share of starts in the basin of each part. */
const [TRIED, LEAST_BASIN] = [300, 0.2];

/**
 * Parts whose centres are at least 6 standard deviations of the wider part away from each other, each with a basin that
 * contains enough of the starts. The heaviest part at a start identifies the basin of the start. In d dimensions a
 * slightly wider part is the heaviest almost everywhere, so spreads differ by at most 20^(1/d).
 */
function partsOf(draws: RandomNumbers, d: number, count: number, spread: number, start: () => number[]): Part[] {
  const weights = weightsOf(draws, count);
  for (;;) {
    const widest = spread / scaleBetween(draws, 6, 20);
    const parts = weights.map((weight): Part => {
      const away = between(draws, 0.3, 1) * spread;
      const sd = widest / scaleBetween(draws, 1, 20 ** (1 / d));
      return { weight, mean: direction(draws, d).map((value) => away * value), sd };
    });
    const isApart = parts.every((a, i) => parts.every((b, j) => i === j || distance(a.mean, b.mean) >= 6 * Math.max(a.sd, b.sd)));
    if (!isApart) continue;
    const counts = parts.map(() => 0);
    for (let i = 0; i < TRIED; i++) {
      const x = start();
      const logs = parts.map((part) => logPart(part, x));
      counts[logs.indexOf(Math.max(...logs))]++;
    }
    if (Math.min(...counts) >= LEAST_BASIN * TRIED) return parts;
  }
}

const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((value, i) => value - b[i]));

const logPart = ({ weight, mean, sd }: Part, x: ArrayLike<number>): number =>
  mean.reduce((total, m, i) => total - 0.5 * ((x[i] - m) / sd) ** 2, Math.log(weight) - mean.length * Math.log(sd));

/** log Σ weight N(x | mean, sd² I), up to a constant. */
export function logMixtureOf(parts: readonly Part[], x: ArrayLike<number>): number {
  const each = parts.map((part) => logPart(part, x));
  const top = Math.max(...each);
  return top + Math.log(each.reduce((total, one) => total + Math.exp(one - top), 0));
}

const marginalsOf = (name: string, parts: readonly Part[]) =>
  parts[0].mean.map((_, i) =>
    mixtureMarginal(
      name,
      i,
      parts.map(({ weight, mean, sd }) => ({ weight, mean: mean[i], sd })),
    ),
  );

/** A plain function without a prior. */
function asFunction(name: string, parts: readonly Part[]): Drawn {
  const d = parts[0].mean.length;
  const density = functionDensity({
    dimension: d,
    logDensity: (x) => logMixtureOf(parts, x),
    gradient(x) {
      const each = parts.map((part) => logPart(part, x));
      const top = Math.max(...each);
      const shares = each.map((one) => Math.exp(one - top));
      const total = shares.reduce((a, b) => a + b, 0);
      return x.map((value, i) =>
        parts.reduce((slope, { mean, sd }, k) => slope - (shares[k] / total) * ((value - mean[i]) / sd ** 2), 0),
      );
    },
  });
  const marginals = marginalsOf("x", parts);
  return { name, kind: "modes", model: density, data: {}, parts, marginals, logDensity: (x) => logMixtureOf(parts, x) };
}

/** A normal prior of each coordinate, times a likelihood that makes the posterior the given mixture. */
function asLikelihood(name: string, parts: readonly Part[], priorSd: number): Drawn {
  const d = parts[0].mean.length;
  // N(x | 0, priorSd²) times exp of these terms is the mixture.
  const terms = parts.map(({ weight, mean, sd }) => {
    const precision = 1 / sd ** 2 - 1 / priorSd ** 2;
    const centre = mean.map((m) => m / sd ** 2 / precision);
    const squares = mean.reduce((total, m, i) => total + (m / sd) ** 2 - precision * centre[i] ** 2, 0);
    return { precision, centre, constant: Math.log(weight) - d * Math.log(sd) - 0.5 * squares };
  });
  const made = model(({ param, target }) => {
    const x = param("x", normal(0, priorSd), { shape: d });
    const squares = sum(
      square(
        sub(
          x,
          constantArray(
            terms.flatMap(({ centre }) => centre),
            [parts.length, d],
          ),
        ),
      ),
      { axis: 1 },
    );
    const weighted = mul(toArray(terms.map(({ precision }) => -0.5 * precision)), squares);
    target(logSumExp(add(toArray(terms.map(({ constant }) => constant)), weighted)));
    return { x };
  });
  const marginals = marginalsOf("x", parts);
  return { name, kind: "modes", model: made, data: {}, parts, marginals, logDensity: (x) => logMixtureOf(parts, x) };
}

/** A coordinate with two modes in its prior and a weak observation of it. The others are normal around it. */
function asPrior(name: string, draws: RandomNumbers, others: number): Drawn {
  const far = scaleBetween(draws, 8, 30);
  const weight = between(draws, 0.1, 0.5);
  const sds = [1, 1 / scaleBetween(draws, 1, 5)];
  const [noise, y] = [2 * far, between(draws, -far, far)];
  const z = Array.from({ length: others }, () => draws.normal());
  const made = model(({ param, observe }) => {
    const x = param("x", mixture([1 - weight, weight], [normal(0, sds[0]), normal(far, sds[1])]));
    observe(y, normal(x, noise));
    if (others > 0) param("z", normal(toArray(z), 1), { shape: others });
    return { x };
  });
  const prior = [
    { weight: 1 - weight, mean: 0, sd: sds[0] },
    { weight, mean: far, sd: sds[1] },
  ];
  const posterior = prior.map(({ weight, mean, sd }) => {
    const variance = 1 / (1 / sd ** 2 + 1 / noise ** 2);
    const evidence = Math.exp((-0.5 * (y - mean) ** 2) / (sd ** 2 + noise ** 2)) / Math.sqrt(sd ** 2 + noise ** 2);
    return { weight: weight * evidence, mean: variance * (mean / sd ** 2 + y / noise ** 2), sd: Math.sqrt(variance) };
  });
  const total = posterior.reduce((all, part) => all + part.weight, 0);
  const parts = posterior.map((part) => ({ ...part, weight: part.weight / total }));
  return {
    name,
    kind: "modes",
    model: made,
    data: {},
    parts: parts.map(({ weight, mean, sd }) => ({ weight, mean: [mean], sd })),
    marginals: [
      mixtureMarginal("x", undefined, parts),
      ...z.map((mean, i) => mixtureMarginal("z", i, [{ weight: 1, mean, sd: 1 }])),
    ],
    logDensity: (u) =>
      logMixtureOf(
        parts.map(({ weight, mean, sd }) => ({ weight, mean: [mean], sd })),
        u,
      ) -
      0.5 * z.reduce((squares, mean, i) => squares + (u[1 + i] - mean) ** 2, 0),
  };
}

/** Only the square of each coordinate is observed, so there are modes at ± its root with different masses. */
function asSquares(name: string, draws: RandomNumbers, d: number): Drawn {
  const coordinates = Array.from({ length: d }, () => ({
    centre: between(draws, -0.5, 0.5),
    y: between(draws, 2, 6),
    noise: between(draws, 0.3, 0.6),
  }));
  const made = model(({ param, observe }) => {
    const x = param("x", normal(toArray(coordinates.map(({ centre }) => centre)), 3), { shape: d });
    observe(toArray(coordinates.map(({ y }) => y)), normal(square(x), toArray(coordinates.map(({ noise }) => noise))));
    return { x };
  });
  const one = (x: number, i: number): number => {
    const { centre, y, noise } = coordinates[i];
    return -0.5 * ((x - centre) / 3) ** 2 - 0.5 * ((y - x * x) / noise) ** 2;
  };
  return {
    name,
    kind: "modes",
    model: made,
    data: {},
    marginals: coordinates.map((_, i) =>
      gridMarginal(
        "x",
        i,
        gridOf((x) => one(x, i), -6, 6),
        (x) => x,
      ),
    ),
    logDensity: (u) => coordinates.reduce((total, _, i) => total + one(u[i], i), 0),
  };
}

/** A narrow mode inside a broad one. */
function nested(draws: RandomNumbers, d: number): Part[] {
  const weight = between(draws, 0.1, 0.5);
  const mean = direction(draws, d).map((value) => 0.3 * value);
  const narrow = 1 / scaleBetween(draws, d === 1 ? 15 : 8, 20);
  return [
    { weight: 1 - weight, mean: mean.map(() => 0), sd: 1 },
    { weight, mean, sd: narrow },
  ];
}

/** The `i`-th of 20. */
export function drawMixture(i: number, draws: RandomNumbers): Drawn {
  const dimensions = [1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 15, 20];
  const d = dimensions[i];
  if (i < 12) {
    const count = i % 3 === 2 ? 3 : 2;
    const spread = scaleBetween(draws, 1.5, 6);
    const priorSd = 1.5 * spread;
    // Starts like a scout: uniform in (−2, 2), with half of the starts from the prior if there is one.
    const uniform = (): number[] => Array.from({ length: d }, () => between(draws, -2, 2));
    const either = (): number[] => (draws.uniform() < 0.5 ? uniform() : uniform().map(() => priorSd * draws.normal()));
    return i % 2 === 0
      ? asFunction(`${count} modes in ${d} dimensions, a function`, partsOf(draws, d, count, spread, uniform))
      : asLikelihood(`${count} modes in ${d} dimensions, a likelihood`, partsOf(draws, d, count, spread, either), priorSd);
  }
  if (i < 15) return asPrior(`2 modes in the prior of one of ${i - 11}`, draws, i - 12);
  if (i < 17) return asSquares(`${2 ** (i - 14)} modes by squares`, draws, i - 14);
  const size = [2, 5, 10][i - 17];
  const parts = nested(draws, size);
  return i === 18
    ? asFunction(`a narrow mode in a broad one, ${size} dimensions, a function`, parts)
    : asLikelihood(`a narrow mode in a broad one, ${size} dimensions, a likelihood`, parts, 3);
}
