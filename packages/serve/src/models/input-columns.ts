import type { OutputPredictor } from "ergodic/predict";
import type { RowColumn } from "./served.ts";

/** Returns the columns of rows. If the columns have no names, they are called x0, x1 …, as in the model's errors. */
export function inputColumns(pipeline: OutputPredictor["pipeline"]): RowColumn[] {
  const { inputs } = pipeline;
  if (inputs) return inputs.map((column) => ({ ...column }));
  const { columnCount } = pipeline.steps[0] as unknown as { columnCount: number };
  return Array.from({ length: columnCount }, (_, j) => ({ name: `x${j}`, kind: "number" }));
}
