/**
 * Distributions on symbolic arrays: gradients, compiled code, shapes, edge cases and errors.
 * test/golden/distributions.test.ts checks the values.
 */
import { describe, expect, it } from "vitest";
import "../../../src/entries/at-start.ts";
import * as d from "../../../src/bayes/distributions/index.ts";
import {
  add,
  compileFunction,
  gradientsOf,
  input,
  interpret,
  type SymbolicArray,
  sum,
} from "../../../src/engine/compiler/index.ts";
import { CapabilityError, CompileError, OptionError } from "../../../src/engine/errors/errors.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { CASES, type Case } from "./distribution-cases.ts";

const inputsOf = ({ parameters, x }: Case) => ({ ...parameters, x });

function symbols(c: Case): Record<string, SymbolicArray> {
  return Object.fromEntries(Object.entries(inputsOf(c)).map(([name, { shape }]) => [name, input(name, shape)]));
}
const valuesOf = (c: Case): Record<string, number[]> =>
  Object.fromEntries(Object.entries(inputsOf(c)).map(([name, { values }]) => [name, [...values]]));

/** Names of the inputs with a derivative of the log density. */
function movable(c: Case): string[] {
  const counted = ["binomial", "binomialLogit", "betaBinomial", "multinomial"].includes(c.name) ? ["p0"] : [];
  return [...Object.keys(c.parameters).filter((name) => !counted.includes(name)), ...(c.moves ? ["x"] : [])];
}

describe("gradients", () => {
  it.each(CASES)("agree with finite differences for $name", (c) => {
    const s = symbols(c);
    const total = sum(c.build(s).logDensity(s.x));
    const names = movable(c);
    const values = valuesOf(c);
    const gradients = interpret(
      gradientsOf(
        total,
        names.map((name) => s[name]),
      ),
      values,
    );
    names.forEach((name, k) => {
      for (let i = 0; i < values[name].length; i++) {
        // The upper triangle of a factor is not read, so moving it must not matter.
        const at = values[name][i];
        const step = 1e-5 * Math.max(0.1, Math.abs(at));
        const moved = (by: number) => {
          const there = [...values[name]];
          there[i] = at + by;
          return interpret([total], { ...values, [name]: there })[0][0];
        };
        const slope = (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step);
        expect(Number.isFinite(slope)).toBe(true);
        expect(Math.abs(gradients[k][i] - slope), `${name}[${i}]: ${gradients[k][i]} for ${slope}`).toBeLessThan(
          2e-8 * Math.max(1, Math.abs(slope)),
        );
      }
    });
  });
});

describe("compiled code", () => {
  it("returns the interpreter's log densities and gradients", async () => {
    const all = CASES.flatMap((c, k) =>
      Object.entries(inputsOf(c)).map(([name, given]) => ({ key: `${k} ${name}`, given, moves: movable(c).includes(name) })),
    );
    const shapes = Object.fromEntries(all.map(({ key, given }) => [key, given.shape]));
    const trace = (s: Readonly<Record<string, SymbolicArray>>): SymbolicArray[] =>
      CASES.map((c, k) => {
        const own = Object.fromEntries(Object.keys(inputsOf(c)).map((name) => [name, s[`${k} ${name}`]]));
        return sum(c.build(own).logDensity(own.x));
      });
    const wanted = all.filter(({ moves }) => moves).map(({ key }) => key);
    const whole = (terms: readonly SymbolicArray[]) => sum(terms.reduce((a, b) => add(a, b)));
    const compiled = await compileFunction(shapes, (s) => whole(trace(s)), { gradient: wanted });
    const values = Object.fromEntries(all.map(({ key, given }) => [key, [...given.values]]));
    const result = compiled(values as never);
    const s = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, input(key, shape)]));
    const terms = trace(s);
    expect(close(result.value, interpret([whole(terms)], values)[0][0])).toBe(true);
    const gradients = interpret(
      gradientsOf(
        whole(terms),
        wanted.map((key) => s[key]),
      ),
      values,
    );
    wanted.forEach((key, k) => {
      gradients[k].forEach((g, i) => {
        expect(close(result.gradient[key][i], g), `${key}[${i}]: ${result.gradient[key][i]} for ${g}`).toBe(true);
      });
    });
  });
});

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-11 * Math.max(1, Math.abs(b));

describe("shapes", () => {
  it("broadcast x and parameters", () => {
    const x = input("x", [4, 1]);
    expect(d.normal(input("mu", [3]), 1).logDensity(x).shape).toEqual([4, 3]);
    expect(d.dirichlet([1, 2, 3]).logDensity(input("p", [5, 3])).shape).toEqual([5]);
    expect(d.categorical(input("p", [4, 3])).logDensity(2).shape).toEqual([4]);
    expect(d.multivariateNormalCholesky(input("mu", [2]), input("l", [2, 2])).logDensity(input("y", [7, 5, 2])).shape).toEqual([
      7, 5,
    ]);
  });

  it("have the batch and the axes of one value for draws", () => {
    const draws = stream(1).at(0);
    expect(d.normal([1, 2, 3], 1).sample(draws)).toHaveLength(3);
    expect(d.dirichlet([1, 2, 3]).sample(draws, { batch: [2, 2] })).toHaveLength(12);
    const mu = input("mu", [2]);
    const far = d.normal(mu, 1e-9).sample(draws, { batch: [3, 2], inputs: { mu: [1, -5] } });
    expect([...far].map(Math.round)).toEqual([1, -5, 1, -5, 1, -5]);
  });
});

describe("edge cases", () => {
  it("mixtures, zero inflation and truncation agree with the sum of their terms", () => {
    const at = (x: d.Distribution, v: number) => interpret([x.logDensity(v)], {})[0][0];
    const mixed = d.mixture([0.25, 0.75], [d.normal(0, 1), d.normal(3, 2)]);
    for (const x of [-4, 0, 2.5])
      expect(close(at(mixed, x), Math.log(0.25 * Math.exp(at(d.normal(0, 1), x)) + 0.75 * Math.exp(at(d.normal(3, 2), x))))).toBe(
        true,
      );
    expect(at(mixed, 1e200)).toBe(-Infinity);
    expect(at(d.mixture([0, 1], [d.normal(0, 1), d.gamma(2, 1)]), -1)).toBe(-Infinity);
    const inflated = d.zeroInflated(0.2, d.poisson(3));
    const mass = Array.from({ length: 60 }, (_, k) => Math.exp(at(inflated, k))).reduce((a, b) => a + b);
    expect(close(mass, 1)).toBe(true);
    expect(at(d.zeroInflated(1, d.poisson(3)), 2)).toBe(-Infinity);
    const cut = d.truncated(d.poisson(3), { lower: 2, upper: 6 });
    expect(
      close(
        [2, 3, 4, 5, 6].reduce((total, k) => total + Math.exp(at(cut, k)), 0),
        1,
      ),
    ).toBe(true);
    expect(at(cut, 1)).toBe(-Infinity);
    expect(cut.quantile(0)).toBe(2);
    expect(cut.cdf(6)).toBe(1);
    expect(close(cut.cdf(3), Math.exp(at(cut, 2)) + Math.exp(at(cut, 3)))).toBe(true);
    const halves = [d.halfNormal(1), d.halfCauchy(1)].map((base) => d.truncated(base, { lower: 0.5, upper: 2 }));
    for (const half of halves) expect(close(half.cdf(half.quantile(0.3)), 0.3)).toBe(true);
  });

  it("the log density is −∞ outside the support and at fractions", () => {
    const at = (x: d.Distribution, v: number) => interpret([x.logDensity(v)], {})[0][0];
    expect(at(d.gamma(2, 1), -0.1)).toBe(-Infinity);
    expect(at(d.orderedLogistic(0, [1, 2]), 1.5)).toBe(-Infinity);
    expect(at(d.categorical([0.5, 0.5]), 0.5)).toBe(-Infinity);
    expect(interpret([d.dirichlet([1, 1]).logDensity([0.5, 0.6])], {})[0][0]).toBe(-Infinity);
  });

  it("the support is reported", () => {
    const { support } = d.truncated(d.normal(0, 1), { lower: 1 });
    expect(support.kind === "interval" && interpret([support.low!], {})[0][0]).toBe(1);
    expect(d.gamma(1, 1).support.kind).toBe("interval");
    expect(d.lkjCholesky(3, 1).support.kind).toBe("correlationCholesky");
  });

  it("quantiles invert the distribution function at every count", () => {
    for (const x of [
      d.poisson(4.5),
      d.binomial(9, 0.3),
      d.negativeBinomial(2, 0.5),
      d.geometric(0.2),
      d.orderedLogistic(0.3, [-1, 0, 2]),
    ])
      for (let k = 0; k < 4; k++) expect(x.quantile(x.cdf(k)), `${x.name} at ${k}`).toBe(k);
  });
});

// scipy 1.15.3: d.mean() and d.var() of stats.t(4.5, -0.3, 0.5), stats.invgamma(2.5, scale=1.3) and stats.pareto(3,
// scale=0.5). For the half forms, integrate.quad of x and x² times the density.
it.each<[string, d.Distribution, number, number]>([
  ["student", d.student(4.5, -0.3, 0.5), -0.3, 0.45],
  ["student without variance", d.student(1.5, 2, 1), 2, Infinity],
  ["cauchy", d.cauchy(0, 1), NaN, NaN],
  ["inverseGamma", d.inverseGamma(2.5, 1.3), 0.8666666666666667, 1.5022222222222221],
  ["pareto", d.pareto(0.5, 3), 0.75, 0.1875],
  ["halfStudent", d.halfStudent(4.5, 1.8), 1.7475024278503497, 2.778235264657134],
])("mean and variance of %s equal the reference", (_, distribution, mean, variance) => {
  const fits = (a: unknown, b: number) =>
    Number.isFinite(b) ? Math.abs((a as number) - b) <= 1e-9 * Math.abs(b) : Object.is(a, b);
  expect(fits(distribution.mean(), mean), `${distribution.mean()}`).toBe(true);
  expect(fits(distribution.variance(), variance), `${distribution.variance()}`).toBe(true);
});

it("mean and variance of vectors equal the reference", () => {
  const covariance = [
    [2, 0.6],
    [0.6, 1.5],
  ];
  const determinant = 2 * 1.5 - 0.36;
  const precision = [
    [1.5 / determinant, -0.6 / determinant],
    [-0.6 / determinant, 2 / determinant],
  ];
  const factor = [
    [Math.SQRT2, 0],
    [0.6 / Math.SQRT2, Math.sqrt(1.5 - 0.18)],
  ];
  for (const x of [
    d.multivariateNormal([1, 2], covariance),
    d.multivariateNormalCholesky([1, 2], factor),
    d.multivariateNormalPrecision([1, 2], precision),
  ]) {
    expect([...(x.mean() as Float64Array)]).toEqual([1, 2]);
    expect([...(x.variance() as Float64Array)].every((v, i) => close(v, covariance[i][i]))).toBe(true);
  }
  expect(d.dirichlet([1, 3]).mean()).toEqual(Float64Array.of(0.25, 0.75));
  expect((d.dirichlet([1, 3]).variance() as Float64Array)[1]).toBe(d.beta(3, 1).variance());
  expect(d.multinomial(8, [0.25, 0.75]).mean()).toEqual(Float64Array.of(2, 6));
  expect(d.multinomial(8, [0.25, 0.75]).variance()).toEqual(Float64Array.of(1.5, 1.5));
});

describe("errors", () => {
  it("name the parameter that breaks its constraint", () => {
    expect(() => d.normal(0, -1)).toThrow(
      /^normal: sigma is -1, but must be > 0; change it \(at .*distributions\.test\.ts:\d+:\d+\) \[OPTION_RANGE\]$/,
    );
    const line = /\(at .*distributions\.test\.ts:\d+:\d+\)/;
    expect(() => d.lkjCholesky(0, 1)).toThrow(line);
    expect(() => d.mixture([0.5, 0.5], [d.normal(0, 1)])).toThrow(line);
    expect(() => d.truncated(d.normal(0, 1), {})).toThrow(line);
    expect(() => d.normalIdGlm([[1]], 0, [1], -1)).toThrow(line);
    expect(() => d.categorical([0.5, 0.4])).toThrow(OptionError);
    expect(() =>
      d.multivariateNormalCholesky(
        [0, 0],
        [
          [1, 1],
          [0, 1],
        ],
      ),
    ).toThrow("factor is [1, 1, 0, 1]");
    expect(() => d.orderedLogistic(0, [1, 1])).toThrow("cutpoints");
    expect(() => d.gamma(input("a", []), 1).sample(stream(1).at(0), { inputs: { a: Number.NaN } })).toThrow(
      "gamma: shape is NaN",
    );
  });

  it("name what is missing", () => {
    expect(() => d.betaBinomial(3, 1, 1).cdf(1)).toThrow(CapabilityError);
    expect(() => d.normal([0, 1], 1).cdf(1)).toThrow("its parameters broadcast to [2]");
    expect(() => d.truncated(d.gamma(input("a", []), 1), { lower: 1 }).logDensity(2)).toThrow(CapabilityError);
    expect(() => d.mixture([0.5, 0.5], [d.normal(0, 1)])).toThrow(CompileError);
    expect(() => d.zeroInflated(0.5, d.normal(0, 1))).toThrow("the base is normal");
    expect(() => d.normal(input("mu", []), 1).sample(stream(1).at(0))).toThrow('the input "mu" is used but not given');
    expect(() => (d.normal as (...given: number[]) => unknown)(1)).toThrow("1 argument was given, but it takes 2: mu, sigma");
    expect(() => d.distribution("normal", {}, {} as never)).toThrow("NAME_TAKEN");
  });
});
