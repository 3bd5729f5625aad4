/**
 * The learned time of a batch, compared with weighted least squares on lists, and its estimates when little is known.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchTime } from "../src/batch-time.ts";
import { draws } from "./simulation.ts";

const learned = (pairs: readonly (readonly [number, number])[]): BatchTime => {
  const time = new BatchTime();
  for (const [rows, ms] of pairs) time.observe(rows, ms);
  return time;
};

/**
 * Least squares over a few pairs with a, b ≥ 0. The kth new pair has weight max(1/50, 2/(k + 1)) against all previous
 * ones.
 */
function plain(pairs: readonly (readonly [number, number])[]): { a: number; b: number } {
  let weights: number[] = [];
  for (const k of pairs.keys()) {
    const w = Math.max(1 / 50, 2 / (k + 2));
    weights = [...weights.map((weight) => weight * (1 - w)), w];
  }
  const sum = (f: (n: number, t: number) => number): number =>
    pairs.reduce((total, [n, t], k) => total + weights[k] * f(n, t), 0);
  const n = sum((n) => n);
  const t = sum((_, t) => t);
  const a = Math.max(0, (sum((n, t) => n * t) - n * t) / (sum((n) => n * n) - n * n));
  const b = t - a * n;
  return b >= 0 ? { a, b } : { a: sum((n, t) => n * t) / sum((n) => n * n), b: 0 };
}

describe("time of a batch", () => {
  test("is weighted least squares with a, b ≥ 0", () => {
    const pair = fc.tuple(fc.integer({ min: 1, max: 64 }), fc.double({ min: 1, max: 3, noNaN: true }));
    let border = 0;
    fc.assert(
      fc.property(fc.array(pair, { minLength: 3, maxLength: 8 }), fc.constantFrom(0, 0.01, 1), (pairs, slope) => {
        const all = pairs.map(([n, t]): [number, number] => [n, slope === 1 ? n * t : t + slope * n]);
        const { perRow, perBatch } = learned(all);
        const { a, b } = plain(all);
        if (new Set(all.map(([n]) => n)).size === 1 || Number.isNaN(a)) return;
        if (a === 0 || b === 0) border++;
        expect(perRow).toBeCloseTo(a, 6);
        expect(perBatch).toBeCloseTo(b, 6);
      }),
      { seed: 16, numRuns: 300 },
    );
    expect(border).toBeGreaterThan(20);
  });

  test("is exact if times are exactly linear", () => {
    const { perRow, perBatch, spread } = learned([3, 7, 1, 30, 30, 2].map((n) => [n, 0.25 * n + 1.5]));
    expect(perRow).toBeCloseTo(0.25, 12);
    expect(perBatch).toBeCloseTo(1.5, 12);
    expect(spread).toBeLessThan(1e-9);
  });

  test("is unknown at first, and assumes that untried sizes are fast", () => {
    const time = new BatchTime();
    expect([time.mean(100), time.slow(100), time.rowsFor(10)]).toEqual([0, 0, Infinity]);
    for (let i = 0; i < 20; i++) time.observe(4, 2);
    expect([time.perRow, time.mean(4), time.mean(64)]).toEqual([0, 2, 2]);
  });

  test("retains the slope through any number of batches of one size", () => {
    const time = learned([
      [1, 1.1],
      [11, 2.1],
      [21, 3.1],
    ]);
    for (let i = 0; i < 5000; i++) time.observe(1, 1.1);
    expect(time.perRow).toBeCloseTo(0.1, 6);
  });

  test("retains the slope through noisy batches of similar size, and learns it again once sizes vary", () => {
    const u = draws(1, "nearly");
    const time = learned(Array.from({ length: 60 }, (_, i): [number, number] => [1 + (i % 20), 0.5 * (1 + (i % 20)) + 0.1]));
    for (let i = 0; i < 400; i++) {
      const rows = 8 + u.integer(2);
      time.observe(rows, (0.5 * rows + 0.1) * (1 + 0.1 * u.normal()));
      expect(Math.abs(time.perRow - 0.5)).toBeLessThan(0.1);
    }
    for (let i = 0; i < 300; i++) time.observe(1 + (i % 20), 1 + 0.2 * (1 + (i % 20)));
    expect(Math.abs(time.perRow - 0.2)).toBeLessThan(0.02);
  });

  test("forgets a cold first batch within ten batches and follows a change within 150", () => {
    const cold = learned([[5, 200], ...Array.from({ length: 10 }, (_, i): [number, number] => [1 + (i % 9), 1 + 0.1 * (i % 9)])]);
    expect(cold.mean(5)).toBeLessThan(6);
    const changed = learned(
      Array.from({ length: 400 }, (_, i): [number, number] => [1 + (i % 9), (i < 250 ? 1 : 3) * (2 + (i % 9))]),
    );
    expect(changed.mean(5)).toBeCloseTo(18, -0.5);
    expect(changed.mean(5)).toBeGreaterThan(0.93 * 18);
  });

  test("counts a stall as four times the expected time", () => {
    const steady = Array.from({ length: 100 }, (_, i): [number, number] => [1 + (i % 9), 2 + (i % 9)]);
    const stalled = learned([...steady, [5, 10_000]]);
    const fourfold = learned([...steady, [5, 4 * 6]]);
    expect(stalled.mean(5)).toBeCloseTo(fourfold.mean(5), 9);
    expect(stalled.mean(5)).toBeLessThan(1.07 * 6);
  });

  test("allows an untried size the time for its rows, and does not treat it as a stall", () => {
    const time = learned(Array.from({ length: 60 }, (): [number, number] => [2, 1]));
    time.observe(200, 80);
    expect(time.mean(200)).toBeGreaterThan(60);
  });

  test("reports the relative standard deviation as spread, and 99 % of batches stay below `slow`", () => {
    const u = draws(1, "spread");
    const time = new BatchTime();
    let below = 0;
    let spread = 0;
    const one = (): [number, number] => {
      const rows = 1 + u.integer(30);
      return [rows, (0.2 * rows + 1) * (1 + 0.1 * u.normal())];
    };
    for (let i = 0; i < 300; i++) time.observe(...one());
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      const [rows, ms] = one();
      if (ms <= time.slow(rows)) below++;
      time.observe(rows, ms);
      spread += time.spread / count;
    }
    expect(spread).toBeGreaterThan(0.09);
    expect(spread).toBeLessThan(0.11);
    // The estimate from fifty batches varies, so the share is slightly below 99 %.
    expect(below / count).toBeGreaterThan(0.98);
    expect(time.margin(4) - 1).toBeCloseTo((time.margin(1) - 1) / 2, 12);
  });

  test("plans rows for half of the target, or for a fixed cost of 5 %", () => {
    const exact = (a: number, b: number): BatchTime => learned([1, 9, 3, 20].map((n) => [n, a * n + b]));
    expect(exact(0.1, 1).rowsFor(10.01)).toBe(190);
    expect(exact(0.1, 0.1).rowsFor(10.01)).toBe(49);
    expect(exact(10, 0.1).rowsFor(10)).toBe(1);
    const noisy = learned(Array.from({ length: 100 }, (_, i): [number, number] => [10, i % 2 ? 0.9 : 1.1]).concat([[20, 2]]));
    expect(noisy.rowsFor(10)).toBeGreaterThan(35);
    expect(noisy.rowsFor(10)).toBeLessThan(45);
  });
});
