import { Dataset, Pipeline } from "./dataset.ts";
import { placed } from "./follow.ts";
import { store } from "./storage.ts";

/**
 * Converts the sparse rows of a table to dense rows, as with `format: "dense"`. Returns the dataset itself if it is
 * already dense or did not come from a table.
 */
export function withDenseRows(data: Dataset): Dataset {
  if (!data.pipeline.shape.table) return data;
  const { source, weights, offset } = data;
  const pipeline = new Pipeline(
    data.pipeline.steps.map((step) => (step.kind === "oneHot" ? { ...step, format: "dense" } : step)),
  );
  const places = Int32Array.from({ length: data.columnCount }, (_, j) => j);
  const labels = { target: data.target.values, weights, offset };
  return new Dataset(store(placed(data.rows(), places, pipeline.shape), labels, source), pipeline, source);
}
