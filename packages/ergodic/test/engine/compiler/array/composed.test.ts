/**
 * Composed functions agree with their formulas over axes and edge values, and their derivatives with finite
 * differences.
 */
import { describe, expect, it } from "vitest";
import {
  batchStatistics,
  channelShuffle,
  customDerivative,
  diagonal,
  gradientsOf,
  input,
  interpret,
  kthSmallest,
  layerNormalised,
  logSoftmax,
  logSumExp,
  mean,
  median,
  minimum,
  norm,
  normal,
  outer,
  quantile,
  type SymbolicArray,
  softmax,
  stopGradient,
  straightThrough,
  trace,
  uniform,
  variance,
} from "../../../../src/engine/compiler/array/index.ts";
import { add, floor, maximum, mul, square, sum } from "../../../../src/engine/compiler/index.ts";
import { normalQuantile } from "../../../../src/engine/numbers/normal-quantile.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { numbers, tabulate } from "../../../reference/arrays.ts";
import * as twin from "../../../reference/fill-random.ts";
import { checkDerivatives, evaluated, expectClose, valuesFor } from "./differences.ts";

const of = (
  x: ArrayLike<number>,
  make: (x: SymbolicArray) => SymbolicArray,
  shape: readonly number[] = [x.length],
): Float64Array => interpret([make(input("x", shape))], { x })[0];

/** Applies a formula for one row to every row and every column of a matrix. */
function overAxes(
  make: (x: SymbolicArray, axis: number) => SymbolicArray,
  plain: (row: number[]) => number,
  tolerance: number,
): void {
  for (let n = 1; n <= 17; n++) {
    const x = numbers(3 * n, n);
    const rows = Array.from({ length: 3 }, (_, i) => [...x.slice(i * n, i * n + n)]);
    const columns = Array.from({ length: n }, (_, j) => rows.map((row) => row[j]));
    expectClose(
      of(x, (a) => make(a, 1), [3, n]),
      rows.map(plain),
      tolerance,
      `rows of ${n}`,
    );
    expectClose(
      of(x, (a) => make(a, -1), [3, n]),
      rows.map(plain),
      tolerance,
      `last axis of ${n}`,
    );
    expectClose(
      of(x, (a) => make(a, 0), [3, n]),
      columns.map(plain),
      tolerance,
      `columns of ${n}`,
    );
  }
}

const plainMean = (row: number[]): number => row.reduce((a, b) => a + b, 0) / row.length;
const plainVariance = (row: number[], n = row.length): number => row.reduce((a, b) => a + (b - plainMean(row)) ** 2, 0) / n;

describe("statistics over axes", () => {
  it("computes mean, variance, norm, minimum, maximum and logSumExp", () => {
    overAxes((x, axis) => mean(x, { axis }), plainMean, 1e-14);
    overAxes(
      (x, axis) => variance(x, { axis }),
      (row) => plainVariance(row),
      1e-14,
    );
    overAxes(
      (x, axis) => norm(x, { axis }),
      (row) => Math.hypot(...row),
      1e-14,
    );
    overAxes(
      (x, axis) => minimum(x, { axis }),
      (row) => Math.min(...row),
      0,
    );
    overAxes(
      (x, axis) => maximum(x, { axis }),
      (row) => Math.max(...row),
      0,
    );
    overAxes(
      (x, axis) => logSumExp(x, { axis }),
      (row) => Math.log(row.reduce((a, b) => a + Math.exp(b), 0)),
      1e-14,
    );
  });

  it("computes order statistics", () => {
    const sorted = (row: number[]): number[] => [...row].sort((a, b) => a - b);
    overAxes(
      (x, axis) => kthSmallest(x, 0, { axis }),
      (row) => Math.min(...row),
      0,
    );
    overAxes(
      (x, axis) => median(x, { axis }),
      (row) => {
        const [low, high] = [sorted(row)[Math.floor((row.length - 1) / 2)], sorted(row)[Math.ceil((row.length - 1) / 2)]];
        return (low + high) / 2;
      },
      1e-15,
    );
    for (let k = 0; k < 6; k++)
      expect([...of([3, 1, 2, 1, -Infinity, Infinity], (x) => kthSmallest(x, k))]).toEqual([
        [-Infinity, 1, 1, 2, 3, Infinity][k],
      ]);
    // numpy.quantile([3, 1, 2, 7], [0, 0.3, 0.5, 1]) = [1, 1.9, 2.5, 7]
    expectClose(
      [0, 0.3, 0.5, 1].map((q) => of([3, 1, 2, 7], (x) => quantile(x, q))[0]),
      [1, 1.9, 2.5, 7],
      1e-15,
      "quantiles",
    );
    expect(of([3, NaN, 2], (x) => kthSmallest(x, 0))[0]).toBeNaN();
    checkDerivatives(({ x }) => quantile(x, 0.3, { axis: 0 }), { x: [5, 2] });
    expect(() => kthSmallest(input("x", [3]), 3)).toThrow(/kthSmallest: k is 3, but must be a whole number from 0 to 2/);
    expect(() => quantile(input("x", [3]), 1.5)).toThrow(/quantile: q is 1.5/);
  });

  it("reduces several axes or all axes, with or without keeping them", () => {
    const x = input("x", [2, 3, 4]);
    const values = numbers(24, 2);
    const wanted = tabulate([3], (j) => plainMean([...values].filter((_, i) => Math.floor(i / 4) % 3 === j)));
    const shapes = [
      mean(x, { axis: [0, 2] }),
      mean(x, { axis: [2, 0], keep: true }),
      mean(x),
      logSumExp(x, { axis: [0, 1], keep: true }),
    ];
    expect(shapes.map((y) => y.shape)).toEqual([[3], [1, 3, 1], [], [1, 1, 4]]);
    expectClose(interpret([shapes[0]], { x: values })[0], wanted, 1e-15, "mean");
    expectClose(
      of([1, 2, 4], (a) => variance(a, { correction: 1 })),
      [7 / 3],
      1e-15,
      "variance with a correction",
    );
    expect(() => mean(x, { axis: 3 })).toThrow(/axis is 3, but the array has 3 axes.*composed\.test/);
  });

  it("logSumExp and the soft maxima accept extreme values", () => {
    expect([...of([1000, 1000], (x) => logSumExp(x))]).toEqual([1000 + Math.log(2)]);
    expect([...of([-Infinity, -Infinity], (x) => logSumExp(x))]).toEqual([-Infinity]);
    expect([...of([Infinity, 0], (x) => logSumExp(x))]).toEqual([Infinity]);
    expect([...of([-Infinity, 0], (x) => softmax(x))]).toEqual([0, 1]);
    expect([...of([-1000, 0], (x) => logSoftmax(x))]).toEqual([-1000, 0]);
    expect([...of([NaN, 0], (x) => softmax(x))]).toEqual([NaN, NaN]);
  });

  it("computes softmax and logSoftmax over each axis", () => {
    const values = numbers(12, 5);
    for (const axis of [0, 1, -1]) {
      const made = [softmax(input("x", [3, 4]), { axis }), logSoftmax(input("x", [3, 4]), { axis })];
      const wanted = tabulate([3, 4], (i, j) => {
        const group = axis === 0 ? [0, 1, 2].map((r) => values[r * 4 + j]) : [0, 1, 2, 3].map((c) => values[i * 4 + c]);
        return Math.exp(values[i * 4 + j]) / group.reduce((a, b) => a + Math.exp(b), 0);
      });
      const [soft, logged] = interpret(made, { x: values });
      expectClose(soft, wanted, 1e-14, "softmax");
      expectClose(logged, wanted.map(Math.log), 1e-14, "logSoftmax");
    }
  });

  it("differentiates every statistic", () => {
    const shapes = { x: [3, 4] };
    const made: Record<string, (x: SymbolicArray) => SymbolicArray> = {
      mean: (x) => mean(x, { axis: 0 }),
      variance: (x) => variance(x, { axis: 1, correction: 1 }),
      norm: (x) => norm(x, { axis: 0 }),
      minimum: (x) => minimum(x, { axis: 1 }),
      maximum: (x) => maximum(x, { axis: [0, 1] }),
      logSumExp: (x) => logSumExp(x, { axis: 0 }),
      softmax: (x) => softmax(x),
      logSoftmax: (x) => logSoftmax(x, { axis: 0 }),
      layerNormalised: (x) => layerNormalised(x, { epsilon: 0.1 }),
      batch: (x) => mul(batchStatistics(x).variance, batchStatistics(x).mean),
      channelShuffle: (x) => square(channelShuffle(x, 2)),
    };
    for (const make of Object.values(made)) checkDerivatives(({ x }) => make(x), shapes);
  });
});

describe("matrices and channels", () => {
  it("computes outer products, diagonals and traces", () => {
    const shapes = { a: [3], b: [2] };
    const values = valuesFor(shapes);
    expectClose(
      evaluated(({ a, b }) => outer(a, b), shapes, values),
      tabulate([3, 2], (i, j) => values.a[i] * values.b[j]),
      0,
      "outer",
    );
    checkDerivatives(({ a, b }) => outer(a, b), shapes);
    const x = numbers(18, 1);
    expectClose(
      of(x, diagonal, [2, 3, 3]),
      tabulate([2, 3], (n, i) => x[n * 9 + i * 4]),
      0,
      "diagonal",
    );
    expectClose(
      of(x, trace, [2, 3, 3]),
      tabulate([2], (n) => x[n * 9] + x[n * 9 + 4] + x[n * 9 + 8]),
      1e-15,
      "trace",
    );
    checkDerivatives((g) => add(sum(square(diagonal(g.x))), trace(g.x)), { x: [3, 3] });
    expect(() => trace(input("x", [2, 3]))).toThrow(/trace: the array is \[2, 3\]/);
    expect(() => outer(input("x", [2, 3]), input("y", [2]))).toThrow(/outer: shapes are \[2, 3\] and \[2\]/);
  });

  it("distributes channels", () => {
    // torch.nn.ChannelShuffle(2) on channels 0 … 5.
    expect([...of([0, 1, 2, 3, 4, 5], (x) => channelShuffle(x, 2), [1, 6])]).toEqual([0, 3, 1, 4, 2, 5]);
    expect(() => channelShuffle(input("x", [2, 5]), 2)).toThrow(/groups is 2, but must divide the last extent of \[2, 5\]/);
  });

  it("normalises layers and computes batch moments", () => {
    const x = numbers(12, 8);
    const rows = [0, 1, 2].map((i) => [...x.slice(4 * i, 4 * i + 4)]);
    const wanted = rows.flatMap((row) => row.map((v) => (v - plainMean(row)) / Math.sqrt(plainVariance(row) + 1e-5)));
    expectClose(
      of(x, (a) => layerNormalised(a), [3, 4]),
      wanted,
      1e-13,
      "layer",
    );
    const columns = [0, 1, 2, 3].map((j) => rows.map((row) => row[j]));
    expectClose(
      of(x, (a) => batchStatistics(a).mean, [3, 1, 4]),
      columns.map(plainMean),
      1e-15,
      "mean",
    );
    expectClose(
      of(x, (a) => batchStatistics(a).variance, [3, 1, 4]),
      columns.map((c) => plainVariance(c)),
      1e-15,
      "variance",
    );
  });
});

describe("random arrays", () => {
  const place = { key: [123456789, 3987654321] as [number, number], update: 2 ** 33 + 5 };

  it("returns the same bits as the twin of the kernel", () => {
    for (let n = 1; n <= 17; n++) {
      const [u, z] = interpret([uniform([n], 7), normal([n], 4e9)], {}, place);
      expect([...u]).toEqual(Array.from(u, (_, i) => twin.uniformF64({ ...place, stream: 7 }, i)));
      expect([...z]).toEqual(Array.from(z, (_, i) => twin.normal({ ...place, stream: 4e9 }, i)));
    }
  });

  it("draws the numbers of the engine's streams in stream 0", () => {
    const own = stream(3, "dropout");
    const [u, z] = interpret([uniform([5], 0), normal([5], 0)], {}, { key: own.key, update: 9 });
    const draws = [own.at(9), own.at(9)];
    expect([...u]).toEqual(Array.from(u, () => draws[0].uniform()));
    expect([...z]).toEqual(Array.from(z, () => draws[1].normal()));
    expect(normalQuantile(0.5)).toBe(0);
  });

  it("draws depend only on key, update and stream", () => {
    const draw = (streamNumber: number, options: object): number => interpret([uniform([2], streamNumber)], {}, options)[0][0];
    const all = [draw(1, {}), draw(2, {}), draw(1, { update: 1 }), draw(1, { key: [1, 0] }), draw(1, { key: [0, 1] })];
    expect(new Set(all).size).toBe(5);
    expect(draw(1, { update: 1 })).toBe(all[2]);
    expect(uniform([2], 1)).toBe(uniform([2], 1));
    expect(() => uniform([2], -1)).toThrow(/uniform: stream is -1/);
  });

  it("treats random arrays as constants in derivatives", () => {
    checkDerivatives(({ x }) => mul(square(x), normal([3], 1)), { x: [3] });
  });
});

describe("custom derivatives", () => {
  it("uses the custom derivative instead of the function's own", () => {
    const x = input("x", [3]);
    const clipped = customDerivative(
      [x],
      (a) => square(a),
      (adjoint, result, [a]) => [mul(adjoint, add(result, a))],
    );
    const values = { x: [1, 2, 3] };
    expect([...interpret([clipped], values)[0]]).toEqual([1, 4, 9]);
    expect([...interpret(gradientsOf(sum(clipped), [x]), values)[0]]).toEqual([2, 6, 12]);
    // d/dx of (x² + x). The derivative is a program whose own derivative uses the same rule.
    const [slope] = gradientsOf(sum(clipped), [x]);
    expect([...interpret(gradientsOf(sum(slope), [x]), values)[0]]).toEqual([3, 7, 13]);
  });

  it("refuses derivatives of the wrong shape or number", () => {
    const x = input("x", [3]);
    const wrong = customDerivative(
      [x],
      (a) => square(a),
      (adjoint) => [sum(adjoint)],
    );
    expect(() => gradientsOf(sum(wrong), [x])).toThrow(/backward gave shapes \[\], but the inputs are \[3\]/);
    const few = customDerivative(
      [x, x],
      (a, b) => mul(a, b),
      (adjoint) => [adjoint],
    );
    expect(() => gradientsOf(sum(few), [x])).toThrow(/customDerivative/);
  });

  it("straightThrough passes gradients on and stopGradient blocks them", () => {
    const x = input("x", [3]);
    const rounded = straightThrough(x, (a) => floor(a));
    const values = { x: [1.5, -0.5, 2] };
    expect([...interpret([rounded], values)[0]]).toEqual([1, -1, 2]);
    expect([...interpret(gradientsOf(sum(mul(rounded, x)), [x]), values)[0]]).toEqual([2.5, -1.5, 4]);
    expect([...interpret(gradientsOf(sum(mul(stopGradient(x), x)), [x]), values)[0]]).toEqual([1.5, -0.5, 2]);
  });
});
