/** The work of a program: each operation counts at its stated cost. */
import { expect, it } from "vitest";
import type { PlanLoop, PlanProgram, PlanScan, PlanStep } from "../../../src/engine/memory/array-plan.ts";
import { ELEMENT } from "../../../src/predict/plan/kernel-rules.ts";
import { workOf } from "../../../src/predict/plan/work.ts";

const values = [100, 10, 3].map((size) => ({ size, home: { kind: "workspace" as const } }));
const program = (...steps: PlanStep<number>[]): PlanProgram<number> => ({ values, steps });
const work = (...steps: PlanStep<number>[]): number => workOf(program(...steps), 8, "m");

const access = { value: 0, offset: 0, strides: [1, 1] };
const loop = (more: object = {}): PlanLoop<number> =>
  ({
    kind: "loop",
    ...{ shape: [5, 7], loads: [access], constants: [], operations: [["add", 0, 0]], stores: [access], reductions: [], ...more },
  }) as unknown as PlanLoop<number>;

it("loops cost every load, store and reduction per element, and every operation by kind", () => {
  const base = work(loop());
  const each = (more: object): number => work(loop(more)) - base;
  // 35 elements in one tile, whose start costs as much as sixteen elements.
  const [elements, begun] = [35, 16];
  const once = (elements + begun) * ELEMENT;
  expect(each({ loads: [access, access] })).toBe(once);
  expect(each({ stores: [access, access] })).toBe(once);
  expect(each({ reductions: [{ size: 0 }] })).toBe(once);
  expect(each({ reductions: [{ size: 9 }] })).toBe(once + 9 * ELEMENT);
  const operation = (name: string): number =>
    each({
      operations: [
        ["add", 0, 0],
        [name, 0],
      ],
    });
  expect(operation("mul")).toBe(once);
  expect(operation("exp")).toBe((elements + begun) * 64);
  expect(operation("unheard of")).toBe((elements + begun) * 64);
  expect(operation("lgamma")).toBe((elements + begun) * 256);
  expect(each({ constants: [1] })).toBe(256);
});

it("loops restart for each tile of the last two axes, and an empty axis costs as one", () => {
  const three = 3 * ELEMENT;
  const wanted = (elements: number, tiles: number): number => 512 + elements * three + tiles * 512 + 16 * tiles * three;
  const shapes: [number[], number, number][] = [
    [[], 1, 1],
    [[4], 4, 1],
    [[5, 7], 35, 1],
    [[2, 5, 7], 70, 2],
    [[3, 2, 5, 7], 210, 6],
    [[0, 5, 7], 35, 1],
    [[2, 0, 7], 14, 2],
  ];
  for (const [shape, elements, tiles] of shapes) expect(work(loop({ shape })), String(shape)).toBe(wanted(elements, tiles));
});

it("loops cost one for an element without operations", () => {
  const nothing = { loads: [], operations: [], stores: [] };
  expect(work(loop(nothing))).toBe(512 + 35 + 512 + 16);
  expect(work(loop({ ...nothing, shape: [2 ** 30] }))).toBeGreaterThan(2 ** 30);
});

it("work beyond the number range exceeds any limit and is never NaN", () => {
  const body = (depth: number): PlanProgram<number> =>
    program(
      ...(depth === 0
        ? []
        : [
            {
              ...{ kind: "scan", length: 2 ** 30, reverse: false, body: body(depth - 1), over: [], constants: [] },
              ...{ current: [], next: [], outputs: [], histories: [], carries: [] },
            } as PlanScan<number>,
          ]),
    );
  expect(workOf(body(2), 8, "m")).toBeGreaterThan(2 ** 60);
  expect(workOf(body(40), 8, "m")).toBe(Infinity);
});

it("steps add up, and zeroing a value costs its numbers", () => {
  expect(work()).toBe(0);
  expect(work({ kind: "zero", value: 0 })).toBe(612);
  expect(work({ kind: "zero", value: 0 }, { kind: "zero", value: 1 }, loop())).toBe(612 + 522 + work(loop()));
});

it("scans cost their body per step, carried copies, and stored histories", () => {
  const body = program({ kind: "zero", value: 2 });
  const none = { over: [], constants: [], current: [], next: [], outputs: [], histories: [], carries: [] };
  const scan = (more: Partial<PlanScan<number>> = {}): number =>
    work({ kind: "scan", length: 4, reverse: false, body, ...none, ...more } as PlanScan<number>);
  // The body and the round itself.
  const step = 515 + 512;
  expect(scan()).toBe(4 * step);
  expect(scan({ length: 0 })).toBe(step);
  expect(scan({ current: [1] })).toBe(4 * (step + 2 * (512 + 10) + 512));
  for (const part of ["over", "constants", "outputs"] as const) expect(scan({ [part]: [1, 0] })).toBe(4 * (step + 2 * 512));
  expect(scan({ histories: [null, 1, null, 0] })).toBe(4 * (step + 512 + 10 + 512 + 100));
  const inner = { kind: "scan", length: 3, reverse: false, body, ...none } as PlanScan<number>;
  expect(scan({ body: program(inner) })).toBe(4 * (3 * step + 512));
  expect(scan({ body: program() })).toBe(4 * 512);
});
