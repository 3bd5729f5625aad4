/**
 * The BBOB functions of bench/bbob compared with COCO's values: 24 functions, instance 1, in 2, 5 and 10 dimensions, at
 * four points and at the minimum. The values are sums and products of at most a few thousand rounded terms, so they
 * agree to 1e-9 relative.
 */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bbob } from "../../../../../bench/bbob/functions.mjs";
import { optimum, rotation, uniform } from "../../../../../bench/bbob/generators.mjs";

interface Row {
  f: number;
  instance: number;
  dim: number;
  fopt: number;
  x: number[][];
  y: number[];
  xopt: number[];
  y_at_xopt: number;
}

const file = new URL("../../../../../../shared/data/search/bbob_reference.jsonl", import.meta.url);
const there = existsSync(file);
if (!there) console.warn("bbob: skipped the reference values: ../shared/data/search is absent");
const rows: Row[] = there
  ? readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Row)
  : [];
const TOLERANCE = 1e-9;

describe.skipIf(!there)("BBOB reference values", () => {
  test("match for all 24 functions in three dimensions", () => {
    expect(new Set(rows.map(({ f, dim }) => `${f} ${dim}`)).size).toBe(72);
  });

  test.each(rows)("match for f$f in $dim dimensions", ({ f, instance, dim, fopt, x, y, xopt, y_at_xopt }) => {
    const ours = bbob(f, dim, instance);
    expect(ours.fopt).toBe(fopt);
    for (const [i, v] of xopt.entries()) expect(Math.abs(ours.xopt[i] - v)).toBeLessThan(1e-12);
    for (const [i, value] of [...y, y_at_xopt].entries()) {
      const found = ours.value(x[i] ?? xopt);
      expect(Math.abs(found - value)).toBeLessThanOrEqual(TOLERANCE * Math.abs(value));
    }
  });
});

describe("other instances", () => {
  const all = Array.from({ length: 24 }, (_, k) => k + 1).flatMap((f) => [2, 3, 7].map((d) => [f, d, (f % 5) + 2] as const));

  test.each(all)("f%i in %i dimensions, instance %i: has minimum fopt, and no neighbouring point is lower", (f, d, instance) => {
    const { value, xopt, fopt } = bbob(f, d, instance);
    expect(value(xopt) - fopt).toBeLessThan(1e-6);
    for (const side of [-1e-3, 1e-3, -0.1, 0.1]) {
      for (let i = 0; i < d; i++) expect(value(xopt.map((v, j) => (i === j ? v + side : v)))).toBeGreaterThanOrEqual(fopt);
    }
  });

  test("f4 uses the instance of f3, and f18 that of f17", () => {
    expect(bbob(4, 3, 2).fopt).toBe(bbob(3, 3, 2).fopt);
    expect(bbob(18, 3, 2).xopt).toEqual(bbob(17, 3, 2).xopt);
    expect(bbob(2, 3, 1).fopt).not.toBe(bbob(2, 3, 2).fopt);
  });

  test("refuses f25, and one dimension", () => {
    expect(() => bbob(25, 2)).toThrow(RangeError);
    expect(() => bbob(1, 1)).toThrow(RangeError);
  });
});

describe("the generators", () => {
  test("draw uniform numbers within (0, 1), with the right mean", () => {
    const numbers = uniform(10_000, 7);
    expect(numbers.every((u) => u > 0 && u < 1)).toBe(true);
    // Four standard errors: 1 in 16,000 if the seed were not fixed.
    expect(Math.abs(numbers.reduce((sum, u) => sum + u, 0) / 10_000 - 0.5)).toBeLessThan(4 / Math.sqrt(12 * 10_000));
  });

  test("build orthogonal rotations", () => {
    const rows = rotation(9, 12);
    for (const [i, a] of rows.entries())
      for (const [j, b] of rows.entries()) {
        const product = a.reduce((sum, v, k) => sum + v * b[k], 0);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
      }
  });

  test("put the optimum in [-4, 4) with four digits", () => {
    for (const v of optimum(50, 3))
      expect([v >= -4 && v < 4, Math.abs(v * 1e4 - Math.round(v * 1e4)) < 1e-6]).toEqual([true, true]);
  });
});
