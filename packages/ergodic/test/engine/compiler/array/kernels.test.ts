/**
 * Compiled kernel calls equal the interpreter in float64 and float32, including arguments, strides, scratch memory and
 * constants.
 */
import { describe, expect, it } from "vitest";
import { compileFunction } from "../../../../src/engine/compiler/array/function.ts";
import {
  averagePool,
  cholesky,
  circulant,
  constantArray,
  conv2d,
  cumsum,
  customDerivative,
  gather,
  gradientsOf,
  interpret,
  matmul,
  matrixTranspose,
  maxPool,
  normal,
  patches,
  type SymbolicArray,
  scan,
  scatter,
  sizeOf,
  slice,
  solve,
  transpose,
  triangularSolve,
  uniform,
} from "../../../../src/engine/compiler/array/index.ts";
import { add, mul, square, sum, tanh } from "../../../../src/engine/compiler/index.ts";
import { numbers, tabulate, total } from "../../../reference/arrays.ts";
import { expectClose } from "./differences.ts";

type Make = (x: Record<string, SymbolicArray>) => SymbolicArray;
interface Case {
  readonly shapes: Record<string, readonly number[]>;
  readonly make: Make;
  readonly values?: Record<string, ArrayLike<number>>;
  /** Inputs to differentiate by. Default: all. */
  readonly by?: readonly string[];
}

const KEY = [11, 22] as const;

/** Compares the value and gradients of Σ y², compiled and interpreted. */
async function agree({ shapes, make, values = {}, by = Object.keys(shapes) }: Case, precision: "f64" | "f32"): Promise<void> {
  const given = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [
      name,
      Float64Array.from(values[name] ?? numbers(sizeOf(shape), i + 1), Math.fround),
    ]),
  );
  const traced = (x: Record<string, SymbolicArray>): Record<string, SymbolicArray> => {
    const y = make(x);
    const slopes = gradientsOf(
      sum(square(y)),
      by.map((name) => x[name]),
    );
    return { y, ...Object.fromEntries(by.map((name, i) => [`gradient by ${name}`, slopes[i]])) };
  };
  const f = await compileFunction(shapes, traced, { precision, key: KEY });
  const { outputs } = f(given);
  const wanted = interpret(
    f.program.outputs.map((o) => o.value),
    given,
    { key: KEY },
  );
  Object.values(outputs).forEach((own, i) => {
    expectClose(own, wanted[i], precision === "f64" ? 1e-11 : 2e-4, `output ${Object.keys(outputs)[i]}, ${precision}`);
  });
  expect(Object.keys(outputs).length).toBe(1 + by.length);
}

const definite = (n: number): Float64Array => {
  const m = numbers(n * n, n + 3);
  return tabulate([n, n], (i, j) => total(n, (p) => m[i * n + p] * m[j * n + p]) + (i === j ? n : 0));
};
const steady = (n: number): Float64Array => numbers(n * n, n).map((x, i) => (i % (n + 1) === 0 ? 2 + x : x));

const cases: Record<string, Case> = {
  "matmul of matrices": { shapes: { a: [5, 7], b: [7, 6] }, make: ({ a, b }) => matmul(a, b) },
  "matmul of transposed matrices": {
    shapes: { a: [7, 5], b: [6, 7] },
    make: ({ a, b }) => matmul(transpose(a), transpose(b)),
  },
  "matmul of parts": {
    shapes: { a: [5, 9], b: [9, 8] },
    make: ({ a, b }) => matmul(slice(a, { axis: 1, from: 1, to: 6 }), slice(slice(b, { from: 3, to: 8 }), { axis: 1, from: 2 })),
  },
  "matmul of columns that lie apart": {
    shapes: { a: [4, 6], b: [6, 3] },
    make: ({ a, b }) => matmul(a, slice(b, { axis: 1, from: 1, to: 2 })),
  },
  "matmul of every other row, reversed": {
    shapes: { a: [8, 3], b: [3, 2] },
    make: ({ a, b }) => matmul(slice(slice(a, { step: 2 }), { step: -1 }), b),
  },
  "matmul of vectors": { shapes: { a: [9], b: [9, 4] }, make: ({ a, b }) => matmul(matmul(a, b), transpose(matmul(a, b))) },
  "matmul of batches": { shapes: { a: [2, 3, 4, 5], b: [2, 3, 5, 2] }, make: ({ a, b }) => matmul(a, b) },
  "matmul of batches that broadcast": { shapes: { a: [2, 1, 4, 5], b: [3, 5, 2] }, make: ({ a, b }) => matmul(a, b) },
  "matmul of a shared matrix": { shapes: { a: [4, 3, 5], b: [5, 2] }, make: ({ a, b }) => matmul(a, b) },
  "matmul of a shared matrix and transposed ones": {
    shapes: { a: [4, 5, 3], b: [5, 2] },
    make: ({ a, b }) => matmul(matrixTranspose(a), b),
  },
  "matmul of attention heads": {
    shapes: { a: [2, 5, 3, 4], b: [2, 5, 3, 4] },
    make: ({ a, b }) => matmul(transpose(a, [0, 2, 1, 3]), transpose(b, [0, 2, 3, 1])),
  },
  gather: {
    shapes: { a: [5, 3], i: [2, 4] },
    values: { i: [0, 4, 1, 1, 2, 2, 0, 3] },
    by: ["a"],
    make: ({ a, i }) => gather(a, i),
  },
  scatter: { shapes: { a: [6, 3], i: [6] }, values: { i: [0, 2, -1, 2, 9, 1] }, by: ["a"], make: ({ a, i }) => scatter(a, i, 4) },
  cumsum: { shapes: { a: [3, 7, 2] }, make: ({ a }) => add(cumsum(a, { axis: 1 }), cumsum(a, { axis: -1, reverse: true })) },
  "triangularSolve, lower": {
    shapes: { a: [5, 5], b: [5, 3] },
    values: { a: steady(5) },
    make: ({ a, b }) => triangularSolve(a, b),
  },
  "triangularSolve, upper, transposed": {
    shapes: { a: [5, 5], b: [5] },
    values: { a: steady(5) },
    make: ({ a, b }) => triangularSolve(a, b, { lower: false, transposed: true }),
  },
  solve: {
    shapes: { a: [5, 5], b: [5, 3] },
    values: { a: steady(5) },
    make: ({ a, b }) => solve(transpose(a), solve(a, b)),
  },
  cholesky: { shapes: { a: [6, 6] }, values: { a: definite(6) }, make: ({ a }) => cholesky(a) },
  "random arrays": { shapes: { a: [9] }, make: ({ a }) => mul(a, normal([9], 4_000_000_000)) },
  "custom derivative": {
    shapes: { a: [3, 4] },
    make: ({ a }) =>
      customDerivative(
        [a],
        (x) => tanh(x),
        (adjoint, y) => [mul(adjoint, y)],
      ),
  },
  "convolution with everything": {
    shapes: { a: [2, 7, 6, 4], b: [3, 2, 2, 6] },
    make: ({ a, b }) => conv2d(a, b, { strides: [2, 1], padding: [[1, 2], 1], dilation: [1, 2], groups: 2 }),
  },
  "convolution, same": {
    shapes: { a: [2, 5, 5, 3], b: [3, 3, 3, 8] },
    make: ({ a, b }) => conv2d(a, b, { padding: "same", strides: 2 }),
  },
  "convolution of one cell": { shapes: { a: [2, 3, 3, 5], b: [1, 1, 5, 4] }, make: ({ a, b }) => conv2d(a, b) },
  "depthwise convolution": {
    shapes: { a: [2, 6, 5, 5], b: [3, 3, 1, 5] },
    make: ({ a, b }) => conv2d(a, b, { padding: "same", groups: 5 }),
  },
  maxPool: { shapes: { a: [2, 5, 7, 3] }, make: ({ a }) => maxPool(a, { size: 3, strides: 2, padding: "same" }) },
  averagePool: { shapes: { a: [2, 5, 7, 3] }, make: ({ a }) => averagePool(a, { size: 3, strides: 2, padding: "same" }) },
  "averagePool, padding counted": {
    shapes: { a: [2, 5, 7, 3] },
    make: ({ a }) => averagePool(a, { size: 3, strides: 2, padding: 1, countPadding: true }),
  },
  patches: { shapes: { a: [2, 4, 5, 3] }, make: ({ a }) => patches(a, { size: 2, padding: "same" }) },
  "circulant, by transforms": { shapes: { a: [5, 16], b: [3, 2, 8] }, make: ({ a, b }) => circulant(a, b) },
  "circulant, written out": { shapes: { a: [5, 6], b: [3, 2, 3] }, make: ({ a, b }) => circulant(a, b) },
  scan: {
    shapes: { h: [2], x: [6, 2], w: [2, 2] },
    make: ({ h, x, w }) => scan([h], [x], ([s], [e]) => [[tanh(add(matmul(s, w), e))], [s]]).outputs[0],
  },
  "scan with constants, pools and random numbers in its body": {
    shapes: { h: [1, 2, 4, 1], x: [3, 1, 2, 4, 1] },
    make: ({ h, x }) =>
      scan([h], [x], ([s], [e]) => {
        const drawn = mul(normal([1, 2, 4, 1], 7), tanh(add(s, e)));
        const mask = constantArray([1, 0, 2, 1, 0.5, 1, 3, 1], [1, 2, 4, 1]);
        return [[mul(mask, drawn)], [maxPool(drawn, { size: 2 }), averagePool(add(s, drawn), { size: 2 })]];
      }).outputs.reduce((a, b) => mul(a, b)),
  },
  "scan of a batch by shared weights": {
    shapes: { h: [5, 3], x: [4, 5, 3], w: [3, 3] },
    make: ({ h, x, w }) => scan([h], [x], ([s], [e]) => [[tanh(add(matmul(s, w), matmul(mul(e, s), w)))], []]).carries[0],
  },
  "scan in reverse, in segments": {
    shapes: { h: [2], x: [7, 2], w: [2, 2] },
    make: ({ h, x, w }) =>
      scan([h], [x], ([s], [e]) => [[tanh(add(matmul(s, w), e))], [mul(s, e)]], { reverse: true, checkpoint: true }).outputs[0],
  },
};

describe("kernels", () => {
  it.each(Object.keys(cases))("match the interpreter: %s", async (name) => {
    await agree(cases[name], "f64");
    await agree(cases[name], "f32");
  });

  it("draws the same uniform bits as the interpreter in float64", async () => {
    const f = await compileFunction({ a: [17] }, ({ a }) => add(a, uniform([17], 3)), { key: KEY });
    const { outputs } = f({ a: new Float64Array(17) });
    expect([...outputs.value]).toEqual([...interpret([uniform([17], 3)], {}, { key: KEY })[0]]);
  });
});
