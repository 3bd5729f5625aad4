import type { ArrayProgram } from "./lowered.ts";
import { arraysBelow, type SymbolicArray, withArguments } from "./symbolic.ts";

/** Replaces functions that have a custom derivative by the plain functions. Call it only after differentiation. */
export function withoutMarks(outputs: ArrayProgram["outputs"]): ArrayProgram["outputs"] {
  const roots = outputs.map((o) => o.value);
  const made = new Map<SymbolicArray, SymbolicArray>();
  for (const node of arraysBelow(roots)) {
    const args = node.args.map((arg) => made.get(arg)!);
    const isSame = args.every((arg, i) => arg === node.args[i]);
    made.set(node, node.op === "customDerivative" ? args[0] : isSame ? node : withArguments(node, args));
  }
  return outputs.map((output) => ({ ...output, value: made.get(output.value)! }));
}
