/** How much memory a batch takes at most, told before it is made: what it then takes is no more, in each kind of plan. */
import { expect, it } from "vitest";
import { countAt, planAt } from "../../src/host/array-plan.ts";
import { openEngine } from "../../src/host/engine.ts";
import { buffersOf, parametersOf } from "../../src/predict/plan-buffers.ts";
import { PlanHome } from "../../src/predict/plan-home.ts";
import { aligned, batchBytes } from "../../src/predict/plan-memory.ts";
import { savedPlans } from "./plans.ts";

const engine = await openEngine();

it.each(Object.keys(savedPlans))("%s", (name) => {
  const { plan, numbers } = savedPlans[name];
  const buffers = buffersOf(plan);
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  const once = new Set(parametersOf(buffers).map((one) => one.name));
  const parts = { ...{ plan, buffers, numbers, chunk: 64, maxWork: Infinity }, ...{ deterministic: true, where: "test" } };
  using home = new PlanHome(engine, parts);
  for (const rows of [1, 7, 64]) {
    const before = engine.memory.usedBytes;
    home.batch(rows);
    const taken = engine.memory.usedBytes - before;
    const around = buffers
      .filter((buffer) => !once.has(buffer.name))
      .map(({ size }) => aligned(countAt(size, rows) * elementBytes));
    const told = batchBytes(planAt(plan, rows), elementBytes, "test") + around.reduce((sum, bytes) => sum + bytes, 0);
    expect(taken, `${rows} rows`).toBeLessThanOrEqual(told);
    expect(told, `${rows} rows`).toBeLessThan(1.5 * taken + 16_384);
  }
});
