/**
 * Every exported array operation, element-wise primitive and distribution refuses invalid calls: surplus and missing
 * arguments, arguments of another kind and unknown options. The functions are found from the exports, so a new function
 * without a call here fails the test.
 */

import { describe, expect, it } from "vitest";
import { distributionExamples } from "../../src/bayes/distributions/distribution.ts";
import * as statistical from "../../src/bayes/model/index.ts";
import * as compiler from "../../src/engine/compiler/index.ts";
import { isOperation } from "../../src/engine/compiler/signature.ts";
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import { builtIn } from "../reference/built-in.ts";

const { input } = compiler;
const [v, w] = [input("v", [3]), input("w", [3])];
const [square, image, sequence] = [input("square", [3, 3]), input("image", [1, 4, 4, 2]), input("sequence", [1, 4, 2])];
const indices = input("indices", [3]);
const { normal, poisson } = statistical;

type Calls = Readonly<Record<string, readonly unknown[]>>;

/** A call of each exported function with all arguments. */
const array: Calls = {
  batchNormalised: [image, 1e-5, input("scale", [2]), input("shift", [2])],
  batchStatistics: [image],
  at: [v, 1, 0],
  averagePool: [image, { size: 2, countPadding: true }],
  broadcastTo: [v, [2, 3]],
  channelShuffle: [image, 2],
  cholesky: [square],
  choleskySolve: [square, v],
  circulant: [v, input("blocks", [1, 1, 3])],
  concatenate: [[v, w], 0],
  constantArray: [[1, 2], [2]],
  conv1d: [sequence, input("filter", [3, 2, 1]), { strides: 1 }],
  conv2d: [image, input("filter2", [3, 3, 2, 1]), { groups: 1 }],
  cumsum: [v, { axis: 0, reverse: true }],
  customDerivative: [[v], (x: unknown) => x, () => [null]],
  diagonal: [square],
  dot: [v, w],
  flip: [v, 0],
  full: [3, [2]],
  gather: [v, indices],
  identity: [3],
  kthSmallest: [v, 1, { axis: 0 }],
  layerNormalised: [square, { epsilon: 1e-6 }],
  logDeterminant: [square],
  logDeterminantOfCholesky: [square],
  logSoftmax: [v, { axis: 0 }],
  logSumExp: [v, { axis: 0, keep: true }],
  mapArrays: [compiler.neg(compiler.scalar("0")), [v], [3]],
  matmul: [square, v],
  matrixTranspose: [square],
  maxPool: [image, { size: 2 }],
  mean: [v, { axis: 0, keep: true }],
  median: [v, { axis: 0 }],
  minimum: [v, { axis: 0, keep: true }],
  norm: [v, { axis: 0, keep: true }],
  normal: [[3], 1],
  ode: [
    (_: unknown, y: unknown) => y,
    v,
    [1, 2],
    { from: 0, method: "rosenbrock", tolerance: 1e-6, absoluteTolerance: 1e-9, maxSteps: 100 },
  ],
  oneHot: [indices, 3],
  outer: [v, w],
  pad: [v, [[1, 1]]],
  patches: [image, { size: 2 }],
  pick: [square, indices],
  quantile: [v, 0.5, { axis: 0 }],
  range: [3],
  reshape: [v, [3, 1]],
  scan: [[compiler.full(0)], [v], ([c]: unknown[]) => [[c], []], { length: 3, reverse: true, checkpoint: false }],
  scatter: [v, indices, 3],
  slice: [v, { axis: 0, from: 0, to: 2, step: 1 }],
  softmax: [v, { axis: 0 }],
  solve: [square, v],
  stack: [[v, w], 0],
  straightThrough: [v, (x: unknown) => x],
  take: [v, [0, 2], 0],
  toArray: [3],
  trace: [square],
  transpose: [square, [1, 0]],
  triangle: [square, { upper: true }],
  triangularSolve: [square, v, { lower: true, transposed: false }],
  uniform: [[3], 1],
  variance: [v, { axis: 0, keep: true, correction: 1 }],
};

/** Other exports of the compiler, which are not operations but make, show, derive and run programs. */
const others = new Set([
  "allPrimitives",
  "arraysBelow",
  "broadcastShapes",
  "compile",
  "compileFunction",
  "constant",
  "count",
  "derive",
  "evaluate",
  "evaluateProgram",
  "evaluateScalar",
  "evaluateVector",
  "gradients",
  "gradientsOf",
  "hessianVector",
  "index",
  "input",
  "inputsOf",
  "interpret",
  "isArray",
  "isConstant",
  "linkProgram",
  "nodeText",
  "nodesOf",
  "operations",
  "primitiveOf",
  "print",
  "reductionOf",
  "sameShape",
  "scalar",
  "shapeText",
  "sizeOf",
  "stridesOf",
  "substitute",
  "SymbolicArray",
  "tangentsOf",
  "toExpr",
  "vector",
  "watchConditions",
  "watchIndices",
]);

const elementwise: Calls = Object.fromEntries(
  compiler.allPrimitives().map(({ name, reference }) => [name, [v, w, v].slice(0, reference.length)]),
);
const reductions: Calls = { sum: [v, { axis: 0, keep: true }], maximum: [v, { axis: 0, keep: true }] };
const chains = ["add", "mul", "min", "max", "and", "or"];

/** Calls of distributions. */
const listed: Calls = {
  bernoulli: [0.3],
  bernoulliLogit: [v],
  beta: [1, 2],
  betaBinomial: [3, 1, 1],
  binomial: [3, 0.5],
  binomialLogit: [3, v],
  categorical: [[0.5, 0.5]],
  categoricalLogit: [v],
  cauchy: [0, 1],
  dirichlet: [[1, 1]],
  discreteUniform: [0, 3],
  exponential: [1],
  gamma: [1, 1],
  geometric: [0.5],
  halfCauchy: [1],
  halfNormal: [1],
  halfStudent: [3, 1],
  inverseGamma: [1, 1],
  laplace: [0, 1],
  logistic: [0, 1],
  lognormal: [0, 1],
  multinomial: [3, [0.5, 0.5]],
  multivariateNormal: [
    [0, 0],
    [
      [1, 0],
      [0, 1],
    ],
  ],
  multivariateNormalCholesky: [
    [0, 0],
    [
      [1, 0],
      [0, 1],
    ],
  ],
  multivariateNormalPrecision: [
    [0, 0],
    [
      [1, 0],
      [0, 1],
    ],
  ],
  negativeBinomial: [1, 0.5],
  negativeBinomialMean: [1, 1],
  normal: [v, 1],
  orderedLogistic: [v, [0, 1]],
  pareto: [1, 1],
  poisson: [1],
  poissonLog: [v],
  student: [3, 0, 1],
  uniform: [0, 1],
  vonMises: [0, 1],
  weibull: [1, 1],
  lkjCholesky: [2, 1],
  mixture: [
    [0.5, 0.5],
    [normal(0, 1), normal(1, 1)],
  ],
  censored: [normal(0, 1), { lower: 0, upper: 2 }],
  truncated: [normal(0, 1), { lower: 0, upper: 2 }],
  zeroInflated: [0.5, poisson(1)],
  bernoulliLogitGlm: [square, 0, v],
  poissonLogGlm: [square, 0, v],
  normalIdGlm: [square, 0, v, 1],
  hiddenMarkov: [
    [0.5, 0.5],
    [
      [0.9, 0.1],
      [0.2, 0.8],
    ],
  ],
};
/** Other exports of the folder of models. */
const noDistributions = new Set([
  "ConditionedModel",
  "Distribution",
  "distribution",
  "distributionLedger",
  "distributionNames",
  "distributionOf",
  "hierarchyOf",
  "integer",
  "matrix",
  "model",
  "real",
  "tensor",
  "vector",
]);

function failure(run: () => unknown): ErgodicError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ErgodicError);
    return error as ErgodicError;
  }
  return expect.fail("nothing was thrown");
}

type AnyFunction = (...given: unknown[]) => unknown;
const functionOf = (all: object, name: string): AnyFunction => (all as Record<string, AnyFunction>)[name];

const codes = ["COMPILE_OPERAND", "COMPILE_OPTION", "COMPILE_SHAPE", "COMPILE_INDEX", "OPTION_RANGE"];
const HERE = /operations\.test\.ts:\d+:\d+/;
const isOptions = (given: unknown): given is object =>
  typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype && !("op" in given);
/** Values that no operation accepts in any place. Values of the same kind as the valid argument are skipped. */
const wrong: readonly unknown[] = [
  "text",
  null,
  true,
  { unknown: 1 },
  Symbol("s"),
  new Date(0),
  Promise.resolve(1),
  ["1"],
  [null],
  Number.NaN,
];

function refuses(name: string, f: AnyFunction, given: readonly unknown[]): void {
  expect(isOperation(f), name).toBe(true);
  expect(() => f(...given), name).not.toThrow();
  const check = (what: string, list: readonly unknown[]): void => {
    const error = failure(() => f(...list));
    expect(error.where, `${name}: ${what}`).toBe(name);
    expect(codes, `${name}: ${what}`).toContain(error.code);
    expect(error.message, `${name}: ${what}`).toMatch(HERE);
  };
  if (!chains.includes(name) || given[0] !== v) check("surplus", [...given, 1]);
  check("nothing", []);
  given.forEach((argument, i) => {
    const put = (value: unknown): unknown[] => given.map((own, j) => (j === i ? value : own));
    for (const value of wrong) {
      // NaN is a valid number in a program.
      if (Number.isNaN(value) && !isOptions(argument) && typeof argument === "number") continue;
      if (Number.isNaN(value) && (elementwise[name] || name === "toArray" || name === "broadcastTo")) continue;
      check(`argument ${i} is ${String(typeof value)}`, put(value));
    }
    if (!isOptions(argument)) return;
    for (const key of Object.keys(argument)) {
      check(`${key} misspelt`, put({ ...argument, [`${key}s`]: 1 }));
      check(`${key} of another kind`, put({ ...argument, [key]: "text" }));
    }
    check("options as a number", put(0));
  });
}

describe("operations on arrays", () => {
  const functions = Object.entries(compiler).filter(([name, f]) => typeof f === "function" && !others.has(name));
  it("lists every operation", () => {
    const listed = { ...array, ...elementwise, ...reductions };
    expect(functions.map(([name]) => name).sort()).toEqual(Object.keys(listed).sort());
  });
  it.each(Object.entries({ ...array, ...elementwise, ...reductions }))("%s refuses invalid arguments", (name, given) => {
    refuses(name, functionOf(compiler, name), given);
  });
});

describe("numbers and options", () => {
  const { at, floor, full, kthSmallest, maxPool, mul, pick, slice, take, uniform } = compiler;
  it.each<[string, () => unknown, RegExp]>([
    ["NaN where a place is wanted", () => slice(v, { from: Number.NaN }), /^slice: from is NaN, but must be a number/],
    ["NaN for a rank", () => kthSmallest(v, Number.NaN), /^kthSmallest: k is NaN, but must be a number/],
    ["an option that must be there", () => maxPool(image, {} as never), /^maxPool: size is undefined, but must be/],
    ["indices beyond the end are not taken for such from 1", () => take(v, [1, 9]), /as indices count from 0 \(at/],
    ["indices from 1 are", () => take(v, [1, 3]), /these count from 1: subtract 1 from each/],
  ])("%s", (_, run, words) => {
    expect(failure(run).message).toMatch(words);
  });
  it("accepts indices computed from random numbers, whose values are unknown", () => {
    expect(take(v, floor(mul(uniform([2], 1), 9))).shape).toEqual([2]);
    expect(pick(square, floor(mul(compiler.normal([3], 1), 9))).shape).toEqual([3]);
    expect(at(full(1, [2]), 1).shape).toEqual([]);
  });
});

describe("extents", () => {
  const { constantArray, full, identity, pad, range } = compiler;
  it.each<[string, () => unknown, string]>([
    ["range of -1", () => range(-1), "COMPILE_OPERAND"],
    ["identity of -1", () => identity(-1), "COMPILE_OPERAND"],
    ["full of -1", () => full(1, [-1]), "COMPILE_OPERAND"],
    ["constantArray of -1", () => constantArray([1], [-1]), "COMPILE_OPERAND"],
    ["more numbers than memory has", () => range(1e15), "MEMORY_LIMIT"],
    ["a matrix larger than memory", () => identity(1e8), "MEMORY_LIMIT"],
    ["one width of an axis", () => pad(v, [[1] as never]), "COMPILE_SHAPE"],
    ["widths that are no list", () => pad(v, 1 as never), "COMPILE_SHAPE"],
    ["a negative width", () => pad(v, [[-1, 0]]), "COMPILE_SHAPE"],
    ["a width that is a fraction", () => pad(v, [[0, 0.5]]), "COMPILE_SHAPE"],
  ])("refuses %s", (_, run, code) => {
    expect(failure(run).code).toBe(code);
  });
  it("accepts extents from 0", () => {
    expect(range(3).shape).toEqual([3]);
    expect([range(0).shape, full(1, [0, 2]).shape]).toEqual([[0], [0, 2]]);
    expect(Array.from(compiler.interpret([identity(2)], {})[0])).toEqual([1, 0, 0, 1]);
    expect(pad(v, [[1, 2]]).shape).toEqual([6]);
  });
});

describe("distributions", () => {
  const stated = Object.fromEntries([...distributionExamples()].map(([name, example]) => [name, [...example.parameters]]));
  const parameters: Calls = { ...listed, ...stated };
  it("lists every distribution", () => {
    const functions = Object.entries(statistical).filter(([name, f]) => typeof f === "function" && !noDistributions.has(name));
    expect(functions.map(([name]) => name).sort()).toEqual(Object.keys(parameters).sort());
    expect(builtIn(statistical.distributionNames()).filter((name) => !(name in parameters))).toEqual([]);
  });
  it.each(Object.entries(parameters))("%s refuses invalid parameters", (name, given) => {
    refuses(name, functionOf(statistical, name), given);
  });
  it("refuses a mixture without components", () => {
    expect(failure(() => statistical.mixture([], [])).code).toBe("COMPILE_SHAPE");
  });
  it("checks user-defined distributions in the same way", () => {
    const own = statistical.distribution(
      "shifted",
      { shift: "real" },
      { kind: "continuous", support: () => ({ kind: "interval" }), logDensity: (x) => x, sample: () => 0 },
    );
    refuses("shifted", own as AnyFunction, [1]);
  });
});
