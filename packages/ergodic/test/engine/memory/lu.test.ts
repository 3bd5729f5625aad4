/**
 * kernels/engine/arrays/lu.ts: exact on integers, backward errors within the bound of its header, row exchanges,
 * singular matrices, and invalid exchanges.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { floatTypes, Guarded, rounded, roundoff, worst } from "./guarded.ts";

const engine = await openEngine();
const cases = floatTypes.flatMap((type) => [true, false].map((deterministic) => ({ type, deterministic })));
const sizes = [...Array(18).keys(), 31, 50];

/** Undoes row exchanges, from the last to the first. */
function undone(n: number, a: number[], exchanges: readonly number[]): void {
  for (let i = n - 1; i >= 0; i--)
    for (let j = 0; j < n; j++) [a[i * n + j], a[exchanges[i] * n + j]] = [a[exchanges[i] * n + j], a[i * n + j]];
}

describe.each(cases)("$type, deterministic: $deterministic", ({ type, deterministic }) => {
  const draws = stream(7, "lu", type).at(0);
  const kernel = (name: string) => engine.kernel(`${name}${type.toUpperCase()}`, deterministic);
  const times = (count: number, make: (i: number) => number) =>
    rounded(
      type,
      Array.from({ length: count }, (_, i) => make(i)),
    );

  function factored(n: number, a: readonly number[]): number[] {
    using memory = new Guarded(engine);
    const f = memory.room(type, n * (n + 1));
    kernel("luFactor")(n, memory.put(type, a), f);
    return memory.read(type, f, n * (n + 1));
  }

  function solved(
    n: number,
    m: number,
    f: readonly number[],
    transposed: boolean,
    b: readonly number[],
    inPlace: boolean,
  ): number[] {
    using memory = new Guarded(engine);
    const from = memory.put(type, b);
    const to = inPlace ? from : memory.room(type, n * m);
    kernel("luSolve")(n, m, memory.put(type, f), Number(transposed), from, to);
    return memory.read(type, to, n * m);
  }

  /** Returns op(A) X, and the same product of absolute values. */
  function product(
    n: number,
    m: number,
    a: readonly number[],
    transposed: boolean,
    x: readonly number[],
    size = (v: number) => v,
  ): number[] {
    return Array.from({ length: n * m }, (_, at) => {
      const [i, c] = [Math.floor(at / m), at % m];
      let sum = 0;
      for (let j = 0; j < n; j++) sum += size(a[transposed ? j * n + i : i * n + j]) * size(x[j * m + c]);
      return sum;
    });
  }

  it("factors P A = L U with the largest pivot of each column, exactly on integers", () => {
    for (const n of sizes.filter((size) => size <= 17)) {
      // L with elements of at most 1, and U with powers of 2 on its diagonal. Rows are permuted.
      const l = Array.from({ length: n * n }, (_, at) =>
        at % n === Math.floor(at / n) ? 1 : at % n < Math.floor(at / n) ? (draws.integer(3) - 1) / 2 : 0,
      );
      const u = Array.from({ length: n * n }, (_, at) =>
        at % n === Math.floor(at / n) ? 2 ** draws.integer(3) : at % n > Math.floor(at / n) ? draws.integer(7) - 3 : 0,
      );
      const whole = product(n, n, l, false, u);
      const order = Array.from({ length: n }, (_, i) => i);
      const exchanges = order.map((i) => i + draws.integer(n - i));
      const a = [...whole];
      undone(n, a, exchanges);
      const f = factored(n, a);
      expect(f.slice(0, n * n).map((x) => x + 0)).toEqual(l.map((x, at) => (at % n < Math.floor(at / n) ? x : u[at]) + 0));
      expect(f.slice(n * n)).toEqual(exchanges);
    }
  });

  it.each([false, true])("solves with |op(A) X − B| ≤ 3 n ε |L||U||X|, transposed: %s, in place or not", (transposed) => {
    for (const n of sizes)
      for (const m of [0, 1, 2, 5, 17]) {
        const a = times(n * n, () => draws.normal());
        const f = factored(n, a);
        const b = times(n * m, () => draws.normal());
        const x = solved(n, m, f, transposed, b, false);
        expect(solved(n, m, f, transposed, b, true)).toEqual(x);
        const part = (keep: (i: number, j: number) => boolean) =>
          Array.from({ length: n * n }, (_, at) => {
            const [i, j] = [Math.floor(at / n), at % n];
            return keep(i, j) ? f[at] : i === j ? 1 : 0;
          });
        const [l, u] = [part((i, j) => j < i), part((i, j) => j >= i)];
        const size = product(n, n, l, false, u, Math.abs);
        undone(n, size, f.slice(n * n));
        const bounds = product(n, m, size, transposed, x, Math.abs).map((most) => 3 * n * 2 * roundoff[type] * most);
        expect(worst(product(n, m, a, transposed, x), b, bounds)).toBeLessThanOrEqual(1);
      }
  });

  it("is NaN throughout if a pivot is 0, infinite or NaN", () => {
    const nowhere = new Array<number>(6).fill(Number.NaN);
    for (const a of [
      [0, 0, 0, 1],
      [1, 2, 2, 4],
      [Number.NaN, 1, Number.NaN, 1],
      [Infinity, 1, 1, 1],
      [1, 1, 1, Number.NaN],
    ])
      expect(factored(2, a)).toEqual(nowhere);
    expect(solved(2, 1, nowhere, false, [1, 1], false)).toEqual([Number.NaN, Number.NaN]);
    expect(factored(2, [0, 1, 1, 0])).toEqual([1, 0, 0, 1, 1, 1]);
  });

  it("writes nothing elsewhere if the factor contains invalid rows", () => {
    for (const wrong of [Number.NaN, -1, 2, 1e9, Infinity, -Infinity])
      for (const transposed of [false, true])
        expect(solved(2, 1, [1, 0, 0, 1, wrong, wrong], transposed, [3, 4], false)).toEqual([3, 4]);
  });
});
