/**
 * Rebuilds graphs with some nodes replaced. Nodes are rebuilt through the builders, so that every simplification
 * applies.
 */
import { arrayPrimitiveOf } from "./primitive.ts";
import { arraysBelow, type SymbolicArray } from "./symbolic.ts";

/**
 * Returns the roots with `replacements` applied. Nodes below a replaced node are not visited, and replacements are not
 * searched again.
 */
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
