/** Answers of plans are those of their rows alone, whatever a file says: what leaves parts of its memory as they were runs on memory that is cleared. */
import { describe, expect, it } from "vitest";
import { type ArrayPlan, type PlanStep, planAt } from "../../src/host/array-plan.ts";
import { openEngine } from "../../src/host/engine.ts";
import { NetworkPlan } from "../../src/predict/network-plan.ts";
import { buffersOf } from "../../src/predict/plan-buffers.ts";
import { showsResidue } from "../../src/predict/plan-residue.ts";
import { savedPlans } from "./plans.ts";

const engine = await openEngine();
const shows = (plan: ArrayPlan, rows: number): boolean => showsResidue(planAt(plan, rows), buffersOf(plan), rows, 4);

it.each(Object.entries(savedPlans))("%s, as it was saved, shows nothing", (_, { plan }) => {
  for (const rows of [1, 2, 64]) expect(shows(plan, rows)).toBe(false);
});

/** x of four numbers a row, a workspace of eight, z of four. */
const rowsOf = (each: number) => ({ B: each, plus: 0 });
const values: ArrayPlan["values"] = [
  { size: rowsOf(4), home: { kind: "buffer", name: "x", offset: 0 } },
  { size: rowsOf(8), home: { kind: "workspace" } },
  { size: rowsOf(4), home: { kind: "buffer", name: "z", offset: 0 } },
];
const [X, W, Z] = [0, 1, 2];
/** Copies so many numbers a row, at these distances. */
const copy = (from: number, to: number, count: number, step: number, toStep = step, at = 0): PlanStep => ({
  kind: "loop",
  shape: [rowsOf(1), count],
  loads: [{ value: from, offset: 0, strides: [step, 1] }],
  constants: [],
  operations: [],
  stores: [{ to: { value: to, offset: at, strides: [toStep, 1] }, from: 0 }],
  reductions: [],
});
/** W ← x · [1, 0, 0, 0]ᵀ a row, `between` apart, or added to what is there. */
const product = (adds: number, between: number): PlanStep => {
  const number = (value: number | ReturnType<typeof rowsOf>) => ({ kind: "number" as const, value });
  const value = (which: number) => ({ kind: "value" as const, value: which, offset: 0 });
  const counts = [number(0), number(0), number(rowsOf(1)), number(1), number(4)];
  const operands = [value(X), number(4), value(X), number(1), value(W), number(between), number(adds)];
  return {
    kind: "kernel",
    result: W,
    calls: [{ kernel: "gemm", repeat: [], args: [...counts, ...operands, { kind: "scratch", bytes: 0 }] }],
  };
};
const take = (from = 0): PlanStep => {
  const step = copy(W, Z, 4, 8, 4) as PlanStep & { loads: { offset: number }[] };
  step.loads[0].offset = from;
  return step;
};

const cases: readonly (readonly [name: string, steps: readonly PlanStep[], shows: boolean])[] = [
  ["all of a workspace in two halves of a row", [copy(X, W, 4, 4, 8), copy(X, W, 4, 4, 8, 4), take(4)], false],
  ["two parts that leave a gap", [copy(X, W, 3, 4, 8), copy(X, W, 4, 4, 8, 4), take()], true],
  ["the same half twice", [copy(X, W, 4, 4, 8), copy(X, W, 4, 4, 8), take(4)], true],
  ["a workspace that is zeroed", [{ kind: "zero", value: W }, take()], false],
  ["zeros, and a part over them", [{ kind: "zero", value: W }, copy(X, W, 4, 4, 8), take(4)], false],
  ["half of a workspace", [copy(X, W, 4, 4, 8), take(4)], true],
  ["nothing", [take()], true],
  ["what is written too late", [take(), { kind: "zero", value: W }], true],
  ["an output without its last number", [copy(X, Z, 3, 4)], true],
  ["an output that nothing writes but a step before it", [copy(X, Z, 4, 4)], false],
  ["a product over zeros", [{ kind: "zero", value: W }, product(1, 1), take()], false],
  ["a product that is added to nothing", [product(1, 1), take()], true],
  ["a product with gaps", [product(0, 8), take()], true],
];

describe("what a plan leaves", () => {
  it.each(cases)("%s", (_, steps, wanted) => {
    const plan: ArrayPlan = { version: 1, precision: "f32", values, steps };
    expect(shows(plan, 2)).toBe(wanted);
    const run = (before: number): number[] => {
      using made = new NetworkPlan(engine, plan, {}, { apart: true });
      for (const value of [before, 1]) {
        const { z } = made.run({ x: Float32Array.from({ length: 8 }, (_, k) => value * (k + 1)) }, 2);
        if (value === 1) return [...z];
      }
      return [];
    };
    expect(run(1000)).toEqual(run(-7));
  });
});
