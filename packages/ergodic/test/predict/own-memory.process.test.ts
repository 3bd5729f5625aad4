/** Single-thread memory is replaced when it grows, so that an open batch must be opened again. */
import { expect, it } from "vitest";
import { input, matmul } from "../../src/engine/compiler/array/index.ts";
import { encodePlan } from "../../src/engine/compiler/array/serialise.ts";
import { tanh } from "../../src/engine/compiler/index.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { engineMemory } from "../../src/engine/memory/memory.ts";
import { NetworkPlan } from "../../src/predict/plan/network-plan.ts";

it("an open batch computes the same after memory grows", async () => {
  const memory = engineMemory({ own: true });
  const engine = await openEngine();
  expect(memory.shared).toBe(false);
  const { plan } = encodePlan((batch) => ({
    name: "network",
    precision: "f64",
    outputs: [{ value: tanh(matmul(input("x", [batch, 2]), input("w", [2, 3]))), buffer: "y", offset: 0 }],
  }));
  using network = new NetworkPlan(engine, plan, { w: [1, 2, 3, 4, 5, 6] });
  const computed = (): number[] => {
    const batch = network.open(1, "x", "y");
    batch.input.set([0.1, -0.2]);
    batch.run();
    return [...batch.output];
  };
  const wanted = [1, 2, 3].map((w) => Math.tanh(0.1 * w - 0.2 * (w + 3)));
  const before = computed();
  for (const [i, value] of before.entries()) expect(value).toBeCloseTo(wanted[i], 12);
  using large = memory.allocate(memory.reservedBytes + 2 ** 20, "what makes it grow");
  expect(large.pointer).toBeGreaterThan(0);
  expect(computed()).toEqual(before);
});
