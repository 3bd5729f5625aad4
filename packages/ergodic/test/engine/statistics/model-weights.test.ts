/**
 * Model weights: the optimum by its conditions, the ends of the range, and the bootstrap by a few replications that can
 * be followed.
 */
import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { pseudoBmaWeights, stackingWeights } from "../../../src/engine/statistics/model-weights.ts";

const draws = stream(7, "models").at(0);
const elpdOf = (count: number, centre: (i: number) => number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => centre(i) + 0.7 * draws.normal());

it.each([2, 3, 5, 9])("no other mixture of %i models predicts better", (count) => {
  for (let trial = 0; trial < 20; trial++) {
    const models = Array.from({ length: count }, (_, k) => elpdOf(60, (i) => (i % count === k ? -1 : -1 - 0.3 * k)));
    const weights = stackingWeights(models);
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const mixture = models[0].map((_, i) => models.reduce((sum, own, k) => sum + weights[k] * Math.exp(own[i]), 0));
    // Karush-Kuhn-Tucker conditions: the mean ratio is 1 for models with positive weight and at most 1 for others.
    models.forEach((own, k) => {
      const slope = own.reduce((sum, value, i) => sum + Math.exp(value) / mixture[i], 0) / own.length;
      expect(slope).toBeLessThan(1 + 1e-10);
      if (weights[k] > 1e-6) expect(slope).toBeGreaterThan(1 - 1e-8);
    });
  }
});

it("similar models share their weight, and a uniformly worse model has none", () => {
  const [a, b] = [elpdOf(30, (i) => (i < 15 ? 0 : -3)), elpdOf(30, (i) => (i < 15 ? -3 : 0))];
  const [first, second, other] = stackingWeights([a, a.slice(), b]);
  expect(first).toBeCloseTo(second, 8);
  expect(first + second).toBeCloseTo(stackingWeights([a, b])[0], 6);
  expect(other).toBeGreaterThan(0.3);
  const alone = stackingWeights([a.map((value) => value - 2), a]);
  expect(alone[0]).toBeLessThan(1e-10);
});

it("likelihoods outside of the float64 range are weighed like others", () => {
  const [a, b] = [elpdOf(30, (i) => (i < 20 ? 0 : -3)), elpdOf(30, (i) => (i < 20 ? -3 : 0))];
  const far = [a, b].map((own) => own.map((value) => value - 2000));
  stackingWeights(far).forEach((weight, k) => void expect(weight).toBeCloseTo(stackingWeights([a, b])[k], 9));
});

it("the bootstrap reweights observations", () => {
  const [a, b] = [elpdOf(12, () => 0), elpdOf(12, () => 0)];
  const wanted = [0, 0];
  for (let r = 0; r < 1000; r++) {
    const random = stream(3, "compare").at(r);
    const shares = Array.from(a, () => random.exponential());
    const total = shares.reduce((x, y) => x + y);
    const [x, y] = [a, b].map((own) => own.reduce((sum, value, i) => sum + (12 * shares[i] * value) / total, 0));
    wanted[0] += 1 / (1 + Math.exp(y - x)) / 1000;
    wanted[1] += 1 / (1 + Math.exp(x - y)) / 1000;
  }
  pseudoBmaWeights([a, b], 3).forEach((weight, k) => void expect(weight).toBeCloseTo(wanted[k], 10));
  expect(pseudoBmaWeights([a, b], 4)[0]).not.toBe(pseudoBmaWeights([a, b], 3)[0]);
});
