/**
 * Programs of a restricted Boltzmann machine on a batch: the gradient of contrastive divergence, and a loss.
 *
 * E(v, h) = −a·v − b·h − vᵀWh. The gradient of −ln p(v) is the difference of two means of vᵀ p(h | v): over states of
 * the model minus over the rows. The states of the model come from `steps` sweeps of Gibbs sampling, which start at the
 * rows (CD-k; Hinton 2002) or at the last states of the chains (persistent contrastive divergence; Tieleman 2008). Both
 * means use the probabilities of the hidden units instead of their draws, which has less variance.
 * Loss: the stochastic pseudo-likelihood, −d ln p(v_j | other v) for one random unit j of each row. It is not the
 * objective whose gradient is followed, and it is cheap: flipping a unit changes the inputs of the hidden units by a row
 * of W.
 */

import {
  gather,
  input,
  matmul,
  matrixTranspose,
  pick,
  reshape,
  type SymbolicArray,
  uniform,
} from "../../../engine/compiler/array/index.ts";
import type { ArrayProgram, Binding } from "../../../engine/compiler/array/lowered.ts";
import { add, div, floor, less, mul, sigmoid, softplus, sub, sum, where } from "../../../engine/compiler/index.ts";
import type { ArrayLayout, ParameterPlace, Place } from "../array-problem.ts";

/** Size of a machine and the way its gradient is estimated. */
export interface MachineFacts {
  readonly visible: number;
  readonly hidden: number;
  /** Sweeps of Gibbs sampling per update. */
  readonly steps: number;
  /** Number of persistent chains; 0 if sampling starts at the rows. */
  readonly chains: number;
}

const ALIGN = 16;

/** Returns the places of W (row-major [visible, hidden]), a and b, and of the hidden states of the persistent chains. */
export function layOutMachine({ visible, hidden, chains }: MachineFacts): ArrayLayout {
  let end = 0;
  const place = (path: string, size: number): Place => {
    const offset = end;
    end += Math.ceil(size / ALIGN) * ALIGN;
    return { path, offset, size };
  };
  const parameter = (path: string, size: number, decay: boolean): ParameterPlace => ({
    ...place(path, size),
    ...{ trained: true, decay },
  });
  const parameters = [
    parameter("weight", visible * hidden, true),
    parameter("visibleBias", visible, false),
    parameter("hiddenBias", hidden, false),
  ];
  const trained = end;
  const states = chains > 0 ? [place("chains", chains * hidden)] : [];
  return { parameters, states, trained, count: end };
}

/** Program for the loss, the gradient, and the next states of the chains. */
export function machineProgram(
  facts: MachineFacts,
  batch: number,
  precision: "f32" | "f64",
  { parameters, states }: ArrayLayout,
): ArrayProgram {
  const { visible, hidden, steps, chains } = facts;
  const [weight, a, b] = [input("weight", [visible, hidden]), input("visibleBias", [visible]), input("hiddenBias", [hidden])];
  const [v, w] = [input("x", [batch, visible]), input("w", [batch])];
  // Stream 0 is used to sample rows.
  let stream = 1;
  const draw = (probability: SymbolicArray): SymbolicArray =>
    where(less(uniform(probability.shape, stream++), probability), 1, 0);
  const inputs = add(matmul(v, weight), b);
  const present = sigmoid(inputs);
  const flipped = floor(mul(uniform([batch], stream++), visible));
  let [free, sampled] = [v, present];
  let next = chains > 0 ? input("chains", [chains, hidden]) : draw(present);
  for (let step = 0; step < steps; step++) {
    free = draw(sigmoid(add(matmul(next, matrixTranspose(weight)), a)));
    sampled = sigmoid(add(matmul(free, weight), b));
    if (chains > 0 || step < steps - 1) next = draw(sampled);
  }
  // The rows that fill an incomplete batch have weight 0. Chains count equally.
  const share = reshape(w, [batch, 1]);
  const weighted = (states: SymbolicArray): SymbolicArray => (chains > 0 ? div(mul(states, sum(w)), chains) : mul(states, share));
  const difference = (ofModel: SymbolicArray, ofRows: SymbolicArray): SymbolicArray =>
    sub(sum(weighted(ofModel), { axis: 0 }), sum(mul(ofRows, share), { axis: 0 }));
  const gradients = [
    sub(matmul(matrixTranspose(free), weighted(sampled)), matmul(matrixTranspose(v), mul(present, share))),
    difference(free, v),
    difference(sampled, present),
  ];
  const loss = sum(mul(w, pseudoLikelihood({ v, inputs, flipped, weight, a })));
  const values: Record<string, Binding> = Object.fromEntries(
    [...parameters, ...states].map(({ path, offset }) => [path, { buffer: "parameters", offset }]),
  );
  return {
    ...{ name: "boltzmannMachine", precision, inputs: values },
    outputs: [
      { value: loss, buffer: "loss", offset: 0 },
      ...parameters.map(({ offset }, i) => ({ value: gradients[i], buffer: "gradient", offset })),
      ...states.map(({ offset }) => ({ value: next, buffer: "parameters", offset })),
    ],
  };
}

interface Flip {
  readonly v: SymbolicArray;
  /** b + Wᵀv. */
  readonly inputs: SymbolicArray;
  /** Index of the flipped unit of each row. */
  readonly flipped: SymbolicArray;
  readonly weight: SymbolicArray;
  readonly a: SymbolicArray;
}

/** Returns −d ln p(v_j | other v) for each row, where j is the flipped unit and d is the number of visible units. */
function pseudoLikelihood({ v, inputs, flipped, weight, a }: Flip): SymbolicArray {
  const [batch, visible] = v.shape;
  const change = sub(1, mul(2, pick(v, flipped)));
  const moved = add(inputs, mul(reshape(change, [batch, 1]), gather(weight, flipped)));
  const rise = add(mul(gather(a, flipped), change), sum(sub(softplus(moved), softplus(inputs)), { axis: 1 }));
  // ln p(v_j | other v) = −softplus(F(v) − F(v with j flipped)), and that difference of free energies is `rise`.
  return mul(visible, softplus(rise));
}
