/** A test case of every distribution: parameters by name, and values of the support. */

import { distributionExamples } from "../../../src/bayes/distributions/distribution.ts";
import * as d from "../../../src/bayes/distributions/index.ts";
import type { SymbolicArray } from "../../../src/engine/compiler/index.ts";

export interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
export interface Case {
  readonly name: string;
  readonly parameters: Readonly<Record<string, Numbers>>;
  readonly x: Numbers;
  /** Whether x can be differentiated, which excludes whole numbers and simplexes. */
  readonly moves: boolean;
  build(parameters: Readonly<Record<string, SymbolicArray>>): d.Distribution;
}

const numbers = (given: number | readonly number[] | readonly (readonly number[])[]): Numbers => {
  if (typeof given === "number") return { shape: [], values: [given] };
  const nested = Array.isArray(given[0]);
  return {
    shape: nested ? [given.length, (given[0] as readonly number[]).length] : [given.length],
    values: (given as number[]).flat(),
  };
};

type Given = Parameters<typeof numbers>[0];
const real = [-2.1, 0.3, 1.7];
const positive = [0.2, 1.3, 4.1];
const counts = [0, 2, 5];

function of(name: string, x: Given, parameters: readonly Given[], moves = x === real || x === positive): Case {
  return {
    name,
    parameters: Object.fromEntries(parameters.map((p, i) => [`p${i}`, numbers(p)])),
    x: numbers(x),
    moves,
    build: (p) => d.distributionOf(name)!(...parameters.map((_, i) => p[`p${i}`])),
  };
}

function made(name: string, x: Given, parameters: Record<string, Given>, moves: boolean, build: Case["build"]): Case {
  return {
    name,
    parameters: Object.fromEntries(Object.entries(parameters).map(([k, v]) => [k, numbers(v)])),
    x: numbers(x),
    moves,
    build,
  };
}

const factor = [
  [1.2, 0, 0],
  [0.4, 0.9, 0],
  [-0.3, 0.2, 1.1],
];
const definite = [
  [1.5, 0.4, -0.2],
  [0.4, 1.2, 0.3],
  [-0.2, 0.3, 0.9],
];
const points = [
  [0.1, -0.4, 2],
  [1.1, 0.3, -0.5],
];

const listed: readonly Case[] = [
  of("normal", real, [[0.3, -1, 2], 1.4]),
  of("halfNormal", positive, [[1.4, 0.6, 2]]),
  of("student", real, [4.5, 0.2, [1.4, 0.5, 2]]),
  of("halfStudent", positive, [2.5, 1.3]),
  of("cauchy", real, [0.4, 1.3]),
  of("halfCauchy", positive, [1.3]),
  of("laplace", real, [0.4, 1.3]),
  of("logistic", real, [0.4, [1.3, 0.4, 0.8]]),
  of("gamma", positive, [[0.6, 1.9, 7], 1.3]),
  of("inverseGamma", positive, [2.6, [1.3, 0.4, 0.8]]),
  of("beta", [0.2, 0.55, 0.9], [1.7, 0.6], true),
  of("lognormal", positive, [0.3, 0.8]),
  of("exponential", positive, [0.7]),
  of("weibull", positive, [1.8, 2.1]),
  of("pareto", positive, [0.15, 2.1]),
  of("uniform", real, [-2.5, 3.1]),
  of("vonMises", real, [0.4, 2.6]),
  made("vonMises, concentrated", real, { mu: 0.4, kappa: 31 }, true, (p) => d.vonMises(p.mu, p.kappa)),
  of("bernoulli", [0, 1, 1], [[0.2, 0.6, 0.9]]),
  of("bernoulliLogit", [0, 1, 1], [[0.2, -1.6, 0.9]]),
  of("binomial", counts, [7, 0.4]),
  of("binomialLogit", counts, [7, [0.4, -1, 0]]),
  of("betaBinomial", counts, [7, 1.4, 0.6]),
  of("poisson", counts, [[1.4, 0.6, 8]]),
  of("poissonLog", counts, [0.7]),
  of("negativeBinomial", counts, [2.4, 0.6]),
  of("negativeBinomialMean", counts, [3.4, 1.6]),
  of("geometric", counts, [0.35]),
  of("discreteUniform", counts, [-1, 7]),
  of("categorical", [0, 2, 1], [[0.2, 0.5, 0.3]]),
  of("categoricalLogit", [0, 2], [points]),
  of(
    "multinomial",
    [
      [1, 2, 3],
      [0, 6, 0],
    ],
    [6, [0.2, 0.5, 0.3]],
  ),
  of(
    "dirichlet",
    [
      [0.2, 0.5, 0.3],
      [0.1, 0.1, 0.8],
    ],
    [[0.7, 1.2, 3.1]],
  ),
  of("multivariateNormal", points, [[0.2, 0.1, -1], definite], true),
  of("multivariateNormalCholesky", points, [[0.2, 0.1, -1], factor], true),
  of("multivariateNormalPrecision", points, [[0.2, 0.1, -1], definite], true),
  made(
    "lkjCholesky",
    [
      [1, 0, 0],
      [0.6, 0.8, 0],
      [0, -0.6, 0.8],
    ],
    { eta: 1.7 },
    true,
    (p) => d.lkjCholesky(3, p.eta),
  ),
  of(
    "orderedLogistic",
    [0, 1, 3],
    [
      [0.4, -1, 0.2],
      [-1.1, 0.4, 1.6],
    ],
  ),
  made("mixture", real, { w: [0.3, 0.7], mu: [0.2, 1, -1], s: 1.3 }, true, (p) =>
    d.mixture(p.w, [d.normal(p.mu, p.s), d.student(4, 0.5, p.s)]),
  ),
  made("truncated to [a, b]", real, { mu: 0.3, s: 1.2, a: -3, b: 2.5 }, true, (p) =>
    d.truncated(d.normal(p.mu, p.s), { lower: p.a, upper: p.b }),
  ),
  made("truncated from a", positive, { s: [1.2, 0.3, 0.9], a: 0.1 }, true, (p) =>
    d.truncated(d.cauchy(0.2, p.s), { lower: p.a }),
  ),
  made("truncated logistic", positive, { s: 1.2, b: 5 }, true, (p) =>
    d.truncated(d.logistic(0.2, p.s), { lower: 0.1, upper: p.b }),
  ),
  made("truncated lognormal", positive, { s: 1.2, b: 5 }, true, (p) =>
    d.truncated(d.lognormal(0.2, p.s), { lower: 0.1, upper: p.b }),
  ),
  made("truncated exponential", positive, { s: 1.2, b: 5 }, true, (p) => d.truncated(d.exponential(p.s), { upper: p.b })),
  made("truncated weibull", positive, { k: 1.2, b: 5 }, true, (p) => d.truncated(d.weibull(p.k, 2), { lower: 0.1, upper: p.b })),
  made("truncated pareto", positive, { m: 0.1, k: 1.2, b: 5 }, true, (p) =>
    d.truncated(d.pareto(p.m, p.k), { lower: 0.15, upper: p.b }),
  ),
  made("truncated laplace", positive, { s: 1.2, b: 5 }, true, (p) =>
    d.truncated(d.laplace(0.2, p.s), { lower: 0.1, upper: p.b }),
  ),
  made("zeroInflated", counts, { theta: 0.3, rate: [1.2, 2, 4] }, false, (p) => d.zeroInflated(p.theta, d.poisson(p.rate))),
  made("bernoulliLogitGlm", [0, 1], { rows: points, a: 0.3, b: [0.2, -1, 0.4] }, false, (p) =>
    d.bernoulliLogitGlm(p.rows, p.a, p.b),
  ),
  made("poissonLogGlm", [0, 4], { rows: points, a: [0.3, 0.1], b: [0.2, -1, 0.4] }, false, (p) =>
    d.poissonLogGlm(p.rows, p.a, p.b),
  ),
  made("normalIdGlm", [0.1, 4], { rows: points, a: 0.3, b: [0.2, -1, 0.4], s: 1.7 }, false, (p) =>
    d.normalIdGlm(p.rows, p.a, p.b, p.s),
  ),
];

/** Cases from the examples in definitions. */
const stated = [...distributionExamples()].map(([name, { parameters, x }]) =>
  of(name, x, parameters as readonly Given[], d.distributionOf(name)!(...parameters).family.kind === "continuous"),
);

export const CASES: readonly Case[] = [...listed, ...stated];
