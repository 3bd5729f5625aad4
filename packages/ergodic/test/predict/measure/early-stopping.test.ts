/** The early-stopping rule agrees with the published counts and with binomial sums. */
import { describe, expect, it } from "vitest";
import { overAllowed, queriesFor } from "../../../src/predict/measure/early-stopping.ts";
import { tail } from "./plain-rules.ts";

describe("early stopping", () => {
  it("reproduces the published numbers of queries", () => {
    expect([0, 1].map((over) => queriesFor(0.9, over))).toEqual([44, 64]);
    expect([0, 1].map((over) => queriesFor(0.99, over))).toEqual([459, 662]);
  });

  it.each([0.5, 0.9, 0.99, 0.999])("finds the smallest number whose tail is at most 0.01, p = %d", (p) => {
    for (const over of [0, 1, 2, 5, 17, 40]) {
      const n = queriesFor(p, over);
      expect(tail(n, over, p)).toBeLessThanOrEqual(0.01);
      expect(tail(n - 1, over, p)).toBeGreaterThan(0.01);
      expect([overAllowed(n - 1, p), overAllowed(n, p)]).toEqual([over - 1, over]);
    }
  });

  it("allows no late query among too few, and nearly a hundredth of a million", () => {
    expect([1, 43, 44].map((n) => overAllowed(n, 0.9))).toEqual([-1, -1, 0]);
    const most = overAllowed(1_000_000, 0.99);
    expect(tail(1_000_000, most, 0.99)).toBeLessThanOrEqual(0.01);
    expect(tail(1_000_000, most + 1, 0.99)).toBeGreaterThan(0.01);
  });
});
