/**
 * kernels/engine/arrays/cholesky.ts and triangular.ts: exact on integers, and backward errors within the bounds of
 * their headers for n of 0 … 17 and beyond. Also tests NaN, singular and indefinite matrices, and arbitrary values in
 * the unread triangle.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow } from "../../power.ts";
import { cholesky, triangle, triangularSolve } from "../../reference/triangular.ts";
import { floatTypes, Guarded, rounded, roundoff, worst } from "./guarded.ts";

const engine = await openEngine();
const cases = floatTypes.flatMap((type) => [true, false].map((deterministic) => ({ type, deterministic })));
const sizes = [...Array(18).keys(), 31, 50];

/** Returns A Bᵀ for [n, k] and [m, k], and the same product of absolute values. */
function products(n: number, m: number, k: number, a: readonly number[], b: readonly number[]) {
  const sums = new Array<number>(n * m).fill(0);
  const sizes = new Array<number>(n * m).fill(0);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      for (let t = 0; t < k; t++) {
        sums[i * m + j] += a[i * k + t] * b[j * k + t];
        sizes[i * m + j] += Math.abs(a[i * k + t] * b[j * k + t]);
      }
  return { sums, sizes };
}

const transpose = (rows: number, columns: number, a: readonly number[]): number[] =>
  a.map((_, at) => a[(at % rows) * columns + Math.floor(at / rows)]);

describe.each(cases)("$type, deterministic: $deterministic", ({ type, deterministic }) => {
  const draws = stream(7, "triangular", type).at(0);
  const times = (count: number, make: (i: number) => number) =>
    rounded(
      type,
      Array.from({ length: count }, (_, i) => make(i)),
    );

  function factored(n: number, a: number[]): { l: number[]; failure: number } {
    using memory = new Guarded(engine);
    const l = memory.room(type, n * n);
    const failure = engine.kernel(`cholesky${type.toUpperCase()}`, deterministic)(n, memory.put(type, a), l);
    return { l: memory.read(type, l, n * n), failure };
  }

  function solved(
    n: number,
    m: number,
    l: number[],
    lower: boolean,
    transposed: boolean,
    b: number[],
    inPlace: boolean,
  ): number[] {
    using memory = new Guarded(engine);
    const from = memory.put(type, b);
    const to = inPlace ? from : memory.room(type, n * m);
    const kernel = engine.kernel(`triangularSolve${type.toUpperCase()}`, deterministic);
    kernel(n, m, memory.put(type, l), lower ? 1 : 0, transposed ? 1 : 0, from, to);
    return memory.read(type, to, n * m);
  }

  /** Integers with powers of 2 on the diagonal, so that nothing is rounded. */
  const wholeTriangle = (n: number): number[] =>
    Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return j > i ? 0 : i === j ? 2 ** draws.integer(3) : draws.integer(7) - 3;
    });

  it("recovers L from L Lᵀ exactly on integers, without reading above the diagonal of A", () => {
    for (const n of sizes) {
      const l = wholeTriangle(n);
      const a = products(n, n, n, l, l).sums.map((x, at) => (at % n > Math.floor(at / n) ? Number.NaN : x));
      expect(factored(n, a)).toEqual({ l, failure: 0 });
      expect(cholesky(n, a)).toEqual(l);
    }
  });

  it("factors with |L Lᵀ − A| ≤ (n + 2) ε |L||Lᵀ|", () => {
    for (const n of sizes) {
      const g = times(n * (n + 3), () => draws.normal());
      const a = rounded(type, products(n, n, n + 3, g, g).sums);
      const { l, failure } = factored(n, a);
      expect(failure).toBe(0);
      expect(l.every((x, at) => at % n <= Math.floor(at / n) || Object.is(x, 0))).toBe(true);
      const { sums, sizes } = products(n, n, n, l, l);
      expect(
        worst(
          sums,
          a,
          sizes.map((size) => (n + 2) * 2 * roundoff[type] * size),
        ),
      ).toBeLessThanOrEqual(1);
    }
  });

  it("returns the first row with a failed pivot and leaves only NaN", () => {
    for (const n of [1, 3, 4, 7, 17]) {
      for (let row = 0; row < n; row++) {
        for (const wrong of ["indefinite", "singular", Number.NaN, Infinity] as const) {
          const l = wholeTriangle(n);
          const a = products(n, n, n, l, l).sums;
          const at = row * n + row;
          a[at] = wrong === "indefinite" ? a[at] - 16 : wrong === "singular" ? a[at] - l[at] ** 2 : wrong;
          expect(factored(n, a)).toEqual({ l: new Array(n * n).fill(Number.NaN), failure: row + 1 });
          expect(cholesky(n, a)).toEqual({ row });
        }
      }
    }
    expect(factored(2, [1, 0, Number.NaN, 1]).failure).toBe(2);
  });

  const forms = [true, false].flatMap((lower) => [true, false].map((transposed) => ({ lower, transposed })));

  it.each(forms)("solves exactly on integers, lower: $lower, transposed: $transposed", ({ lower, transposed }) => {
    for (const n of [...Array(18).keys()]) {
      for (const m of isSlow ? [0, 1, 2, 3, 4, 5, 9, 16, 17] : [0, 1, 2, 4, 5, 17]) {
        // Small integers over a unit diagonal. X is chosen, and B follows.
        const stored = Array.from({ length: n * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return i === j ? 2 ** draws.integer(2) : j > i === lower ? Number.NaN : draws.integer(3) - 1;
        });
        const x = times(n * m, () => draws.integer(9) - 4);
        const b = products(n, m, n, triangle(n, stored, lower, transposed), transpose(n, m, x)).sums;
        for (const inPlace of [false, true])
          expect(solved(n, m, stored, lower, transposed, b, inPlace).map((v) => v + 0)).toEqual(x.map((v) => v + 0));
        expect(triangularSolve(n, m, stored, lower, transposed, b).map((v) => v + 0)).toEqual(x.map((v) => v + 0));
      }
    }
  });

  it.each(forms)(
    "solves with |op(L) X − B| ≤ (n + 1) ε |L||X|, lower: $lower, transposed: $transposed",
    ({ lower, transposed }) => {
      for (const n of sizes) {
        for (const m of [1, 2, 5, 19]) {
          const stored = times(n * n, (at) =>
            Math.floor(at / n) === at % n ? 2 + draws.uniform() : draws.normal() / Math.sqrt(n),
          );
          const b = times(n * m, () => draws.normal());
          const x = solved(n, m, stored, lower, transposed, b, false);
          const { sums, sizes } = products(n, m, n, triangle(n, stored, lower, transposed), transpose(n, m, x));
          expect(
            worst(
              sums,
              b,
              sizes.map((size) => (n + 1) * 2 * roundoff[type] * size),
            ),
          ).toBeLessThanOrEqual(1);
        }
      }
    },
  );

  it("divides by a 0 on the diagonal, and keeps NaN in its column", () => {
    for (const m of [1, 3, 17]) {
      const b = times(2 * m, (i) => (i === 0 ? Number.NaN : 1));
      const found = solved(2, m, [1, 0, 0, 0], true, false, b, false);
      expect(found).toEqual([...b.slice(0, m), ...times(m, (i) => (i === 0 ? Number.NaN : Infinity))]);
    }
  });
});
