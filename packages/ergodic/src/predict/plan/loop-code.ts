import type { PlanLoop } from "../../engine/memory/array-plan.ts";
import { type ElementwiseCode, elementwiseCode } from "../../engine/memory/elementwise.ts";
import { keptWith } from "../../engine/memory/kept-with.ts";

/**
 * Returns a loop in the form that kernels/engine/arrays/elementwise.ts reads. Both the check of a plan and its program
 * use this form.
 * @throws DataError for operations that this library does not have
 */
export const loopCode: (loop: PlanLoop<number>, elementBytes: 4 | 8, where: string) => ElementwiseCode = keptWith(
  (loop, elementBytes, where) => elementwiseCode({ ...loop, constants: loop.constants.map(Number) }, elementBytes, where),
);
