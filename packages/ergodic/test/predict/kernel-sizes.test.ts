/**
 * The exact statements of the kernel table about calls: elements of each argument, bytes of scratch and work, or the
 * whole error. plan/kernel-rules.test.ts compares the sizes with the kernels. This test fixes the work and the
 * refusals. Each case in cases/kernels.txt is [kernel, bytes per element, counts in order, shape], followed by the
 * result or "! " and the error.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { PlanArgument } from "../../src/engine/memory/array-plan.ts";
import { planKernels, rolesOf, touchedBy } from "../../src/predict/plan/kernel-rules.ts";

const lines = readFileSync(new URL("cases/kernels.txt", import.meta.url), "utf8")
  .trimEnd()
  .split("\n");
const pairs = Array.from({ length: lines.length / 2 }, (_, k) => [lines[2 * k], lines[2 * k + 1].slice(2)]);
type Given = [kernel: string, elementBytes: 4 | 8, counts: number[], shape?: number[]];

it.each(pairs)("has the stated sizes and work: %s", (given, wanted) => {
  const [kernel, elementBytes, counts, shape = []] = JSON.parse(given) as Given;
  const left = [...counts];
  const argument = (role: string): PlanArgument<number> => {
    if (role === "count") return { kind: "number", value: left.shift()! };
    if (role === "shape") return { kind: "indices", values: shape };
    return role === "scratch" ? { kind: "scratch", bytes: 0 } : { kind: "value", value: 0, offset: 0 };
  };
  let found: string;
  try {
    found = JSON.stringify(touchedBy({ kernel, args: rolesOf(kernel, "m").map(argument), repeat: [] }, elementBytes, "m"));
  } catch (error) {
    found = `! ${(error as Error).message}`;
  }
  expect(found).toBe(wanted);
});

it("every kernel has test cases", () => {
  const known = new Set(pairs.map(([given]) => (JSON.parse(given) as Given)[0]));
  expect(planKernels().filter((kernel) => !known.has(kernel))).toEqual([]);
});
