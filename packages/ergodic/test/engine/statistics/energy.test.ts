import { expect, it } from "vitest";
import { ebfmi } from "../../../src/engine/statistics/energy.ts";
import { autoregressive } from "./draws.ts";

it("E-BFMI is the sum of squared changes within chains over the sum of squared deviations", () => {
  // 1, 3, 2: changes 4 + 1, deviations 1 + 1 + 0. 0, 0, 6: changes 36, deviations 4 + 4 + 16.
  expect([...ebfmi(new Float64Array([1, 3, 2, 0, 0, 6]), 2)]).toEqual([5 / 2, 36 / 24]);
});

it("E-BFMI is 2(1 − φ) for autoregressive energies", () => {
  // The standard error per chain is below 0.01 (ρ̂₁ of 20,000 draws). The bound is 5 of them.
  for (const phi of [0, 0.9]) {
    for (const value of ebfmi(autoregressive(2, 20_000, phi, 9), 2)) expect(Math.abs(value - 2 * (1 - phi))).toBeLessThan(0.05);
  }
});

it("E-BFMI is NaN for constant and non-finite energies", () => {
  expect([...ebfmi(new Float64Array([2, 2, 1, Infinity, 1, 2, Number.NaN, 1]), 4)].map(Number.isNaN)).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect(() => ebfmi(new Float64Array(3), 2)).toThrow(/ebfmi: .* \[DRAWS_SHAPE\]/);
});
