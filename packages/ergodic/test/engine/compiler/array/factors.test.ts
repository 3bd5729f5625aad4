/** Triangular systems, Cholesky factors, determinants and block-circulant products. */
import { describe, expect, it } from "vitest";
import {
  cholesky,
  choleskySolve,
  circulant,
  constantArray,
  gradientsOf,
  identity,
  input,
  interpret,
  logDeterminant,
  logDeterminantOfCholesky,
  matmul,
  type SymbolicArray,
  solve,
  transpose,
  triangle,
  triangularSolve,
} from "../../../../src/engine/compiler/array/index.ts";
import { add, mul, square, sum } from "../../../../src/engine/compiler/index.ts";
import { elementOf, numbers, tabulate, total } from "../../../reference/arrays.ts";
import { checkDerivatives, evaluated, expectClose, valuesFor } from "./differences.ts";

/** Returns a triangle whose diagonal is far from 0. The other triangle is filled too and must not be read. */
const steady = (n: number): Float64Array => numbers(n * n, n).map((x, i) => (i % (n + 1) === 0 ? 2 + x : x));

describe("triangularSolve", () => {
  it.each(Array.from({ length: 17 }, (_, n) => n + 1))("solves all four forms for n = %i", (n) => {
    const l = steady(n);
    for (const m of [1, 3])
      for (const lower of [true, false])
        for (const transposed of [true, false]) {
          const read = tabulate([n, n], (i, j) => {
            const [r, c] = transposed ? [j, i] : [i, j];
            return r === c || (lower ? r > c : r < c) ? l[r * n + c] : 0;
          });
          const x = numbers(n * m, 5);
          const b = tabulate([n, m], (i, j) => total(n, (p) => read[i * n + p] * x[p * m + j]));
          const own = evaluated((a) => triangularSolve(a.l, a.b, { lower, transposed }), { l: [n, n], b: [n, m] }, { l, b });
          expectClose(own, x, 1e-8, `m = ${m}, ${lower}, ${transposed}`);
        }
  });

  it.each([
    [true, false],
    [true, true],
    [false, false],
    [false, true],
  ])("differentiates the solution: lower %s, transposed %s", (lower, transposed) => {
    const values = { l: steady(3), b: numbers(6, 2) };
    checkDerivatives((x) => triangularSolve(x.l, x.b, { lower, transposed }), { l: [3, 3], b: [3, 2] }, { values });
    checkDerivatives((x) => triangularSolve(x.l, x.b), { l: [3, 3], b: [3] }, { values: { l: values.l, b: numbers(3) } });
  });

  it("refuses matrices that do not fit", () => {
    expect(() => triangularSolve(input("l", [3, 2]), input("b", [3]))).toThrow(/triangularSolve: the matrix is \[3, 2\]/);
    expect(() => triangularSolve(input("l", [3, 3]), input("b", [2]))).toThrow(/right side \[2\].*factors\.test\.ts/);
  });
});

describe("solve", () => {
  it.each(Array.from({ length: 17 }, (_, n) => n + 1))("solves A X = B for n = %i", (n) => {
    const a = numbers(n * n, n + 3);
    for (const m of [1, 3]) {
      const x = numbers(n * m, 5);
      const b = tabulate([n, m], (i, j) => total(n, (p) => a[i * n + p] * x[p * m + j]));
      expectClose(
        evaluated((own) => solve(own.a, own.b), { a: [n, n], b: [n, m] }, { a, b }),
        x,
        1e-8,
        `m = ${m}`,
      );
    }
  });

  it.each(Array.from({ length: 17 }, (_, n) => n + 1))("solves the transposed system in its derivative for n = %i", (n) => {
    const [a, b, w] = [numbers(n * n, n + 3), numbers(n, 5), numbers(n, 6)];
    const shapes = { a: [n, n], b: [n], w: [n] };
    const slope = evaluated((x) => gradientsOf(sum(mul(x.w, solve(x.a, x.b))), [x.b])[0], shapes, { a, b, w });
    const back = tabulate([n], (i) => total(n, (p) => a[p * n + i] * slope[p]));
    expectClose(back, w, 1e-8, "Aᵀ times the slope");
  });

  it("differentiates the solution for any row order", () => {
    const values = { a: Float64Array.of(0.1, 2, 0, 1, 0.2, 0.3, -0.4, 0.5, 3), b: numbers(6, 2) };
    checkDerivatives((x) => solve(x.a, x.b), { a: [3, 3], b: [3, 2] }, { values });
    checkDerivatives((x) => solve(x.a, x.b), { a: [3, 3], b: [3] }, { values: { a: values.a, b: numbers(3) } });
    checkDerivatives(
      (x) => solve(transpose(x.a), solve(x.a, x.b)),
      { a: [3, 3], b: [3] },
      { values: { a: values.a, b: numbers(3) } },
    );
  });

  it("returns NaN if the matrix is singular", () => {
    const made = evaluated(
      (x) => solve(x.a, x.b),
      { a: [2, 2], b: [2] },
      { a: Float64Array.of(1, 2, 2, 4), b: Float64Array.of(1, 1) },
    );
    expect([...made]).toEqual([NaN, NaN]);
  });

  it("refuses matrices that do not fit", () => {
    expect(() => solve(input("a", [3, 2]), input("b", [3]))).toThrow(/solve: the matrix is \[3, 2\]/);
    expect(() => solve(input("a", [3, 3]), input("b", [2]))).toThrow(/right side \[2\].*factors\.test\.ts/);
  });
});

/** Returns M Mᵀ + n I, which is positive definite. */
const definite = (n: number): Float64Array => {
  const m = numbers(n * n, n + 3);
  return tabulate([n, n], (i, j) => total(n, (p) => m[i * n + p] * m[j * n + p]) + (i === j ? n : 0));
};

describe("cholesky", () => {
  it.each(Array.from({ length: 17 }, (_, n) => n + 1))("factors n = %i and reads only the lower triangle", (n) => {
    const a = definite(n);
    const given = a.map((x, i) => (i % n > Math.floor(i / n) ? NaN : x));
    const l = evaluated((x) => cholesky(x.a), { a: [n, n] }, { a: given });
    const above = l.filter((_, i) => i % n > Math.floor(i / n));
    expect([...above]).toEqual(new Array(above.length).fill(0));
    expectClose(
      tabulate([n, n], (i, j) => total(n, (p) => l[i * n + p] * l[j * n + p])),
      a,
      1e-13,
      "L Lᵀ",
    );
  });

  it("returns NaN everywhere unless the matrix is positive definite", () => {
    for (const a of [
      [1, 0, 2, 1],
      [0, 0, 0, 1],
      [1, 0, NaN, 1],
      [Infinity, 0, 0, 1],
    ])
      expect([...interpret([cholesky(input("a", [2, 2]))], { a })[0]]).toEqual([NaN, NaN, NaN, NaN]);
  });

  it("differentiates by the lower triangle", () => {
    checkDerivatives((x) => cholesky(x.a), { a: [3, 3] }, { values: { a: definite(3) } });
    const symmetric = (x: Record<string, SymbolicArray>): SymbolicArray =>
      choleskySolve(cholesky(add(matmul(x.m, transpose(x.m)), identity(3))), x.b);
    checkDerivatives(symmetric, { m: [3, 3], b: [3] });
  });

  it("yields correct determinants and solutions", () => {
    const a = definite(2);
    const whole = input("a", [2, 2]);
    const determinant = Math.log(a[0] * a[3] - a[1] * a[2]);
    const [own, fromFactor] = interpret([logDeterminant(whole), logDeterminantOfCholesky(cholesky(whole))], { a });
    expectClose([own[0], fromFactor[0]], [determinant, determinant], 1e-14, "log determinant");
    checkDerivatives((x) => logDeterminant(x.a), { a: [4, 4] }, { values: { a: definite(4) } });
    const x = evaluated((g) => choleskySolve(cholesky(g.a), g.b), { a: [2, 2], b: [2] }, { a, b: Float64Array.of(1, 2) });
    expectClose([a[0] * x[0] + a[1] * x[1], a[2] * x[0] + a[3] * x[1]], [1, 2], 1e-14, "A x");
    expect(() => cholesky(input("a", [2, 3]))).toThrow(/cholesky: the array is \[2, 3\]/);
  });
});

describe("circulant", () => {
  it.each([
    [1, 1, 1],
    [1, 1, 4],
    [2, 3, 4],
    [3, 2, 5],
    [2, 1, 8],
  ])("multiplies p = %i, q = %i, k = %i", (p, q, k) => {
    const shapes = { x: [3, q * k], w: [p, q, k] };
    const values = valuesFor(shapes);
    const wanted = tabulate([3, p, k], (r, i, a) =>
      total(q, (j) =>
        total(
          k,
          (b) => elementOf(values.w, shapes.w, [i, j, (((a - b) % k) + k) % k]) * elementOf(values.x, shapes.x, [r, j * k + b]),
        ),
      ),
    );
    expectClose(
      evaluated(({ x, w }) => circulant(x, w), shapes, values),
      wanted,
      1e-14,
      "product",
    );
  });

  it("differentiates the product", () => {
    checkDerivatives(({ x, w }) => circulant(x, w), { x: [2, 6], w: [2, 2, 3] });
    checkDerivatives(({ x, w }) => circulant(x, w), { x: [4], w: [1, 2, 2] });
  });

  it("refuses arguments that do not fit", () => {
    expect(() => circulant(input("x", [2, 5]), input("w", [1, 2, 2]))).toThrow(
      /circulant: the array is \[2, 5\] and the blocks \[1, 2, 2\]/,
    );
  });
});

describe("triangles", () => {
  it("keeps one side of the diagonal", () => {
    const x = constantArray([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);
    const [low, high] = interpret([triangle(x), triangle(x, { upper: true })], {});
    expect([...low]).toEqual([1, 0, 0, 4, 5, 0, 7, 8, 9]);
    expect([...high]).toEqual([1, 2, 3, 0, 5, 6, 0, 0, 9]);
    checkDerivatives((g) => sum(square(mul(triangle(g.x), 2))), { x: [3, 3] });
  });
});
