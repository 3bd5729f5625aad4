import { input, type Shape, type SymbolicArray } from "../../../engine/compiler/array/index.ts";
import type { LayerLike } from "./scope.ts";
import { traceNetwork } from "./trace.ts";

/** Size and cost of a network. */
export interface NetworkCount {
  /** Number of weights and biases, including the scales and shifts of norms. */
  readonly parameters: number;
  /** Number of parameters that are not frozen. */
  readonly trained: number;
  /** Number of running statistics. */
  readonly states: number;
  /** Number of multiply-adds for one example. */
  readonly multiplyAdds: number;
  /** Shape of the output of one example. */
  readonly outputShape: Shape;
}

/**
 * Counts the parameters and operations of a network by tracing it for one example.
 *
 * Parameters are weights, biases, and batch norm's scale and shift. The running statistics of batch norm are counted as
 * `states`. Multiply-adds are counted as in papers: in dense layers, convolutions and recurrences, but not in biases,
 * norms, activations and pools.
 *
 * @throws OptionError or CompileError if the network does not fit the shape
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
