/** Data stored as integers: learnt weights and the intercept are in the original units. */
import { expect, it } from "vitest";
import { Dataset, fit, linear, saga } from "../../../src/entries/everything.ts";

it.each(["i8", "f64"] as const)("%s recovers the planted weights and intercept", async (precision) => {
  // Whole multiples of 0.3, at most 127 of them. The i8 integers represent the data exactly, but the intercept's ones
  // become the nearest multiple, 0.9.
  const step = 0.3;
  const rows = Array.from({ length: 60 }, (_, i) => [Math.round(127 * Math.sin(i)), Math.round(90 * Math.cos(2 * i))]);
  rows[0] = [127, 0];
  const x = rows.map((row) => row.map((k) => k * step));
  const y = x.map(([a, b]) => 40 + 2 * a - 0.5 * b);
  using data = Dataset.fromArrays({ x, y, names: ["a", "b"], type: "f64" });
  const model = linear({ loss: "squared", standardise: false });
  const { weights, intercept } = await fit(model, data, { variance: saga(), precision, epochs: 1500, seed: 1 });
  expect(intercept[0]).toBeCloseTo(40, 1);
  expect(weights[0]).toBeCloseTo(2, 2);
  expect(weights[1]).toBeCloseTo(-0.5, 2);
});
