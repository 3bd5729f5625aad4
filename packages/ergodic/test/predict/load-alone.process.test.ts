/** A loaded network brings only the kernels of its plan, in Node as well. A request for all kernels loads all. */
import { expect, it, vi } from "vitest";
import type { NetworkPredictor } from "../../src/entries/everything.ts";

it.each([false, true])("loads only the kernels of the plan, deterministic: %s", async (deterministic) => {
  const { Dataset, dense, fit, network, relu } = await import("../../src/entries/everything.ts");
  const data = Dataset.fromArrays({
    x: Array.from({ length: 40 }, (_, i) => [Math.sin(i), i % 3]),
    y: Array.from({ length: 40 }, (_, i) => i),
  });
  const bytes = (await fit(network([dense(4), relu(), dense(1)]), data, { epochs: 1, deterministic })).toBytes();

  vi.resetModules();
  const { predictor } = await import("../../src/entries/predict.ts");
  const { currentEngine, openEngine } = await import("../../src/engine/memory/engine.ts");
  const model = await predictor<NetworkPredictor>(bytes);
  expect(model.predict([0.5, 1])).toMatchObject({ value: expect.any(Number) });
  const engine = currentEngine();
  const kernels = ["gemmF32", "graphSweep", "log", "convolutionF32"];
  const loaded = (build: boolean) =>
    kernels.filter((name) => {
      try {
        return typeof engine.kernel(name, build) === "function";
      } catch {
        return false;
      }
    });
  expect([loaded(deterministic), loaded(!deterministic)]).toEqual([["gemmF32"], []]);

  expect(await openEngine()).toBe(engine);
  expect([loaded(false), loaded(true)]).toEqual([kernels, kernels]);
});
