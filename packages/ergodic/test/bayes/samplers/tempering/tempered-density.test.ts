/**
 * Tempered densities: parts of a model and powers of a whole density. Compares their gradients with finite differences.
 */
import { describe, expect, it } from "vitest";
import { gamma, halfNormal, model, normal, poisson, vector } from "../../../../src/bayes/model/index.ts";
import { TemperedDensity } from "../../../../src/bayes/samplers/tempering/tempered-density.ts";
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import { Arena } from "../../../../src/engine/memory/arena.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { twoModes } from "./two-modes.ts";

const engine = await openEngine();

/** ℓ, L and the gradient at x for lanes at the given powers. */
function evaluations(density: LogDensity, powers: number[], x: Float64Array) {
  const given = Float64Array.from(powers);
  const tempered = new TemperedDensity(density, given, engine, true);
  using arena = new Arena(engine.memory, "test");
  const d = x.length;
  const [at, gradient] = [arena.take(8 * d), arena.take(8 * d)];
  const bindings = powers.map((_, lane) => tempered.bind({ lane, purpose: "test" }));
  const evaluate = (lane: number, point: Float64Array) => {
    engine.memory.f64(at, d).set(point);
    const { slot, model: block } = bindings[lane];
    return engine.atSlot(slot)(block, at, gradient);
  };
  const found = powers.map((_, lane) => {
    const value = evaluate(lane, x);
    const [likelihood, slopes] = [tempered.likelihood(lane), [...engine.memory.f64(gradient, d)]];
    const h = 1e-4;
    const differences = Array.from(x, (_, i) => {
      const moved = (by: number) =>
        evaluate(
          lane,
          x.map((v, k) => (k === i ? v + by : v)),
        );
      return (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
    });
    return { value, likelihood, slopes, differences };
  });
  tempered.setPower(1, 0.25);
  const after = evaluate(1, x);
  for (const binding of bindings) binding.dispose();
  return { found, after, powers: [...given] };
}

const body = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("J") });
  const mu = param("mu", normal(0, 2));
  const tau = param("tau", halfNormal(1));
  const theta = param("theta", normal(mu, tau), { shape: "J" });
  observe(y, normal(theta, 0.7));
});
const counts = model(({ param, observe }) => {
  const rate = param("rate", gamma(2, 0.5));
  const count = param("count", poisson(rate));
  observe(2, normal(count, 1));
});

const unobserved = model(({ param, target }) => {
  const rate = param("rate", gamma(2, 0.5));
  target(normal(rate, 1).logDensity(param("x", "real")));
});

describe.each([
  [
    "a model whose likelihood does not know its hyperparameters",
    () => body.condition({ y: [1, -0.5, 2] }, { deterministic: true }),
    5,
  ],
  ["a model with a discrete parameter", () => counts.condition({}, { deterministic: true }), 2],
  ["a model that observes nothing, all of it powered", () => unobserved.condition({}, { deterministic: true }), 2],
  ["a compiled density with its parts", async () => (await twoModes(engine)).tempered, 2],
  ["a whole density", async () => (await twoModes(engine)).whole, 2],
] as [string, () => Promise<LogDensity>, number][])("%s", (name, make, d) => {
  it("equals prior + β likelihood, as does its gradient", async () => {
    const density = await make();
    const x = Float64Array.from({ length: d }, (_, i) => (name.includes("discrete") && i === 1 ? 3 : 0.3 + 0.4 * i));
    const { found, after, powers } = evaluations(density, [1, 0.6, 0], x);
    const [one, some, none] = found;
    expect(powers).toEqual([1, 0.25, 0]);
    expect(some.likelihood).toBeCloseTo(one.likelihood, 12);
    expect(some.value).toBeCloseTo(none.value + 0.6 * one.likelihood, 11);
    expect(one.value).toBeCloseTo(none.value + one.likelihood, 11);
    expect(after).toBeCloseTo(none.value + 0.25 * one.likelihood, 11);
    for (const { slopes, differences } of found) {
      for (const [i, slope] of slopes.entries()) {
        const isInteger = (density.discrete ?? []).some(({ offset }) => offset === i);
        expect(Math.abs(slope - (isInteger ? 0 : differences[i]))).toBeLessThan(1e-8 * Math.max(1, Math.abs(slope)));
      }
    }
  });
});
