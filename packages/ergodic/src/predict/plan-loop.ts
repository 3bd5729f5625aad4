import { keptWith } from "../base/kept-with.ts";
import type { PlanLoop } from "../host/array-plan.ts";
import { type ElementwiseCode, elementwiseCode } from "../host/elementwise.ts";

/** A loop as kernels/elementwise.ts reads it, for a plan's check and for its program. @throws DataError for operations that this library does not have */
export const loopCode: (loop: PlanLoop<number>, elementBytes: 4 | 8, where: string) => ElementwiseCode = keptWith(
  (loop, elementBytes, where) => elementwiseCode({ ...loop, constants: loop.constants.map(Number) }, elementBytes, where),
);
