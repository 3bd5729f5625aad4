/** Which families of kernels a program on arrays needs, known before it is compiled. */
import { type Family, familyOfArrayKernel } from "../../memory/families.ts";
import type { Backward } from "./operations/custom-derivative.ts";
import { arrayPrimitiveOf } from "./primitive.ts";
import type { ScanAttributes } from "./schedule-scan.ts";
import { arraysBelow, internArray, type SymbolicArray } from "./symbolic.ts";

/** Nodes that no primitive computes. */
const LEAVES = new Set(["input", "constant", "full"]);

/**
 * Of the arrays and of their derivatives: those of loops and views are loops and views, those of kernels have kernels, of "arrays" perhaps whatever theirs
 * are, and so has the derivative of a scan. Primitives of "images" have their kernels' names.
 */
export function familiesOf(arrays: readonly SymbolicArray[]): Family[] {
  const found = new Set<Family>();
  const seen = new Set<SymbolicArray>();
  const look = (some: readonly SymbolicArray[]): void => {
    for (const node of arraysBelow(some)) {
      if (LEAVES.has(node.op) || seen.has(node)) continue;
      seen.add(node);
      if (node.op === "customDerivative") look(flowsOf(node));
      if (node.op === "scan") {
        const { next, outputs } = node.attributes as ScanAttributes;
        look([...next, ...outputs]);
      }
      if (node.op !== "scan" && arrayPrimitiveOf(node).code.form !== "kernel") continue;
      found.add("arrays").add(familyOfArrayKernel(node.op));
    }
  };
  look(arrays);
  return [...found];
}

/** What the user's derivative is made of, for whatever adjoint. */
function flowsOf(node: SymbolicArray): SymbolicArray[] {
  const adjoint = internArray("input", [], node.shape, "adjoint", "adjoint");
  const flows = (node.attributes as Backward)(adjoint, node, node.args.slice(1));
  return flows.filter((flow) => flow !== null);
}
