import { describe, expect, it } from "vitest";
import { symmetricEigen } from "../../../src/engine/numbers/symmetric-eigen.ts";
import { stream } from "../../../src/engine/random/stream.ts";

function eigen(n: number, a: ArrayLike<number>): { values: Float64Array; vectors: Float64Array; done: boolean } {
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  const done = symmetricEigen(n, Float64Array.from(a), values, vectors);
  return { values, vectors, done };
}

/** The largest entries of A − Σ λ v vᵀ relative to the largest |λ|, and of V Vᵀ − I. */
function errors(n: number, a: ArrayLike<number>): { rebuilt: number; orthonormal: number; values: Float64Array } {
  const { values, vectors, done } = eigen(n, a);
  expect(done).toBe(true);
  const scale = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
  let rebuilt = 0;
  let orthonormal = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let dot = 0;
      for (let k = 0; k < n; k++) {
        sum += (values[k] / scale) * vectors[k * n + i] * vectors[k * n + j];
        dot += vectors[i * n + k] * vectors[j * n + k];
      }
      rebuilt = Math.max(rebuilt, Math.abs(sum - a[i * n + j] / scale));
      orthonormal = Math.max(orthonormal, Math.abs(dot - (i === j ? 1 : 0)));
    }
  }
  return { rebuilt, orthonormal, values };
}

function symmetric(n: number, entry: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) =>
    entry(Math.max(Math.floor(at / n), at % n), Math.min(Math.floor(at / n), at % n)),
  );
}

function random(n: number, seed: number): Float64Array {
  const draws = stream(seed, "matrix").at(n);
  const entries = Float64Array.from({ length: n * n }, () => draws.normal());
  return symmetric(n, (i, j) => entries[i * n + j]);
}

describe("symmetricEigen", () => {
  it("returns the closed forms for 1 × 1 and 2 × 2", () => {
    expect(eigen(1, [-7])).toEqual({ values: Float64Array.of(-7), vectors: Float64Array.of(1), done: true });
    const { values, vectors } = eigen(2, [2, 1, 1, 2]);
    expect(values[0]).toBeCloseTo(1, 15);
    expect(values[1]).toBeCloseTo(3, 15);
    expect(Math.abs(vectors[0] + vectors[1])).toBeLessThan(1e-15);
    expect(Math.abs(vectors[2] - vectors[3])).toBeLessThan(1e-15);
  });

  it("sorts a diagonal matrix and keeps it exactly", () => {
    const diagonal = [3, -1, 2, 0, 2];
    const { values, vectors } = eigen(
      5,
      symmetric(5, (i, j) => (i === j ? diagonal[i] : 0)),
    );
    expect([...values]).toEqual([-1, 0, 2, 2, 3]);
    expect([...vectors.map(Math.abs)].sort()).toEqual([...new Array(20).fill(0), ...new Array(5).fill(1)]);
    expect(vectors[1]).toBe(1);
  });

  it("computes the eigenvalues of second differences, 2 − 2 cos(kπ/(n+1))", () => {
    for (const n of [2, 3, 4, 5, 8, 17, 40]) {
      const { values, rebuilt, orthonormal } = errors(
        n,
        symmetric(n, (i, j) => (i === j ? 2 : i === j + 1 ? -1 : 0)),
      );
      for (let k = 1; k <= n; k++)
        expect(Math.abs(values[k - 1] - (2 - 2 * Math.cos((k * Math.PI) / (n + 1))))).toBeLessThan(1e-14);
      expect(rebuilt).toBeLessThan(1e-14);
      expect(orthonormal).toBeLessThan(1e-14);
    }
  });

  it("reconstructs random matrices from orthonormal vectors and ascending values", () => {
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 17, 60]) {
      const { values, rebuilt, orthonormal } = errors(n, random(n, 3));
      expect(rebuilt).toBeLessThan(1e-14);
      expect(orthonormal).toBeLessThan(2e-14);
      expect([...values]).toEqual([...values].sort((a, b) => a - b));
    }
  });

  it("accepts degenerate matrices: zero, rank one, many equal values, blocks", () => {
    for (const n of [1, 2, 5, 10]) {
      const cases = [
        symmetric(n, () => 0),
        symmetric(n, () => 1),
        symmetric(n, (i, j) => (i === j ? 5 : 0) + (i + 1) * (j + 1)),
        symmetric(n, (i, j) => (i === j || (i === j + 1 && i % 2 === 1) ? 1 : 0)),
        symmetric(n, (i, j) => (i === n - 1 && j === 0 ? 1 : 0)),
      ];
      for (const a of cases) {
        const { rebuilt, orthonormal } = errors(n, a);
        expect(rebuilt).toBeLessThan(1e-14);
        expect(orthonormal).toBeLessThan(1e-14);
      }
    }
    expect([...eigen(4, new Array(16).fill(1)).values].map((v) => Math.round(v * 1e12) / 1e12 + 0)).toEqual([0, 0, 0, 4]);
  });

  it("neither overflows nor underflows", () => {
    for (const scale of [1e300, 1e-300]) {
      const { rebuilt, orthonormal } = errors(
        6,
        random(6, 4).map((v) => v * scale),
      );
      expect(rebuilt).toBeLessThan(1e-14);
      expect(orthonormal).toBeLessThan(1e-14);
    }
  });

  it("refuses non-finite entries", () => {
    for (const wrong of [Number.NaN, Infinity, -Infinity]) expect(eigen(2, [1, wrong, wrong, 1]).done).toBe(false);
  });
});
