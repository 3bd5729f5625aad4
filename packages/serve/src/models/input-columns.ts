import type { OutputPredictor } from "ergodic/predict";
import type { RowColumn } from "./served.ts";

/** The columns that rows have. Those without names are x0, x1 …, as the model's errors call them. */
export function inputColumns(pipeline: OutputPredictor["pipeline"]): RowColumn[] {
  const { inputs } = pipeline;
  if (inputs) return inputs.map((column) => ({ ...column }));
  const { columnCount } = pipeline.steps[0] as unknown as { columnCount: number };
  return Array.from({ length: columnCount }, (_, j) => ({ name: `x${j}`, kind: "number" }));
}
