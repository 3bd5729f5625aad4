/**
 * Recurrence over axis 1 for gru.ts and lstm.ts. The products with the inputs are computed for all times together,
 * before the recurrence starts.
 */
import { full, matmul, type SymbolicArray, scan, transpose } from "../../../../engine/compiler/array/index.ts";
import { add } from "../../../../engine/compiler/index.ts";
import { glorotUniform, type Initialiser, orthogonal, zeros } from "../initialisers.ts";
import type { Scope } from "../scope.ts";
import { count, expectRank } from "./expected.ts";
import type { LayerFacts, Named } from "./layer.ts";

/** Options of `gru` and `lstm`. */
export interface RecurrentOptions extends Named {
  /** Whether to return the outputs of all times, [n, T, units], or only the last, [n, units]. Default false. */
  readonly sequence?: boolean;
  /** Initial values of the input weights. Default glorotUniform(). */
  readonly initial?: Initialiser;
  /** Initial values of the weights that are applied to the state. Default orthogonalInitial(). */
  readonly initialHidden?: Initialiser;
}

export interface Units extends RecurrentOptions {
  readonly units: number;
}

/** Properties of recurrent layers. */
export const recurrentFacts: LayerFacts<Units> = {
  options: { units: count, sequence: "boolean", initial: "own", initialHidden: "own" },
  required: ["units"],
  example: { options: { units: 2, sequence: true, initialHidden: zeros() }, input: [2, 3, 2] },
  initialisers: ["initial", "initialHidden"],
};

/**
 * Returns x W + b, which is [n, T, gates · units], and the weights for the state. The weights of all gates are adjacent
 * in one matrix.
 */
export function gatesOf(
  kind: string,
  x: SymbolicArray,
  scope: Scope,
  { units, initial = glorotUniform(), initialHidden = orthogonal() }: Units,
  { gates, initialBias = zeros() }: { gates: number; initialBias?: Initialiser },
) {
  expectRank(kind, scope, x, [3], "[length, features]");
  const [, length, features] = x.shape;
  const width = gates * units;
  const weight = scope.parameter("inputWeight", [features, width], { initial, fans: { fanIn: features, fanOut: units } });
  const hidden = scope.parameter("hiddenWeight", [units, width], {
    initial: initialHidden,
    fans: { fanIn: units, fanOut: units },
  });
  const bias = scope.parameter("inputBias", [width], { initial: initialBias, decay: false });
  scope.count(length * width * (features + units));
  return { projected: add(matmul(x, weight), bias), hidden };
}

/**
 * Runs the recurrence. `step` returns the next carries, each of width `units`. All carries start at zero, and the first
 * carry is the output.
 */
export function recur(
  projected: SymbolicArray,
  { units, sequence = false }: Units,
  carryCount: number,
  step: (carries: readonly SymbolicArray[], x: SymbolicArray) => SymbolicArray[],
): SymbolicArray {
  const start = full(0, [projected.shape[0], units]);
  const { carries, outputs } = scan(
    new Array<SymbolicArray>(carryCount).fill(start),
    [transpose(projected, [1, 0, 2])],
    (before, [x]) => {
      const next = step(before, x);
      return [next, sequence ? [next[0]] : []];
    },
  );
  return sequence ? transpose(outputs[0], [1, 0, 2]) : carries[0];
}
