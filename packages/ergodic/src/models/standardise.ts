/** Whether columns shall be standardised where a user left it to the model (linear/linear.ts says by what). */
import type { Dataset } from "../data/dataset.ts";
import { mapKinds } from "../data/features/feature-map.ts";

/** Sparse columns are left alone: hashed and counted features come in comparable units; so do the features of a map. */
export function worthStandardising(data: Dataset, mapped: boolean): boolean {
  const { kind } = data.pipeline.steps[data.pipeline.steps.length - 1];
  if (data.format === "sparse" || mapKinds.includes(kind)) return false;
  const scales = data
    .columnScales(mapped ? "largest" : "rootMeanSquare")
    .filter((s) => s > 0)
    .sort();
  if (scales.length === 0) return false;
  const smallest = scales[mapped ? Math.floor(scales.length / 10) : 0];
  const largest = scales[scales.length - 1];
  return largest > 10 * smallest || (!mapped && (largest > 10 || smallest < 0.1));
}
