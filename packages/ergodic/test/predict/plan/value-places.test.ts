/**
 * The memory of a batch is predicted before allocation. The actual use is at most the prediction for each kind of plan.
 */
import { expect, it } from "vitest";
import { input, matmul } from "../../../src/engine/compiler/array/index.ts";
import { encodePlan } from "../../../src/engine/compiler/array/serialise.ts";
import { add, mul, sigmoid, square, tanh } from "../../../src/engine/compiler/index.ts";
import { countAt, planAt } from "../../../src/engine/memory/array-plan.ts";
import { elementwiseCode } from "../../../src/engine/memory/elementwise.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { buffersOf, parametersOf } from "../../../src/predict/plan/buffers.ts";
import { PlanPrograms } from "../../../src/predict/plan/checked-programs.ts";
import { PlanHome } from "../../../src/predict/plan/home.ts";
import { aligned, batchMemory, programsOf } from "../../../src/predict/plan/value-places.ts";
import { type SavedPlan, savedPlans } from "../plans.ts";

const engine = await openEngine();

/** Products with loops between them, whose code exceeds all rounding of sizes. */
function deep(): SavedPlan {
  const names = Array.from({ length: 60 }, (_, i) => `w ${i}`);
  const { plan } = encodePlan((batch) => {
    let x = input("x", [batch, 4]);
    for (const name of names) x = sigmoid(add(mul(tanh(matmul(x, input(name, [4, 4]))), 0.5), square(x)));
    return { name: "deep", precision: "f32", outputs: [{ value: x, buffer: "y", offset: 0 }] };
  });
  return { plan, numbers: Object.fromEntries(names.map((name) => [name, new Float64Array(16).fill(0.1)])) } as SavedPlan;
}

const plans: Record<string, SavedPlan> = { ...savedPlans, deep: deep() };
it.each(Object.keys(plans))("predicts the memory of a batch: %s", (name) => {
  const { plan, numbers } = plans[name];
  const buffers = buffersOf(plan);
  const elementBytes = plan.precision === "f64" ? 8 : 4;
  const once = new Set(parametersOf(buffers).map((one) => one.name));
  const known = { plan, buffers, where: "test" };
  const programs = new PlanPrograms({ ...known, maxWork: Infinity });
  const parts = { ...known, programs, numbers, chunk: 64, deterministic: true };
  // Each batch fills the place in which it is computed.
  for (const rows of [1, 8, 64]) {
    using home = new PlanHome(engine, parts);
    const before = engine.memory.usedBytes;
    home.batch(rows);
    const taken = engine.memory.usedBytes - before;
    const around = buffers
      .filter((buffer) => !once.has(buffer.name))
      .map(({ size }) => aligned(countAt(size, rows) * elementBytes));
    const { workspace, code, scratch } = batchMemory(planAt(plan, rows), elementBytes, "test");
    const loops = [...programsOf(planAt(plan, rows))].flatMap(({ steps }) => steps.filter((step) => step.kind === "loop"));
    for (const loop of loops) {
      const { scratchBytes } = elementwiseCode({ ...loop, constants: loop.constants.map(Number) }, elementBytes);
      expect(scratchBytes, `${rows} rows`).toBeLessThanOrEqual(scratch);
    }
    const told = workspace + code + scratch + around.reduce((sum, bytes) => sum + bytes, 0);
    expect(taken, `${rows} rows`).toBeLessThanOrEqual(told);
    expect(told, `${rows} rows`).toBeLessThan(1.5 * taken + 16_384);
  }
});
