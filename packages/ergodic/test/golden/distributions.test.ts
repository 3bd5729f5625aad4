/**
 * Compares log densities, distribution functions and quantiles with scipy, torch and mpmath (distributions.py), to
 * 1e-10 relative.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { distributionExamples } from "../../src/bayes/distributions/distribution.ts";
import * as d from "../../src/bayes/distributions/index.ts";
import { constantArray, interpret } from "../../src/engine/compiler/index.ts";
import { builtIn } from "../reference/built-in.ts";

interface Row {
  readonly name: string;
  readonly parameters: readonly d.Parameter[];
  readonly call: string;
  readonly x: readonly (number | readonly number[] | readonly (readonly number[])[])[];
  readonly logDensity: readonly (number | string)[];
  readonly cdf?: readonly number[];
  readonly p?: readonly number[];
  readonly quantile?: readonly (number | string)[];
}
const rows = JSON.parse(readFileSync(new URL("distributions.json", import.meta.url), "utf8")) as Row[];

function build({ name, parameters }: Row): d.Distribution {
  if (name === "lkjCholesky") return d.lkjCholesky(parameters[0] as number, parameters[1]);
  if (name === "truncated normal") {
    const [mu, sigma, low, high] = parameters.map(Number);
    const finite = (x: number) => (Number.isFinite(x) ? x : undefined);
    return d.truncated(d.normal(mu, sigma), { lower: finite(low), upper: finite(high) });
  }
  return d.distributionOf(name)!(...parameters);
}

function expectClose(got: number, wanted: number, what: string): void {
  if (!Number.isFinite(wanted)) expect(got, what).toBe(wanted);
  // 1e-13 absolute, because a log density can be near 0.
  else expect(Math.abs(got - wanted), `${what}: ${got} for ${wanted}`).toBeLessThanOrEqual(1e-10 * Math.abs(wanted) + 1e-13);
}

function logDensity(distribution: d.Distribution, x: Row["x"][number]): number {
  const flat = [x].flat(2) as number[];
  const shape = Array.isArray(x) ? (Array.isArray(x[0]) ? [x.length, x[0].length] : [x.length]) : [];
  return interpret([distribution.logDensity(constantArray(flat, shape))], {})[0][0];
}

it.each(rows)("computes the log density of $call", (row) => {
  const distribution = build(row);
  row.x.forEach((x, i) => {
    expectClose(logDensity(distribution, x), Number(row.logDensity[i]), `at ${JSON.stringify(x)}`);
  });
});

const withFunctions = rows.filter((row) => row.cdf);
it.each(withFunctions)("computes the distribution function and quantiles of $call", (row) => {
  const distribution = build(row);
  row.x.forEach((x, i) => {
    expectClose(distribution.cdf(x as number), row.cdf![i], `cdf at ${x}`);
  });
  row.p!.forEach((p, i) => {
    expectClose(distribution.quantile(p), Number(row.quantile![i]), `quantile at ${p}`);
  });
});

/**
 * Examples whose densities are compared with the slopes of their distribution functions. Other tests compare the
 * samplers with these functions.
 */
const withExample = [...distributionExamples()].filter(
  ([name, { parameters }]) => d.distributionOf(name)!(...parameters).family.cdf !== undefined,
);

it.each(withExample)("the density of %s is the slope of its distribution function", (name, { parameters, x }) => {
  const distribution = d.distributionOf(name)!(...parameters);
  const isDiscrete = distribution.family.kind === "discrete";
  for (const at of x) {
    const h = isDiscrete ? 1 : 1e-5 * Math.max(1, Math.abs(at));
    const slope = isDiscrete
      ? distribution.cdf(at) - distribution.cdf(at - 1)
      : (distribution.cdf(at + h) - distribution.cdf(at - h)) / (2 * h);
    expect(Math.abs(Math.exp(logDensity(distribution, at)) / slope - 1), `at ${at}`).toBeLessThan(1e-6);
  }
});

/**
 * distributions.test.ts compares other moments with scipy. The last three show that the rule below is accurate enough.
 */
const moments: [string, d.Distribution][] = [
  ...withExample.map(([name, { parameters }]): [string, d.Distribution] => [name, d.distributionOf(name)!(...parameters)]),
  ["weibull", d.weibull(1.7, 2)],
  ["logistic", d.logistic(0.4, 1.5)],
  ["geometric", d.geometric(0.3)],
];

it.each(moments.filter(([, { family }]) => family.mean))("mean and variance of %s match its quantiles", (_, distribution) => {
  const count = 20_000;
  const values = Array.from({ length: count }, (__, i) => Number(distribution.quantile((i + 0.5) / count)));
  const mean = values.reduce((a, b) => a + b, 0) / count;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
  expect(Math.abs(Number(distribution.mean()) - mean)).toBeLessThan(0.01 * Math.sqrt(variance));
  expect(Math.abs(Number(distribution.variance()) / variance - 1)).toBeLessThan(0.01);
});

it("covers every named distribution, except those with a tested example in their definition", () => {
  const named = new Set([...rows.map((row) => row.name), ...withExample.map(([name]) => name)]);
  const ours = builtIn(d.distributionNames());
  expect(ours.length).toBeGreaterThan(30);
  expect(ours.filter((name) => !named.has(name))).toEqual([]);
});
