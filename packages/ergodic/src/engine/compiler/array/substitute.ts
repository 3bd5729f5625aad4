/** Graphs made anew with other nodes in the place of some, through the builders, so that every simplification applies. */
import { arrayPrimitiveOf } from "./primitive.ts";
import { arraysBelow, type SymbolicArray } from "./symbolic.ts";

/** The roots with `replacements` in place; what stands below a replaced node is not looked at, nor are replacements searched again. */
export function substituteArrays(
  roots: readonly SymbolicArray[],
  replacements: ReadonlyMap<SymbolicArray, SymbolicArray>,
): SymbolicArray[] {
  const made = new Map(replacements);
  for (const node of arraysBelow(roots)) {
    if (made.has(node)) continue;
    const args = node.args.map((arg) => made.get(arg)!);
    made.set(node, args.every((arg, i) => arg === node.args[i]) ? node : arrayPrimitiveOf(node).rebuild(node, args));
  }
  return roots.map((root) => made.get(root)!);
}
