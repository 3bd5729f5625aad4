/** Activations by name. */
import { type SymbolicArray, softmax } from "../../../../engine/compiler/array/index.ts";
import { add, div, erf, expm1, less, max, min, mul, sigmoid, softplus, tanh, where } from "../../../../engine/compiler/index.ts";
import { checkChoice } from "../../../../engine/errors/checks.ts";

type Activation = (x: SymbolicArray) => SymbolicArray;

const clipped = (x: SymbolicArray): SymbolicArray => min(6, max(0, x));

export const ACTIVATIONS = {
  linear: (x) => x,
  relu: (x) => max(0, x),
  relu6: clipped,
  leakyRelu: (x) => where(less(0, x), x, mul(0.01, x)),
  // `where` computes both branches, so e^x must not overflow in the unused branch.
  elu: (x) => where(less(0, x), x, expm1(min(x, 0))),
  gelu: (x) => mul(mul(0.5, x), add(1, erf(mul(Math.SQRT1_2, x)))),
  silu: (x) => mul(x, sigmoid(x)),
  hardSwish: (x) => mul(x, div(clipped(add(x, 3)), 6)),
  softplus: (x) => softplus(x),
  tanh: (x) => tanh(x),
  sigmoid: (x) => sigmoid(x),
  softmax: (x) => softmax(x, { axis: -1 }),
} as const satisfies Record<string, Activation>;

/** Names of the activations: "relu", "gelu", "tanh", "softmax" and others; see `activation`. */
export type ActivationName = keyof typeof ACTIVATIONS;
/** Names that `activation` accepts. */
export const activationNames = Object.keys(ACTIVATIONS) as ActivationName[];

/** @throws OptionError unless `value` is the name of an activation */
export function checkActivation(where: string, name: string, value: unknown): asserts value is ActivationName {
  checkChoice(where, name, value, activationNames);
}
