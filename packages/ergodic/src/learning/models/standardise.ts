/** Whether columns shall be standardised where a user left it to the model (linear/linear.ts says by what). */
import type { Dataset } from "../../engine/data/dataset.ts";
import { mapKinds } from "../../engine/data/features/feature-map.ts";
import type { ColumnMoments } from "../../engine/data/transformations/standardise.ts";

/**
 * Data as a model takes them: `wanted` true: all columns standardised; "auto": those that are no indicators, where it is worth it.
 *
 * Columns of 0 and 1 (levels of a category) keep their units. Divided by their deviation √p, rare ones would grow by 1/√p; and centred, they would
 * be −√p in all rows that have nothing to do with the level: rules with a memory of gradients, as AdaGrad, would shorten a level's steps with every
 * row, not with its own (on hours of bicycle rentals R² 0.42 after five epochs, not 0.69).
 *
 * `centred` false: columns are divided by √mean(x²) and nothing is subtracted. A centre is an intercept that a model without one would have all the same, and
 * that sparse rows, which centre a table's numbers alone, would have of fewer columns than dense ones. A map's kernel knows no origin.
 */
export function standardised(data: Dataset, wanted: boolean | "auto", mapped: boolean, centred = true): Dataset {
  const all = wanted === true;
  const moments = all || (wanted && mayStandardise(data)) ? data.columnMoments() : undefined;
  return moments && (all || isWorth(moments, mapped)) ? data.standardiseBy(moments, centred || mapped ? "sd" : "rms", all) : data;
}

/** Sparse columns are left alone, unless they are a table's: hashed and counted features come in comparable units; so do the features of a map. */
function mayStandardise({ format, pipeline }: Dataset): boolean {
  const { kind } = pipeline.steps[pipeline.steps.length - 1];
  return (format === "dense" || pipeline.shape.table !== undefined) && !mapKinds.includes(kind);
}

function isWorth(moments: ColumnMoments, mapped: boolean): boolean {
  const sizes = moments[mapped ? "largest" : "rootMeanSquare"];
  // A map's one gamma is for indicators, too.
  const scales = sizes.filter((s, j) => s > 0 && (mapped || moments.indicator[j] === 0)).sort();
  if (scales.length === 0) return false;
  const smallest = scales[mapped ? Math.floor(scales.length / 10) : 0];
  const largest = scales[scales.length - 1];
  return largest > 10 * smallest || (!mapped && (largest > 10 || smallest < 0.1));
}
