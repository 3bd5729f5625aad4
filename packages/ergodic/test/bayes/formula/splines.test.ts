import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { splineOf } from "../../../src/bayes/formula/splines.ts";

const { splineAt, splines } = JSON.parse(readFileSync(new URL("../../golden/formula-design.json", import.meta.url), "utf8")) as {
  splineAt: number[];
  splines: Record<string, { gram: number[][]; line: number[] }>;
};
const x = Float64Array.from(splineAt);

describe("splines", () => {
  it.each(["3", "6", "10"])("have mgcv's wiggles with %s knots, up to a rotation, and its line", (k) => {
    const spline = splineOf("test", "s(x)", x, Number(k));
    const { width } = spline;
    expect(width).toBe(Number(k) - 2);
    const wiggles = spline.wiggles(x);
    const { gram, line } = splines[k];
    const most = Math.max(...gram.flat().map(Math.abs));
    for (let i = 0; i < x.length; i++)
      for (let j = 0; j < x.length; j++) {
        let sum = 0;
        for (let c = 0; c < width; c++) sum += wiggles[i * width + c] * wiggles[j * width + c];
        expect(Math.abs(sum - gram[i][j])).toBeLessThan(1e-11 * most);
      }
    const own = spline.line(x);
    const ratio = line[0] / own[0];
    own.forEach((value, i) => {
      expect(value * ratio).toBeCloseTo(line[i], 10);
    });
    expect(own.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(x.length - 1, 10);
  });

  it("sum to 0 over the rows", () => {
    const spline = splineOf("test", "s(x)", x, 6);
    const wiggles = spline.wiggles(x);
    for (let c = 0; c < 4; c++) expect(x.reduce((sum, _, i) => sum + wiggles[4 * i + c], 0)).toBeCloseTo(0, 10);
    expect(spline.line(x).reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 10);
  });

  it("continue as straight lines beyond the outer knots", () => {
    const spline = splineOf("test", "s(x)", x, 6);
    const at = (value: number): Float64Array => spline.wiggles(Float64Array.of(value));
    const h = 1e-4;
    for (const [end, step] of [
      [2.4, -1],
      [13.1, 1],
    ])
      for (let c = 0; c < 4; c++) {
        const slope = (at(end)[c] - at(end - step * h)[c]) / h;
        const beyond = at(end + step)[c] - at(end)[c];
        expect(Math.abs(slope - beyond)).toBeLessThan(1e-3 * (1 + Math.abs(beyond)));
        expect(at(end + 7 * step)[c] - at(end)[c]).toBeCloseTo(7 * beyond, 8);
      }
  });

  it("are smooth at inner knots, and each row's values depend only on that row", () => {
    const spline = splineOf("test", "s(x)", x, 6);
    const at = (value: number, c: number): number => spline.wiggles(Float64Array.of(value))[c];
    const h = 1e-3;
    const second = (value: number, c: number): number => (at(value + h, c) - 2 * at(value, c) + at(value - h, c)) / (h * h);
    for (const value of [3, 5, 6.5, 8, 10.5, 12])
      for (let c = 0; c < 4; c++) {
        // f″ is continuous and linear between knots, so it has no jumps.
        const scale = Math.max(...[3, 5, 7, 9, 11].map((place) => Math.abs(second(place, c))));
        expect(Math.abs(second(value + 0.02, c) - second(value - 0.02, c))).toBeLessThan(0.25 * scale);
      }
    const all = spline.wiggles(x);
    x.forEach((value, i) => {
      expect([...spline.wiggles(Float64Array.of(value))]).toEqual([...all.subarray(4 * i, 4 * i + 4)]);
    });
  });
});
