/** Compares places and their masses with closed forms. */
import { describe, expect, it } from "vitest";
import { isKnown, measured, Normal, unknownPlace } from "../../../src/bayes/places/place.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const LOG_TWO_PI = Math.log(2 * Math.PI);
/** Factor L of a fixed matrix with d rows. */
const factorOf = (d: number) =>
  Float64Array.from({ length: d * d }, (_, k) => (k % d > Math.floor(k / d) ? 0 : k % (d + 1) === 0 ? 1 + (k % 3) : 0.3));
const logVolume = (factor: Float64Array, d: number) =>
  Array.from({ length: d }, (_, i) => Math.log(factor[i * (d + 1)])).reduce((a, b) => a + b, 0);

describe("a normal", () => {
  it("has the distance and density of its factor", () => {
    for (const d of [1, 2, 5]) {
      const factor = factorOf(d);
      const normal = new Normal(new Float64Array(d).fill(2), factor);
      const z = Float64Array.from({ length: d }, (_, i) => 0.5 - i);
      const x = normal.at(z);
      const squares = z.reduce((sum, value) => sum + value * value, 0);
      expect(normal.distance(x)).toBeCloseTo(squares, 12);
      expect(normal.logDensity(squares)).toBeCloseTo(-0.5 * (squares + d * LOG_TWO_PI) - logVolume(factor, d), 12);
      const edge = Math.sqrt(d + 2 * Math.sqrt(2 * d));
      const along = (length: number) => normal.at(Float64Array.from({ length: d }, (_, i) => (i === 0 ? length : 0)));
      expect([normal.holds(along(0.999 * edge)), normal.holds(along(1.001 * edge))]).toEqual([true, false]);
    }
  });

  it("has the mean and variances of weighted rows, with covariances shrunk by d draws", () => {
    const rows = Float64Array.of(0, 0, 2, 2, 4, 1);
    const normal = Normal.of(rows, Float64Array.of(0.25, 0.5, 0.25), 2)!;
    expect([...normal.mean]).toEqual([2, 1.25]);
    const [a, , c, b] = normal.factor;
    expect(a * a).toBeCloseTo(2, 12);
    expect(c * c + b * b).toBeCloseTo(0.6875, 12);
    // 1/Σw² = 8/3, so the covariance is 0.5 × 8/3 / (8/3 + 2).
    expect(a * c).toBeCloseTo((0.5 * 8) / 14, 12);
    expect(Normal.of(Float64Array.of(1, 1, 1), new Float64Array(3).fill(1 / 3), 1)).toBeUndefined();
  });
});

it("a place of unknown mass has unit spread around its point", () => {
  const place = unknownPlace(Float64Array.of(3, -1, 7));
  expect([...place.normal.mean]).toEqual([3, -1, 7]);
  expect([...place.normal.factor]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  expect([place.logMass, isKnown(place)]).toEqual([-Infinity, false]);
});

describe("a mass", () => {
  const d = 4;
  const factor = factorOf(d);
  const target = new Normal(new Float64Array(d), factor);
  const logDensity = (x: Float64Array) => 7 + target.logDensity(target.distance(x));
  // Mass of χ²₄ below 4 + 2√8.
  const inside = (() => {
    const half = (d + 2 * Math.sqrt(2 * d)) / 2;
    return Math.log(1 - Math.exp(-half) * (1 + half));
  })();

  it("is known if the weights have a tail index of at most 0.7 and are worth ten draws", () => {
    const place = (paretoK: number, error: number) => isKnown({ normal: target, logMass: 0, error, paretoK });
    expect([place(0.7, 0.31), place(0.71, 0.31), place(0, 0.32), place(Number.NaN, 0), place(0, Infinity)]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it("is exact for a normal under itself, up to the share inside the region", () => {
    const place = measured(target, logDensity, stream(1, "mass").at(0));
    expect(isKnown(place)).toBe(true);
    expect(place.paretoK).toBe(0);
    expect(Math.abs(place.logMass - 7 - inside)).toBeLessThan(5 * place.error);
  });

  it("is measured again if its error exceeds a tenth, and kept if the new error is larger", () => {
    const wide = new Normal(
      new Float64Array(d),
      factor.map((value) => 1.7 * value),
    );
    // The relative variance of the ratios is (1.7² / √(2 × 1.7² − 1))⁴ − 1, which gives an error of 0.14 for 100 draws.
    const first = measured(wide, logDensity, stream(2, "mass").at(0));
    expect(first.error).toBeLessThan(0.1);
    expect(first.normal).not.toBe(wide);
    // The second and third measurements are pure noise.
    let calls = 0;
    const noise = stream(3, "noise").at(0);
    const noisy = (x: Float64Array): number => logDensity(x) + (calls++ < 100 ? 0 : 3 * noise.normal());
    const kept = measured(wide, noisy, stream(2, "mass").at(0));
    expect(kept.normal).toBe(wide);
    expect(kept.error).toBeGreaterThan(0.1);
    expect(isKnown(kept)).toBe(true);
  });

  it("is measured at most three times", () => {
    const narrow = new Normal(Float64Array.of(0), Float64Array.of(1));
    let calls = 0;
    // Each measurement has 70 draws. Every eighth draw is too heavy, by less each time, so the errors are about 0.22,
    // 0.18, 0.14 and 0.1.
    const uneven = (x: Float64Array): number => {
      const [time, draw] = [Math.floor(calls / 70), calls++ % 70];
      return narrow.logDensity(narrow.distance(x)) + (draw % 8 === 0 ? 3 - 0.5 * time : 0);
    };
    expect(measured(narrow, uneven, stream(9, "mass").at(0)).error).toBeGreaterThan(0.1);
    expect(calls).toBe(210);
  });

  it("is correct for other normals within its error over fifty runs, with a false alarm rate of 10⁻⁴", () => {
    let [sum, squares] = [0, 0];
    for (let run = 0; run < 50; run++) {
      const draws = stream(2, "mass", run).at(0);
      const moved = new Normal(
        target.at(Float64Array.from({ length: d }, () => 0.2 * draws.normal())),
        factor.map((value) => 1.15 * value),
      );
      const place = measured(moved, logDensity, draws);
      expect(isKnown(place)).toBe(true);
      // The region varies slightly between runs, by less than the mass outside it.
      const z = (place.logMass - 7) / Math.hypot(place.error, 0.03);
      sum += z / 50;
      squares += (z * z) / 50;
    }
    expect(Math.abs(sum)).toBeLessThan(3.9 / Math.sqrt(50) + 0.4);
    expect(squares).toBeLessThan(2.5);
  });

  it("is refitted if the normal is far off, and unknown if that fails", () => {
    const off = new Normal(
      target.at(Float64Array.of(1, -1, 1, 0)),
      factor.map((value) => 2 * value),
    );
    const place = measured(off, logDensity, stream(3, "mass").at(0));
    expect(isKnown(place)).toBe(true);
    expect(Math.abs(place.logMass - 7)).toBeLessThan(5 * place.error + 0.1);
    const nowhere = measured(new Normal(new Float64Array(d).fill(500), factor), logDensity, stream(4, "mass").at(0));
    expect(isKnown(nowhere)).toBe(false);
    const outside = measured(target, () => -Infinity, stream(5, "mass").at(0));
    expect([outside.logMass, isKnown(outside)]).toEqual([-Infinity, false]);
    const undefinedThere = measured(target, () => Number.NaN, stream(6, "mass").at(0));
    expect(isKnown(undefinedThere)).toBe(false);
  });
});
