/**
 * Plain functions as log densities: values and gradients through a kernel, restriction to one thread, unchanged errors,
 * and released slots.
 */
import { describe, expect, it } from "vitest";
import { functionDensity } from "../../../../src/bayes/model/functional/index.ts";
import { model, normal } from "../../../../src/bayes/model/index.ts";
import { hmc, nuts } from "../../../../src/bayes/samplers/index.ts";
import { CapabilityError } from "../../../../src/engine/errors/errors.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";

const LOG_TWO_PI = Math.log(2 * Math.PI);
const logDensity = (x: Float64Array): number => -0.5 * ((x[0] - 1) ** 2 + LOG_TWO_PI) - 0.5 * (x[1] ** 2 + LOG_TWO_PI);
const plain = functionDensity({ dimension: 2, logDensity, gradient: (x) => [1 - x[0], -x[1]] });
const plan = { chains: 2, warmup: 50, draws: 20, seed: 5, workers: 1, deterministic: true };

async function run(density: Parameters<ReturnType<typeof hmc>["start"]>[0], sampler = nuts()) {
  const sampling = sampler.start(density, plan, await openEngine());
  try {
    while (sampling.converged === false) await sampling.advance(7);
    return sampling.draws();
  } finally {
    sampling.dispose();
  }
}

describe("a plain function", () => {
  it("follows the same trajectories in kernels as a compiled model", async () => {
    using compiled = await model(({ param }) => {
      param("a", normal(1, 1));
      param("b", normal(0, 1));
    }).condition({}, { deterministic: true });
    const by = (await run(plain)).values;
    const wanted = (await run(compiled)).values;
    expect(by.length).toBe(2 * 20 * 2);
    // Rounding errors grow along a trajectory, so the draws agree as long as no decision is a near tie.
    by.forEach((x, i) => {
      expect(Math.abs(x - wanted[i])).toBeLessThan(1e-6);
    });
  });

  it("gives the same draws whether its gradient is written or returned", async () => {
    const written = functionDensity({
      dimension: 2,
      logDensity,
      gradient: (x, g) => {
        g[0] = 1 - x[0];
        g[1] = -x[1];
      },
    });
    expect((await run(written, hmc({ leapfrogs: 5 }))).values).toEqual((await run(plain, hmc({ leapfrogs: 5 }))).values);
    expect(written.evaluate([3, 4])).toEqual({ value: logDensity(Float64Array.of(3, 4)), gradient: Float64Array.of(-2, -4) });
  });

  it("receives copies, so that points it keeps do not change", async () => {
    const kept: { x: Float64Array; first: number }[] = [];
    const keeping = functionDensity({
      dimension: 2,
      logDensity: (x) => {
        kept.push({ x, first: x[0] });
        return logDensity(x);
      },
      gradient: (x) => [1 - x[0], -x[1]],
    });
    await run(keeping);
    expect(kept.length).toBeGreaterThan(100);
    expect(kept.every(({ x, first }) => x[0] === first && x.length === 2)).toBe(true);
  });

  it("writes no gradient if none is wanted or available", async () => {
    const engine = await openEngine();
    const room = engine.memory.allocate(32, "test");
    for (const [density, gradient] of [
      [plain, false],
      [functionDensity({ dimension: 2, logDensity }), true],
    ] as const) {
      const binding = density.bind({ lane: 0, purpose: "test", gradient });
      const view = engine.memory.f64(room.pointer, 4);
      view.set([0.5, 2, 7, 7]);
      const value = engine.atSlot(binding.slot)(binding.model, room.pointer, room.pointer + 16);
      expect(value).toBe(logDensity(Float64Array.of(0.5, 2)));
      expect([...view]).toEqual([0.5, 2, 7, 7]);
      binding.dispose();
      expect(() => engine.atSlot(binding.slot)).toThrow("no function in slot");
    }
    room.dispose();
  });

  it("releases its slot once", async () => {
    const first = plain.bind({ lane: 0, purpose: "test" });
    first.dispose();
    first.dispose();
    const [a, b] = [0, 1].map((lane) => plain.bind({ lane, purpose: "test" }));
    expect(a.slot).toBe(first.slot);
    expect(b.slot).not.toBe(a.slot);
    a.dispose();
    b.dispose();
  });
});

describe("errors", () => {
  it("reach the caller unchanged if the function throws", async () => {
    const error = new RangeError("out of my depth");
    let calls = 0;
    const throwing = functionDensity({
      dimension: 1,
      logDensity: (x) => {
        if (calls++ > 20) throw error;
        return -0.5 * x[0] ** 2;
      },
      gradient: (x) => [-x[0]],
    });
    await expect(run(throwing)).rejects.toBe(error);
    // The next run is not affected by the error.
    expect((await run(plain)).count).toBe(20);
  });

  it("refuse several threads", async () => {
    const sampling = nuts().start(plain, { ...plan, workers: 2 }, await openEngine());
    await expect(sampling.advance(1)).rejects.toThrow(CapabilityError);
    await expect(sampling.advance(1)).rejects.toThrow("runs only on the calling thread; leave workers out");
    sampling.dispose();
  });

  it("report invalid return values", async () => {
    const nothing = functionDensity({ dimension: 1, logDensity: () => undefined as never, gradient: () => [0] });
    await expect(run(nothing)).rejects.toThrow("logDensity returned undefined, but must return a number");
    const short = functionDensity({ dimension: 2, logDensity, gradient: () => [0] });
    await expect(run(short)).rejects.toThrow("gradient returned 1 numbers, but must return 2");
    await expect(run(functionDensity({ dimension: 2, logDensity }))).rejects.toThrow("the log density has none");
  });

  it.each([
    [{ dimension: 0, logDensity }, "dimension is 0"],
    [{ dimension: 1, logDensity: 3 as never }, "logDensity is number, but must be a function"],
    [{ dimension: 1, logDensity, gradient: 3 as never }, "gradient is number, but must be a function"],
    [{ dimension: 2, logDensity, names: ["a", "a"] }, "must be 2 different names"],
  ])("report invalid options %#", (options, message) => {
    expect(() => functionDensity(options)).toThrow(message);
  });

  it("the names apply to the elements of x", () => {
    expect(plain.names).toBeUndefined();
    const named = functionDensity({ dimension: 2, logDensity, names: ["a", "b"] });
    expect(named.parameters).toEqual([
      { name: "a", offset: 0, size: 1 },
      { name: "b", offset: 1, size: 1 },
    ]);
    expect(named.constrain!([3, 4])).toEqual({ a: Float64Array.of(3), b: Float64Array.of(4) });
    expect([...named.unconstrain!({ b: [4], a: 3 })]).toEqual([3, 4]);
    expect(() => named.unconstrain!({ a: 3 })).toThrow('"b" has no value');
  });
});
