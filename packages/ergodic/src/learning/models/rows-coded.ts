/** Targets and weights of rows in the form that losses take. */

import type { Dataset } from "../../engine/data/dataset.ts";
import { DataError } from "../../engine/errors/errors.ts";
import type { Arena } from "../../engine/memory/arena.ts";
import type { Loss } from "./loss.ts";

/**
 * Returns the address of coded targets, f64[rows]: class 0/1 becomes −1/+1 for binary losses with one output. Counts are
 * checked.
 *
 * @throws DataError for a negative count
 */
export function codedTarget(
  where: string,
  data: Dataset,
  { loss, outputs }: { loss: Loss; outputs: number },
  arena: Arena,
): number {
  const { target, layout } = data;
  if (outputs === 1 && loss.task === "count") checkCounts(where, target.name, target.values);
  if (outputs > 1 || loss.task !== "binary") return layout.target;
  return arena.copy(target.values.map((y) => (y > 0 ? 1 : -1)));
}

/** Returns the weight of each row times the weight of its class, or null if all weights are 1. */
export function weightsOfRows(data: Dataset, classWeights: Float64Array | undefined): Float64Array | null {
  const { weights, target } = data;
  if (!classWeights) return weights;
  const binary = classWeights.length === 2;
  return target.values.map((y, i) => (weights?.[i] ?? 1) * classWeights[binary ? Number(y > 0) : y]);
}

function checkCounts(where: string, name: string, values: Float64Array): void {
  const i = values.findIndex((y) => !(y >= 0));
  if (i < 0) return;
  throw new DataError(
    where,
    `target "${name}" is ${values[i]} in row ${i + 1}, but the Poisson loss needs counts >= 0; drop the row or use loss: "squared"`,
    "DATA_TARGET",
  );
}
