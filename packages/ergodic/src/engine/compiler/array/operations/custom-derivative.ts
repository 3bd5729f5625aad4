import { arrays, callback, operation } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { type SymbolicArray, sameShape, shapeError, shapeText } from "../symbolic.ts";

/** Returns the adjoint of each input, given the adjoint of the result. An input without an adjoint gets null. */
export type Backward = (
  adjoint: SymbolicArray,
  result: SymbolicArray,
  inputs: readonly SymbolicArray[],
) => readonly (SymbolicArray | null)[];

const makeCustom = arrayPrimitive({
  name: "customDerivative",
  evaluate: (_, [result]) => result,
  derivative(adjoint, node, i) {
    // Argument 0 is the result of `forward`. This argument gets no adjoint, because the user's derivative replaces that
    // path.
    if (i === 0) return null;
    const inputs = node.args.slice(1);
    const flows = flowsOf(adjoint, node, inputs);
    const flow = flows[i - 1];
    if (flows.length !== inputs.length || (flow && !sameShape(flow.shape, inputs[i - 1].shape)))
      throw shapeError(
        "customDerivative",
        `backward gave shapes ${flows.map((f) => (f ? shapeText(f.shape) : "null")).join(", ")}, but the inputs are ${inputs.map((x) => shapeText(x.shape)).join(", ")}`,
      );
    return flow;
  },
  rebuild: (node, args) => withBackward(args, node.attributes as Backward),
  code: { form: "view", layout: (_, argument) => argument },
});

/**
 * Result of the last call of a user's function. The result is cached because one call computes the derivatives of all
 * inputs, and these derivatives are requested one after another.
 */
let last: { readonly adjoint: SymbolicArray; readonly node: SymbolicArray; readonly flows: ReturnType<Backward> } | undefined;

function flowsOf(adjoint: SymbolicArray, node: SymbolicArray, inputs: readonly SymbolicArray[]): ReturnType<Backward> {
  if (last?.adjoint === adjoint && last.node === node) return last.flows;
  const flows = (node.attributes as Backward)(adjoint, node, inputs);
  last = { adjoint, node, flows };
  return flows;
}

const numbers = new WeakMap<Backward, number>();
let functionCount = 0;

function withBackward(args: readonly SymbolicArray[], backward: Backward): SymbolicArray {
  const number = numbers.get(backward) ?? functionCount++;
  numbers.set(backward, number);
  return makeCustom(args, args[0].shape, backward, String(number));
}

/**
 * Function with a user-defined derivative, for straight-through estimators, clipped or scaled gradients, and implicit
 * differentiation. Returns forward(…inputs). The derivative of the result with respect to the inputs is computed by
 * `backward`.
 *
 * @throws CompileError if backward returns the wrong number of adjoints or wrong shapes
 */
export const customDerivative = operation(
  "customDerivative",
  { inputs: arrays, forward: callback, backward: callback },
  (
    inputs: readonly SymbolicArray[],
    forward: (...inputs: SymbolicArray[]) => SymbolicArray,
    backward: Backward,
  ): SymbolicArray => {
    return withBackward([forward(...inputs), ...inputs], backward);
  },
);
