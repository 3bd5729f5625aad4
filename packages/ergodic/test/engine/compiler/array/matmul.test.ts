/** Matrix products agree with sums over indices, and their derivatives with finite differences. */
import { describe, expect, it } from "vitest";
import { dot, input, interpret, matmul, matrixTranspose, transpose } from "../../../../src/engine/compiler/array/index.ts";
import { elementOf, numbers, tabulate, total } from "../../../reference/arrays.ts";
import { checkDerivatives, evaluated, expectClose, valuesFor } from "./differences.ts";

type Shape = readonly number[];

/** y[…, i, j] = Σ_p a[…, i, p] b[…, p, j] for arrays of at least two axes. */
function plain(a: Float64Array, aShape: Shape, b: Float64Array, bShape: Shape, shape: Shape): Float64Array {
  const k = aShape[aShape.length - 1];
  return tabulate(shape, (...index) => {
    const [i, j] = index.slice(-2);
    const batch = index.slice(0, -2);
    return total(k, (p) => elementOf(a, aShape, [...batch, i, p]) * elementOf(b, bShape, [...batch, p, j]));
  });
}

const cases: readonly [a: Shape, b: Shape, y: Shape][] = [
  ...Array.from({ length: 17 }, (_, k): [Shape, Shape, Shape] => [
    [3, k + 1],
    [k + 1, 2],
    [3, 2],
  ]),
  ...Array.from({ length: 17 }, (_, m): [Shape, Shape, Shape] => [
    [m + 1, 2],
    [2, 17 - m],
    [m + 1, 17 - m],
  ]),
  [
    [4, 3, 5],
    [5, 2],
    [4, 3, 2],
  ],
  [
    [3, 5],
    [4, 5, 2],
    [4, 3, 2],
  ],
  [
    [4, 3, 5],
    [4, 5, 2],
    [4, 3, 2],
  ],
  [
    [2, 1, 3, 5],
    [4, 5, 2],
    [2, 4, 3, 2],
  ],
  [
    [2, 4, 3, 5],
    [2, 1, 5, 1],
    [2, 4, 3, 1],
  ],
  [
    [1, 3, 5],
    [1, 5, 2],
    [1, 3, 2],
  ],
  [
    [1, 3, 5],
    [5, 2],
    [1, 3, 2],
  ],
  [
    [6, 1, 1],
    [1, 1],
    [6, 1, 1],
  ],
];

describe("matmul", () => {
  it.each(cases)("multiplies %j · %j", (a, b, y) => {
    const shapes = { a, b };
    const values = valuesFor(shapes);
    const made = matmul(input("a", a), input("b", b));
    expect(made.shape).toEqual(y);
    expectClose(interpret([made], values)[0], plain(values.a, a, values.b, b, y), 1e-14, "product");
  });

  it("treats a vector as a row or a column", () => {
    const v = numbers(4, 3);
    const m = numbers(12, 4);
    const made = [
      matmul(input("v", [4]), input("m", [4, 3])),
      matmul(input("w", [3, 4]), input("v", [4])),
      matmul(input("v", [4]), input("v", [4])),
      matmul(input("c", [2, 2, 4]), input("v", [4])),
    ];
    expect(made.map((x) => x.shape)).toEqual([[3], [3], [], [2, 2]]);
    const c = numbers(16, 5);
    const [row, column, inner, batch] = interpret(made, { v, m, w: m, c });
    expectClose(
      row,
      tabulate([3], (j) => total(4, (p) => v[p] * m[p * 3 + j])),
      1e-15,
      "row",
    );
    expectClose(
      column,
      tabulate([3], (i) => total(4, (p) => m[i * 4 + p] * v[p])),
      1e-15,
      "column",
    );
    expectClose(inner, [total(4, (p) => v[p] * v[p])], 1e-15, "inner");
    expectClose(
      batch,
      tabulate([4], (i) => total(4, (p) => c[i * 4 + p] * v[p])),
      1e-15,
      "batch",
    );
    expect(dot(input("v", [4]), input("v", [4]))).toBe(made[2]);
  });

  it("reads transposed operands", () => {
    const shapes = { a: [2, 5, 3], b: [4, 5] };
    const values = valuesFor(shapes);
    const swapped = tabulate([2, 3, 5], (n, i, p) => values.a[(n * 5 + p) * 3 + i]);
    const made = evaluated(({ a, b }) => matmul(matrixTranspose(a), transpose(b)), shapes, values);
    const b = tabulate([5, 4], (p, j) => values.b[j * 5 + p]);
    expectClose(made, plain(swapped, [2, 3, 5], b, [5, 4], [2, 3, 4]), 1e-14, "product");
  });

  it("propagates NaN and infinities", () => {
    const [y] = interpret([matmul(input("a", [2, 2]), input("b", [2, 2]))], { a: [NaN, 0, 1, Infinity], b: [0, 1, 0, 1] });
    expect([...y]).toEqual([NaN, NaN, NaN, Infinity]);
  });

  it.each([
    [
      [2, 3],
      [3, 2],
    ],
    [[3], [3]],
    [[2, 3], [3]],
    [[3], [2, 3, 2]],
    [
      [2, 2, 3],
      [3, 2],
    ],
    [
      [2, 1, 2, 3],
      [3, 3, 1],
    ],
    [
      [2, 3],
      [4, 3, 2],
    ],
  ])("differentiates %j · %j", (a, b) => {
    checkDerivatives((x) => matmul(x.a, x.b), { a, b });
  });

  it("differentiates through transposes", () => {
    checkDerivatives((x) => matmul(matrixTranspose(x.a), x.b), { a: [2, 3, 2], b: [3, 4] });
  });

  it("differentiates if both operands are the same array", () => {
    checkDerivatives((x) => matmul(x.a, matmul(x.a, x.a)), { a: [3, 3] });
  });

  it.each([
    [
      [2, 3],
      [2, 3],
    ],
    [[], [3]],
    [[2, 3], []],
    [
      [2, 2, 3],
      [3, 3, 2],
    ],
  ])("refuses %j · %j", (a, b) => {
    expect(() => matmul(input("a", a), input("b", b))).toThrow(/matmul: .*\[COMPILE_SHAPE\]/);
  });

  it("names the shapes and the user's line in the error", () => {
    expect(() => matmul(input("a", [2, 3]), input("b", [2, 3]))).toThrow(/\[2, 3\] and \[2, 3\].*matmul\.test\.ts:\d+:\d+/);
    expect(() => dot(input("a", [3]), input("b", [4]))).toThrow(/dot: .*\[3\] and \[4\]/);
  });
});
