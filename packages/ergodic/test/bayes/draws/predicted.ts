/** A regression and direct predictions of a normal, shared by tests. */
import { expect } from "vitest";
import * as c from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { quantile } from "../../../src/engine/statistics/index.ts";
import * as e from "../../../src/entries/everything.ts";

const own = stream(16, "rows").at(0);
export const N = 12;
export const x = Array.from({ length: N }, () => own.normal());
export const y = x.map((at) => 1 + 2 * at + 0.5 * own.normal());
export const group = x.map((_, i) => i % 3);
export const short = { algorithm: e.prior(), chains: 2, draws: 50, seed: 4, deterministic: true } as const;

export const line = e.model({ x: e.vector("N"), y: e.vector("N") }, ({ x, y, param, observe }) => {
  const alpha = param("alpha", e.normal(0, 2));
  const beta = param("beta", e.normal(0, 1));
  const sigma = param("sigma", e.halfNormal(1));
  observe(y, e.normal(c.add(alpha, c.mul(beta, x)), sigma));
  return { alpha, beta, sigma };
});

export const average = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
export const spread = (values: Float64Array): number => average(values.map((v) => (v - average(values)) ** 2));
/** Random numbers of draw s, as in predict(). */
export const noise = (s: number, seed = 0) => stream(seed, "predict").at(s);

/** Expected prediction of a normal with one number per draw. */
export function expected(mu: Float64Array, sigma: Float64Array, { level = 0.9, seed = 0, at = (s: number) => s } = {}) {
  const values = mu.map((centre, s) => centre + sigma[s] * noise(at(s), seed).normal());
  return {
    mean: average(mu),
    sd: Math.sqrt(average(sigma.map((one) => one * one)) + spread(mu)),
    lower: quantile(values, (1 - level) / 2),
    upper: quantile(values, (1 + level) / 2),
  };
}

/** A prediction without levels. */
type Interval = Omit<e.PredictedNumber, "expected" | "levels">;

export function near(found: Interval, wanted: Interval): void {
  for (const key of ["mean", "sd", "lower", "upper"] as const) expect(found[key], key).toBeCloseTo(wanted[key], 11);
}
