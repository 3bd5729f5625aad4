import { DataError } from "../../errors/errors.ts";
import type { Step, Transformation } from "../rows.ts";

export interface NumberTypeStep extends Step {
  readonly kind: "numberType";
  readonly type: "f32" | "f64";
}

/** Step `numberType`: stores all values from here on as f32 (rounded to nearest) or f64. */
export const numberType: Transformation<NumberTypeStep> = {
  kind: "numberType",
  output(step, input) {
    if (step.type !== "f32" && step.type !== "f64")
      throw new DataError("pipeline", `type is ${step.type}, but must be f32 or f64`, "PIPELINE_STEP");
    return { ...input, type: step.type };
  },
  start: () => (row) => row,
};
