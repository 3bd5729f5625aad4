/**
 * Simplifies arrays that are assembled from parts only to be sliced apart again. For example, the slope of a small
 * state assembles its components into an array, which is then sliced.
 */
import { arrayPrimitiveOf } from "../../primitive.ts";
import { arraysBelow, type SymbolicArray } from "../../symbolic.ts";
import { type Slice, slicedBy } from "../places.ts";

/**
 * Rebuilds the arrays. A slice of an assembled array becomes a slice of the part that contains it, so that single
 * numbers stay single numbers.
 */
export function withoutWholes(roots: readonly SymbolicArray[]): SymbolicArray[] {
  const made = new Map<SymbolicArray, SymbolicArray>();
  for (const node of arraysBelow(roots)) {
    const args = node.args.map((arg) => made.get(arg)!);
    const own = args.every((arg, i) => arg === node.args[i]) ? node : arrayPrimitiveOf(node).rebuild(node, args);
    made.set(node, shownPart(own) ?? own);
  }
  return roots.map((root) => made.get(root)!);
}

/** Returns the slice as a slice of one part, if it lies entirely within that part. */
function shownPart({ op, args: [whole], attributes, shape }: SymbolicArray): SymbolicArray | undefined {
  if (op !== "slice" || whole.op !== "place") return undefined;
  const { start, step } = attributes as Slice;
  for (const [k, place] of (whole.attributes as Slice[]).entries()) {
    if (place.step.some((by) => by !== 1)) continue;
    const part = whole.args[k];
    const within = start.map((from, axis) => from - place.start[axis]);
    const holds = within.every((from, axis) => {
      const last = from + step[axis] * (shape[axis] - 1);
      return Math.min(from, last) >= 0 && Math.max(from, last) < part.shape[axis];
    });
    if (holds) return slicedBy(part, { start: within, step }, shape);
  }
  return undefined;
}
