import { Dataset, Pipeline } from "./dataset.ts";
import { placed } from "./follow.ts";
import { store } from "./storage.ts";

/** A table's sparse rows as dense ones, what `format: "dense"` had made of them; the dataset itself where it is dense, or no table's. */
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
