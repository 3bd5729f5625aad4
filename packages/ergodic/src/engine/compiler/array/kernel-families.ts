/** Determines the kernel families that an array program needs, before it is compiled. */
import { type Family, familyOfArrayKernel } from "../../memory/families.ts";
import type { Backward } from "./operations/custom-derivative.ts";
import { arrayPrimitiveOf } from "./primitive.ts";
import type { ScanAttributes } from "./schedule-scan.ts";
import { arraysBelow, internArray, type SymbolicArray } from "./symbolic.ts";

/** Operations of nodes that no primitive computes. */
const LEAVES = new Set(["input", "constant", "full"]);

/**
 * Returns the kernel families that the arrays and their derivatives need. Derivatives of loops and views are again
 * loops and views. The derivative of a kernel or a scan can use any kernel of the family "arrays". Primitives of the
 * family "images" are named after their kernels.
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

/** Calls a user-defined derivative with a placeholder adjoint, and returns the arrays that it makes. */
function flowsOf(node: SymbolicArray): SymbolicArray[] {
  const adjoint = internArray("input", [], node.shape, "adjoint", "adjoint");
  const flows = (node.attributes as Backward)(adjoint, node, node.args.slice(1));
  return flows.filter((flow) => flow !== null);
}
