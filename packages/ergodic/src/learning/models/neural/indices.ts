/**
 * Detects networks in which values of the rows serve as indices into a table, as in an embedding. Such values must not
 * be scaled.
 */
import { arraysBelow, input, type Shape } from "../../../engine/compiler/array/index.ts";
import type { LayerLike } from "./scope.ts";
import { traceNetwork } from "./trace.ts";

/** Number of rows in the trace. Batch statistics need two. */
const PROBE_ROWS = 2;
const known = new WeakMap<LayerLike, Map<string, boolean>>();

export function takesIndices(layers: LayerLike, rowShape: Shape): boolean {
  const own = known.get(layers) ?? new Map<string, boolean>();
  known.set(layers, own);
  const key = rowShape.join(" ");
  const before = own.get(key);
  if (before !== undefined) return before;
  const x = input("x", [PROBE_ROWS, ...rowShape]);
  const { output } = traceNetwork(layers, x, { training: true });
  const isIndexed = arraysBelow([output]).some(({ op, args }) => op === "gather" && arraysBelow([args[1]]).includes(x));
  own.set(key, isIndexed);
  return isIndexed;
}
