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
  recurrentFacts,
);

/**
 * Long short-term memory over axis 1. Starting with h = c = 0, for t = 1 … T and gates a = x_t W + b + h U:
 *
 *   c ← σ(a_f) ∘ c + σ(a_i) ∘ tanh(a_g)   h ← σ(a_o) ∘ tanh(c)
 *
 * x: [n, T, in]. y: the last h, [n, units], or with `sequence` the h of all times, [n, T, units]. Parameters, whose
 * last axis has the order i, f, g, o: "inputWeight" W [in, 4 units], Glorot-uniform for each gate; "hiddenWeight" U
 * [units, 4 units], orthonormal rows; "inputBias" b [4 units], which is 1 for f, so that the initial memory lasts
 * (Jozefowicz et al. 2015), and 0 otherwise. PyTorch has two biases, whose sum is b.
 * Sources: Hochreiter & Schmidhuber 1997; Gers et al. 2000.
 *
 * @throws OptionError unless `units` is a whole number >= 1; when traced, if the input is not a sequence
 */
export const lstm = (units: number, options: RecurrentOptions = {}): Layer =>
  make({ units, ...plain("lstm", options, ["units"]) });
