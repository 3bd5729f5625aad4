/** Convolutions, pooling and patches agree with sums over indices, and their derivatives with finite differences. */
import { describe, expect, it } from "vitest";
import {
  averagePool,
  type ConvolutionOptions,
  conv1d,
  conv2d,
  gradientsOf,
  input,
  interpret,
  maxPool,
  type PoolOptions,
  patches,
} from "../../../../src/engine/compiler/array/index.ts";
import { mul, square, sum } from "../../../../src/engine/compiler/index.ts";
import { elementOf, tabulate, total } from "../../../reference/arrays.ts";
import { checkDerivatives, evaluated, expectClose, valuesFor } from "./differences.ts";

type Shape = readonly number[];
interface Window {
  /** Height and width of the output, strides, cells of padding before the image, and dilation. */
  out: [number, number];
  s?: [number, number];
  p?: [number, number];
  d?: [number, number];
}

/** y[n, h, w, o] = Σ x[n, h s + i d − p, w s + j d − p, c] W[i, j, c, o], c in o's group. */
function plain(
  x: Float64Array,
  xShape: Shape,
  w: Float64Array,
  wShape: Shape,
  { out, s = [1, 1], p = [0, 0], d = [1, 1] }: Window,
  groups = 1,
): Float64Array {
  const [rows, columns, inside, filters] = wShape;
  return tabulate([xShape[0], ...out, filters], (n, h, v, o) =>
    total(rows, (i) =>
      total(columns, (j) =>
        total(inside, (c) => {
          const channel = Math.floor(o / (filters / groups)) * inside + c;
          const at = [n, h * s[0] + i * d[0] - p[0], v * s[1] + j * d[1] - p[1], channel];
          return elementOf(x, xShape, at, true) * elementOf(w, wShape, [i, j, c, o]);
        }),
      ),
    ),
  );
}

const cases: readonly [name: string, x: Shape, w: Shape, options: ConvolutionOptions, window: Window][] = [
  ["valid", [2, 5, 4, 3], [3, 2, 3, 2], {}, { out: [3, 3] }],
  ["same", [1, 5, 4, 2], [3, 3, 2, 3], { padding: "same" }, { out: [5, 4], p: [1, 1] }],
  ["same, even window: the odd cell after", [1, 5, 4, 1], [2, 4, 1, 1], { padding: "same" }, { out: [5, 4], p: [0, 1] }],
  ["same, stride 2", [1, 5, 4, 1], [3, 3, 1, 2], { padding: "same", strides: 2 }, { out: [3, 2], s: [2, 2], p: [1, 0] }],
  ["strides 3 and 1", [1, 8, 3, 1], [2, 2, 1, 2], { strides: [3, 1] }, { out: [3, 2], s: [3, 1] }],
  ["padding of each side", [1, 3, 4, 1], [3, 2, 1, 1], { padding: [[2, 0], 1] }, { out: [3, 5], p: [2, 1] }],
  ["dilation", [1, 7, 6, 2], [3, 2, 2, 1], { dilation: [2, 3] }, { out: [3, 3], d: [2, 3] }],
  ["one cell, stride 2", [1, 5, 3, 2], [1, 1, 2, 2], { strides: 2 }, { out: [3, 2], s: [2, 2] }],
  ["one cell: a matrix product", [2, 2, 3, 3], [1, 1, 3, 2], {}, { out: [2, 3] }],
  ["one cell, padded", [1, 2, 2, 1], [1, 1, 1, 2], { padding: 1 }, { out: [4, 4], p: [1, 1] }],
  ["two groups", [1, 3, 3, 4], [2, 2, 2, 6], { groups: 2 }, { out: [2, 2] }],
  ["depthwise", [1, 4, 4, 3], [3, 3, 1, 3], { groups: 3, padding: "same" }, { out: [4, 4], p: [1, 1] }],
  ["depthwise, two filters a channel", [1, 3, 3, 2], [2, 2, 1, 4], { groups: 2 }, { out: [2, 2] }],
  ["the whole image", [2, 3, 2, 1], [3, 2, 1, 1], {}, { out: [1, 1] }],
];

describe("conv2d", () => {
  it.each(cases)("matches the definition: %s", (_, x, w, options, window) => {
    const shapes = { x, w };
    const values = valuesFor(shapes);
    const made = conv2d(input("x", x), input("w", w), options);
    expect(made.shape).toEqual([x[0], ...window.out, w[3]]);
    expectClose(interpret([made], values)[0], plain(values.x, x, values.w, w, window, options.groups), 1e-14, "output");
  });

  it.each(cases)("differentiates %s", (_, x, w, options) => {
    checkDerivatives((a) => conv2d(a.x, a.w, options), { x, w });
  });

  it("refuses arguments that do not fit", () => {
    const x = input("x", [1, 4, 4, 4]);
    expect(() => conv2d(x, input("w", [3, 3, 2, 2]))).toThrow(
      /conv2d: images are \[1, 4, 4, 4\], weights \[3, 3, 2, 2\].*convolution\.test/,
    );
    expect(() => conv2d(x, input("w", [3, 3, 2, 3]), { groups: 2 })).toThrow(/groups 2/);
    expect(() => conv2d(x, input("w", [5, 3, 4, 2]))).toThrow(/covers 5 cells of height/);
    expect(() => conv2d(x, input("w", [3, 3, 4, 2]), { strides: 0 })).toThrow(/strides is \[0,0\]/);
    expect(() => conv2d(x, input("w", [3, 3, 4, 2]), { padding: -1 })).toThrow(/padding is -1/);
    expect(() => conv2d(input("x", [4, 4, 4]), input("w", [3, 3, 4, 2]))).toThrow(/COMPILE_SHAPE/);
  });
});

describe("conv1d", () => {
  it("computes a one-dimensional convolution", () => {
    const shapes = { x: [2, 7, 4], w: [3, 2, 2] };
    const values = valuesFor(shapes);
    const options = { strides: 2, padding: [1, 0] as const, dilation: 2, groups: 2 };
    const own = evaluated(({ x, w }) => conv1d(x, w, options), shapes, values);
    const wanted = tabulate([2, 2, 2], (n, t, o) =>
      total(3, (i) =>
        total(2, (c) => elementOf(values.x, [2, 7, 4], [n, 2 * t + 2 * i - 1, 2 * o + c], true) * values.w[(i * 2 + c) * 2 + o]),
      ),
    );
    expectClose(own, wanted, 1e-14, "output");
  });

  it("refuses images", () => {
    expect(() => conv1d(input("x", [1, 4, 4, 2]), input("w", [3, 2, 2]))).toThrow(/conv1d: sequences are \[1, 4, 4, 2\]/);
  });
});

const pools: readonly [name: string, x: Shape, options: PoolOptions, window: Window, size: [number, number]][] = [
  ["2 × 2", [2, 4, 6, 3], { size: 2 }, { out: [2, 3], s: [2, 2] }, [2, 2]],
  ["overlapping", [1, 5, 5, 2], { size: 3, strides: 1 }, { out: [3, 3] }, [3, 3]],
  ["padded", [1, 5, 4, 1], { size: 3, strides: 2, padding: "same" }, { out: [3, 2], s: [2, 2], p: [1, 0] }, [3, 3]],
  ["oblong, what is left over falls away", [1, 5, 7, 1], { size: [2, 3] }, { out: [2, 2], s: [2, 3] }, [2, 3]],
  ["dilated", [1, 6, 5, 1], { size: 2, strides: 1, dilation: [3, 2] }, { out: [3, 3], d: [3, 2] }, [2, 2]],
];

/** For each window, the cells inside of the image. */
function windows(
  x: Float64Array,
  shape: Shape,
  { s = [1, 1], p = [0, 0], d = [1, 1] }: Window,
  [rows, columns]: [number, number],
) {
  return (n: number, h: number, w: number, c: number): number[] => {
    const seen: number[] = [];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const [row, column] = [h * s[0] + i * d[0] - p[0], w * s[1] + j * d[1] - p[1]];
        if (row >= 0 && row < shape[1] && column >= 0 && column < shape[2]) seen.push(elementOf(x, shape, [n, row, column, c]));
      }
    return seen;
  };
}

describe("pooling", () => {
  it.each(pools)("computes maximum and mean: %s", (_, x, options, window, size) => {
    const values = valuesFor({ x });
    const cells = windows(values.x, x, window, size);
    const shape = [x[0], ...window.out, x[3]];
    const image = input("x", x);
    const made = [maxPool(image, options), averagePool(image, options), averagePool(image, { ...options, countPadding: true })];
    for (const y of made) expect(y.shape).toEqual(shape);
    const [largest, mean, counted] = interpret(made, values);
    const added = (list: number[]): number => list.reduce((a, b) => a + b, 0);
    expectClose(
      largest,
      tabulate(shape, (...i) => Math.max(...cells(i[0], i[1], i[2], i[3]))),
      0,
      "largest",
    );
    expectClose(
      mean,
      tabulate(shape, (n, h, w, c) => added(cells(n, h, w, c)) / cells(n, h, w, c).length),
      1e-15,
      "mean",
    );
    expectClose(
      counted,
      tabulate(shape, (n, h, w, c) => added(cells(n, h, w, c)) / (size[0] * size[1])),
      1e-15,
      "counted",
    );
  });

  it.each(pools)("differentiates pooling: %s", (_, x, options) => {
    checkDerivatives((a) => maxPool(a.x, options), { x });
    checkDerivatives((a) => averagePool(a.x, options), { x });
    checkDerivatives((a) => averagePool(a.x, { ...options, countPadding: true }), { x });
  });

  it("sends the derivative of a tie to the first cell", () => {
    const values = { x: Float64Array.of(1, 3, 2, 2, 3, 3, 2, 2) };
    const x = input("x", [1, 2, 4, 1]);
    const y = maxPool(x, { size: 2 });
    const [slope] = interpret(gradientsOf(sum(y), [x]), values);
    expect([...slope]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
  });

  it("computes second derivatives of pooling with ties", () => {
    // The second derivative of Σ maxpool(x)³ is 6 max x on the selected cells.
    const values = { x: Float64Array.of(1, 3, 2, 2, 3, 3, 2, 2) };
    const x = input("x", [1, 2, 4, 1]);
    const y = maxPool(x, { size: 2 });
    const [first] = gradientsOf(sum(mul(y, square(y))), [x]);
    const [second] = interpret(gradientsOf(sum(first), [x]), values);
    expect([...second]).toEqual([0, 18, 12, 0, 0, 0, 0, 0]);
  });

  it("returns NaN if a cell of the window is NaN", () => {
    const [y] = interpret([maxPool(input("x", [1, 1, 4, 1]), { size: [1, 2] })], { x: [1, NaN, -Infinity, -0] });
    expect([...y]).toEqual([NaN, -0]);
  });
});

describe("patches", () => {
  it("copies the cells of each window", () => {
    const shapes = { x: [2, 4, 3, 2] };
    const values = valuesFor(shapes);
    const options = { size: [2, 3] as const, strides: [2, 1] as const, padding: "same" as const };
    const made = patches(input("x", shapes.x), options);
    expect(made.shape).toEqual([2, 2, 3, 12]);
    const wanted = tabulate([2, 2, 3, 2, 3, 2], (n, h, w, i, j, c) =>
      elementOf(values.x, shapes.x, [n, 2 * h + i, w + j - 1, c], true),
    );
    expectClose(interpret([made], values)[0], wanted, 0, "columns");
    checkDerivatives(({ x }) => patches(x, options), shapes);
  });
});
