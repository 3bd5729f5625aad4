/**
 * Programs of a plan for batches equal rebuilt ones, and are checked before they run, once each while they are stored.
 */
import { beforeEach, expect, it, vi } from "vitest";
import type { ArrayPlan } from "../../../src/engine/memory/array-plan.ts";
import { planAt } from "../../../src/engine/memory/array-plan.ts";
import { buffersOf } from "../../../src/predict/plan/buffers.ts";
import * as check from "../../../src/predict/plan/check.ts";
import { PlanPrograms } from "../../../src/predict/plan/checked-programs.ts";
import { workOf } from "../../../src/predict/plan/work.ts";

/** z = x + x, with four numbers per row. */
const plan: ArrayPlan = {
  version: 1,
  precision: "f32",
  values: [
    { size: { B: 4, plus: 0 }, home: { kind: "buffer", name: "x", offset: 0 } },
    { size: { B: 4, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } },
  ],
  steps: [
    {
      kind: "loop",
      shape: [{ B: 1, plus: 0 }, 4],
      loads: [{ value: 0, offset: 0, strides: [4, 1] }],
      constants: [],
      operations: [["add", 0, 0]],
      stores: [{ to: { value: 1, offset: 0, strides: [4, 1] }, from: 1 }],
      reductions: [],
    } as unknown as ArrayPlan["steps"][number],
  ],
};
const made = (of = plan, maxWork = Infinity): PlanPrograms =>
  new PlanPrograms({ plan: of, buffers: buffersOf(of), maxWork, where: "test" });

let checks: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  vi.restoreAllMocks();
  checks = vi.spyOn(check, "checkProgram");
});

it("programs equal the plan and share everything independent of the batch", () => {
  const programs = made();
  for (const rows of [1, 64, 3, 1, 64]) {
    const program = programs.at(rows);
    expect(program).toEqual(planAt(plan, rows));
    expect(program.values.map(({ size }) => size)).toEqual([4 * rows, 4 * rows]);
    expect(program.values[0].home).toBe(plan.values[0].home);
  }
  expect(plan.values[0].size).toEqual({ B: 4, plus: 0 });
});

it("programs are checked once while they are among the last two requested", () => {
  const programs = made();
  const [one, chunk] = [programs.checked(1), programs.checked(64)];
  expect([programs.checked(1), programs.at(64), programs.checked(64), programs.at(1)]).toEqual([one, chunk, chunk, one]);
  expect(programs.checked(1)).toBe(one);
  expect(checks).toHaveBeenCalledTimes(2);
  programs.checked(7);
  expect(programs.checked(64)).not.toBe(chunk);
  expect(checks).toHaveBeenCalledTimes(4);
});

it("programs are checked even after only their size was requested, and again after a refusal", () => {
  const programs = made({ ...plan, values: [plan.values[0], { ...plan.values[1], size: 8 }] });
  programs.at(3);
  for (let i = 0; i < 2; i++) expect(() => programs.checked(3)).toThrow("reaches from 0 to 11 in a value of 8 numbers");
  expect(programs.checked(2).values[1].size).toBe(8);
  const work = workOf(planAt(plan, 64), 4, "test") / 64;
  expect(made(plan, work).checked(64).steps).toHaveLength(1);
  const bounded = made(plan, 100);
  for (let i = 0; i < 2; i++) expect(() => bounded.checked(1)).toThrow("multiply-adds per row, but maxWork is 100");
});
