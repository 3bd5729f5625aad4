import { input, type Shape, type SymbolicArray } from "../../../engine/compiler/array/index.ts";
import type { LayerLike } from "./scope.ts";
import { traceNetwork } from "./trace.ts";

/** What a network costs. */
export interface NetworkCount {
  /** Weights, biases, and scales and shifts of norms. */
  readonly parameters: number;
  /** Parameters that are not frozen. */
  readonly trained: number;
  /** Running statistics. */
  readonly states: number;
  /** For one example. */
  readonly multiplyAdds: number;
  /** Of an example's output. */
  readonly outputShape: Shape;
}

/**
 * What a network costs, found by tracing it for one example.
 *
 * Parameters count weights, biases, and batch norm's scale and shift, not its running statistics (`states`). Multiply-adds are those of dense
 * layers, convolutions and recurrences, as papers count them: no biases, norms, activations and pools.
 *
 * @throws OptionError or CompileError where the network does not fit the shape
 */
export function countNetwork(network: LayerLike, shape: Shape): NetworkCount {
  const { parameters, states, multiplyAdds, output } = traceNetwork(network, input("x", [1, ...shape]));
  return {
    parameters: total(parameters),
    trained: total(parameters.filter(({ trained }) => trained)),
    states: total(states),
    multiplyAdds,
    outputShape: output.shape.slice(1),
  };
}

const total = (listed: readonly { readonly input: SymbolicArray }[]): number =>
  listed.reduce((sum, { input: { size } }) => sum + size, 0);
