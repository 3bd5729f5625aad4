/** Inputs and outputs of a plan, wherever its values are in the buffers. */
import { expect, it } from "vitest";
import type { ArrayPlan, PlanCount, PlanStep, PlanValue } from "../../../src/engine/memory/array-plan.ts";
import { buffersOf, constantsOf, parametersOf } from "../../../src/predict/plan/buffers.ts";

const buffer = (name: string, size: PlanCount, offset: PlanCount = 0): PlanValue => ({
  size,
  home: { kind: "buffer", name, offset },
});
const rows = (B: number, plus = 0): PlanCount => ({ B, plus });
const copy = (from: number, to: number): PlanStep => ({
  ...{ kind: "loop", shape: [1], constants: [], operations: [], reductions: [] },
  loads: [{ value: from, offset: 0, strides: [0] }],
  stores: [{ to: { value: to, offset: 0, strides: [0] }, from: 0 }],
});
const planOf = (values: PlanValue[], steps: PlanStep[]): ArrayPlan => ({ version: 1, precision: "f64", values, steps });

it("makes a buffer as large as its farthest value, in any order", () => {
  const values = [buffer("x", rows(2), rows(4)), buffer("x", rows(3)), buffer("w", 4), buffer("w", 1, 6), buffer("w", 2)];
  for (const order of [values, values.toReversed()]) {
    const found = buffersOf(planOf(order, []));
    expect(Object.fromEntries(found.map(({ name, size }) => [name, size]))).toEqual({ x: rows(6), w: 7 });
  }
});

it("marks a buffer as read or written if any of its values is", () => {
  const values = [
    buffer("x", 1),
    buffer("x", 1, 1),
    buffer("z", 1),
    buffer("z", 1, 1),
    buffer("w", 1),
    { size: 1, home: { kind: "workspace" } } as const,
  ];
  const steps = [copy(0, 2), copy(4, 5)];
  const told = (plan: ArrayPlan): object =>
    Object.fromEntries(buffersOf(plan).map(({ name, isRead, isWritten }) => [name, [isRead, isWritten]]));
  const wanted = { x: [true, false], z: [false, true], w: [true, false] };
  expect(told(planOf(values, steps))).toEqual(wanted);
  expect(told(planOf(values, [copy(1, 3), copy(4, 5)]))).toEqual(wanted);
});

it("lists constant-size read-only buffers as parameters, and includes constants of scans", () => {
  const buffers = buffersOf(planOf([buffer("x", rows(1)), buffer("w", 3), buffer("z", 1)], [copy(0, 2), copy(1, 2)]));
  expect(parametersOf(buffers)).toEqual([{ name: "w", size: 3 }]);
  const constant = (name: string, size: number): PlanValue => ({ size, home: { kind: "constant", name } });
  const scan: PlanStep = {
    ...{ kind: "scan", length: 1, reverse: false, carries: [], over: [], constants: [] },
    ...{ current: [], next: [], outputs: [], histories: [] },
    body: { values: [constant("inner", 2), buffer("carry 0", 1)], steps: [] },
  };
  expect(constantsOf(planOf([constant("outer", 5), buffer("w", 1)], [scan]))).toEqual([
    { name: "outer", size: 5 },
    { name: "inner", size: 2 },
  ]);
});
