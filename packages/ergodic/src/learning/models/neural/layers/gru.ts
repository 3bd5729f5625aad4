import { matmul, type SymbolicArray, slice } from "../../../../engine/compiler/array/index.ts";
import { add, mul, sigmoid, sub, tanh } from "../../../../engine/compiler/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { zeros } from "../initialisers.ts";
import type { Layer } from "../scope.ts";
import { layer } from "./layer.ts";
import { gatesOf, type RecurrentOptions, recur, recurrentFacts, type Units } from "./recurrence.ts";

const make = layer<Units>(
  "gru",
  (x, scope, options) => {
    const { units } = options;
    const { projected, hidden } = gatesOf("gru", x, scope, options, { gates: 3 });
    const bias = scope.parameter("hiddenBias", [3 * units], { initial: zeros(), decay: false });
    const gate = (all: SymbolicArray, i: number): SymbolicArray => slice(all, { axis: -1, from: i * units, to: (i + 1) * units });
    return recur(projected, options, 1, ([h], given) => {
      const own = add(matmul(h, hidden), bias);
      const r = sigmoid(add(gate(given, 0), gate(own, 0)));
      const z = sigmoid(add(gate(given, 1), gate(own, 1)));
      const m = tanh(add(gate(given, 2), mul(r, gate(own, 2))));
      return [add(m, mul(z, sub(h, m)))];
    });
  },
  recurrentFacts,
);

/**
 * Gated recurrent unit over axis 1. Starting with h = 0, for t = 1 … T:
 *
 *   r = σ(x_t W_r + b_r + h U_r + c_r)   z = σ(x_t W_z + b_z + h U_z + c_z)
 *   m = tanh(x_t W_m + b_m + r ∘ (h U_m + c_m))   h ← (1 − z) ∘ m + z ∘ h
 *
 * x: [n, T, in]. y: the last h, [n, units], or with `sequence` the h of all times, [n, T, units]. Parameters (the last
 * axis is in the order r, z, m): "inputWeight" W [in, 3 units], Glorot-uniform for each gate; "hiddenWeight" U [units,
 * 3 units], orthonormal rows; "inputBias" b and "hiddenBias" c, [3 units], zero. As in PyTorch, the reset gate is
 * applied after the product. Source: Cho et al. 2014.
 *
 * @throws OptionError unless `units` is a whole number >= 1; when traced, if the input is not a sequence
 */
export const gru = (units: number, options: RecurrentOptions = {}): Layer => make({ units, ...plain("gru", options, ["units"]) });
