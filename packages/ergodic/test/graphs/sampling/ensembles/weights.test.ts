/** The certificate of the mean of weights, depending on their tail and number. */
import { expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import { logMean } from "../../../../src/graphs/sampling/ensembles/weights.ts";

/** Pareto-tailed weights of shape k. */
function weights(k: number, count = 1000): Float64Array {
  const draws = stream(3, "tails").at(0);
  return Float64Array.from({ length: count }, () => -k * Math.log(1 - draws.uniform()));
}

it("a light tail gives an interval that is wider above, and wider at a higher level", () => {
  const widths = [0.6, 0.99, 0.9999].map((level) => {
    const { value, certificate } = logMean(weights(0.1), level);
    if (!("interval" in certificate)) throw new Error(`no interval: ${JSON.stringify(certificate)}`);
    expect(certificate.level).toBe(level);
    const [low, high] = certificate.interval as readonly [number, number];
    expect(high - value).toBeGreaterThan(value - low);
    return value - low;
  });
  // Quantiles of Student's t with 999 degrees: 0.8420, 2.5808 and 3.9063.
  expect(widths[1] / widths[0]).toBeCloseTo(2.5808 / 0.842, 3);
  expect(widths[2] / widths[1]).toBeCloseTo(3.9063 / 2.5808, 3);
});

it("a heavier tail gives k-hat, and a heavy tail or few weights give nothing", () => {
  expect(logMean(weights(0.55), 0.99).certificate).toMatchObject({ khat: expect.any(Number), ess: expect.any(Number) });
  expect(logMean(weights(1.5), 0.99).certificate).toEqual({ none: expect.stringContaining("a tail of k-hat") });
  expect(logMean(weights(0.1, 99), 0.99).certificate).toEqual({ none: expect.stringContaining("99 weights are too few") });
});

it("equal weights are known up to rounding", () => {
  const { value, certificate } = logMean(new Float64Array(200).fill(3), 0.99);
  expect(value).toBeCloseTo(3, 14);
  expect(certificate).toEqual({ interval: [value - 1e-12, value + 1e-12], level: 0.99 });
});
