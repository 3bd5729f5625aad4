/** Sizes of a plan's values stay below the 4 GiB of the address space. */
import { expect, it } from "vitest";
import type { PlanProgram } from "../../../src/engine/memory/array-plan.ts";
import { checkProgram } from "../../../src/predict/plan/check.ts";

const check = (size: number, elementBytes: 4 | 8) => () =>
  checkProgram(
    { values: [{ size, home: { kind: "workspace" } }], steps: [] } as PlanProgram<number>,
    new Map(),
    elementBytes,
    "m",
  );

it.each<[number, 4 | 8]>([
  [2 ** 29, 8],
  [2 ** 30, 4],
  [2 ** 53, 4],
  [-1, 8],
  [0.5, 8],
  [Number.NaN, 8],
])("refuses a value of %d numbers of %d bytes", (size, elementBytes) => {
  expect(check(size, elementBytes)).toThrow(`has a value of ${size} numbers`);
});

it.each<[number, 4 | 8]>([
  [0, 8],
  [2 ** 29 - 1, 8],
  [2 ** 30 - 1, 4],
])("accepts a value of %d numbers of %d bytes", (size, elementBytes) => {
  expect(check(size, elementBytes)).not.toThrow();
});
