import { matmul, type SymbolicArray, slice } from "../../../../engine/compiler/array/index.ts";
import { add, mul, sigmoid, tanh } from "../../../../engine/compiler/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { blockConstants } from "../initialisers.ts";
import type { Layer } from "../scope.ts";
import { layer } from "./layer.ts";
import { gatesOf, type RecurrentOptions, recur, recurrentFacts, type Units } from "./recurrence.ts";

const make = layer<Units>(
  "lstm",
  (x, scope, options) => {
    const { units } = options;
    const initialBias = blockConstants({ values: [0, 1, 0, 0] });
    const { projected, hidden } = gatesOf("lstm", x, scope, options, { gates: 4, initialBias });
    const gate = (all: SymbolicArray, i: number): SymbolicArray => slice(all, { axis: -1, from: i * units, to: (i + 1) * units });
    return recur(projected, options, 2, ([h, c], given) => {
      const all = add(given, matmul(h, hidden));
      const kept = mul(sigmoid(gate(all, 1)), c);
      const next = add(kept, mul(sigmoid(gate(all, 0)), tanh(gate(all, 2))));
      return [mul(sigmoid(gate(all, 3)), tanh(next)), next];
    });
  },
  recurrentFacts("lstm"),
);

/**
 * Long short-term memory over axis 1. With h = c = 0 at first, for t = 1 … T and gates a = x_t W + b + h U:
 *
 *   c ← σ(a_f) ∘ c + σ(a_i) ∘ tanh(a_g)   h ← σ(a_o) ∘ tanh(c)
 *
 * x: [n, T, in]. y: the last h, [n, units], or all, [n, T, units], with `sequence`. Parameters, their last axis in the order i, f, g, o:
 * "inputWeight" W [in, 4 units], Glorot-uniform for each gate; "hiddenWeight" U [units, 4 units], orthonormal rows; "inputBias" b [4 units], 1 for
 * f and else 0, so that the memory lasts at first (Jozefowicz et al. 2015). PyTorch has two biases, whose sum is b.
 * Sources: Hochreiter & Schmidhuber 1997; Gers et al. 2000.
 *
 * @throws OptionError unless `units` is a whole number from 1 on; when traced, where the input is no sequence
 */
export const lstm = (units: number, options: RecurrentOptions = {}): Layer =>
  make({ units, ...plain("lstm", options, ["units"]) });
