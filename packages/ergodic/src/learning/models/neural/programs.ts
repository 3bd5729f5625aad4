/**
 * Programs of a network on a batch. They compute the loss, the gradient and the next running statistics as a function
 * of one vector of parameters.
 *
 * In the vector, trained parameters come first, each aligned to a multiple of 16 numbers. Frozen parameters and running
 * statistics, which no rule changes, follow them. Buffers of a program: "x" [batch, …row], "y" [batch], "w" [batch]
 * (row weights, which include the factor of the mean), "parameters", "gradient", "loss".
 */

import { checkInputs } from "../../../engine/compiler/array/checks.ts";
import {
  gradientsOf,
  input,
  reshape,
  type Shape,
  type SymbolicArray,
  shapeText,
  sizeOf,
  watchConditions,
} from "../../../engine/compiler/array/index.ts";
import { familiesOf } from "../../../engine/compiler/array/kernel-families.ts";
import type { ArrayProgram, Binding } from "../../../engine/compiler/array/lowered.ts";
import { add, div, mul, sub, sum } from "../../../engine/compiler/index.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import type { Family } from "../../../engine/memory/families.ts";
import type { Loss } from "../loss.ts";
import { lossOnArrays } from "./loss-on-arrays.ts";
import type { LayerLike } from "./scope.ts";
import { type TracedNetwork, type TracedParameter, type TracedState, traceNetwork } from "./trace.ts";

/** Shift and factor that are applied to x before the first layer. */
export interface InputScale {
  readonly mean: number;
  readonly factor: number;
}

/** Factor and shift that convert outputs to the units of the target. */
export interface TargetScale {
  readonly mean: number;
  readonly deviation: number;
}

export interface NetworkFacts {
  readonly network: LayerLike;
  readonly loss: Loss;
  readonly outputs: number;
  readonly rowShape: Shape;
  readonly scale: InputScale;
  /** Absent if the last layer's outputs are used unchanged. */
  readonly target?: TargetScale;
}

export interface Place {
  readonly offset: number;
  readonly size: number;
}

export interface ParameterLayout {
  readonly parameters: readonly (TracedParameter & Place)[];
  readonly states: readonly (TracedState & Place)[];
  /** Length of the trained part of the vector, which has gradients, and length of the whole vector. */
  readonly trained: number;
  readonly count: number;
}

const ALIGN = 16;

export function layOutParameters({ parameters, states }: TracedNetwork): ParameterLayout {
  let end = 0;
  const placed = <T extends { readonly shape: Shape }>(list: readonly T[]): (T & Place)[] =>
    list.map((one) => {
      const size = sizeOf(one.shape);
      const offset = end;
      end += Math.ceil(size / ALIGN) * ALIGN;
      return { ...one, offset, size };
    });
  const trained = placed(parameters.filter((p) => p.trained));
  const trainedEnd = end;
  const frozen = placed(parameters.filter((p) => !p.trained));
  return { parameters: [...trained, ...frozen], states: placed(states), trained: trainedEnd, count: end };
}

/** Returns the outputs z [batch, outputs] of the network on x [batch, …row]. */
export function outputsOf(
  facts: Omit<NetworkFacts, "loss">,
  batch: number,
  training: boolean,
): TracedNetwork & { readonly z: SymbolicArray } {
  const { network, rowShape, scale, outputs } = facts;
  const x = input("x", [batch, ...rowShape]);
  const scaled = scale.mean === 0 && scale.factor === 1 ? x : mul(sub(x, scale.mean), scale.factor);
  const traced = watchConditions(
    () => traceNetwork(network, scaled, { training }),
    (made) => [made.output, ...made.states.flatMap((s) => (s.next ? [s.next] : []))],
  );
  const { output } = traced;
  checkInputs("network", [output], ["x", ...[...traced.parameters, ...traced.states].map((p) => String(p.input.attributes))]);
  if (output.shape[0] !== batch || output.size !== batch * outputs)
    throw new OptionError(
      "network",
      `the last layer gives ${shapeText(output.shape.slice(1))} per row, but the target needs ${outputs} ${outputs === 1 ? "output" : "outputs"}; end the network with dense(${outputs}), or give mlp(), cnn() and other architectures outputs: ${outputs}`,
      "LAYER_SHAPE",
    );
  const { mean, deviation } = facts.target ?? { mean: 0, deviation: 1 };
  return { ...traced, z: add(mul(reshape(output, [batch, outputs]), deviation), mean) };
}

const PROBE_ROWS = 2;

/** Returns the kernel families that training and prediction call. */
export function familiesOfNetwork(facts: NetworkFacts): Family[] {
  const { z, states } = outputsOf(facts, PROBE_ROWS, true);
  return [...new Set<Family>(["arrays", ...familiesOf([z, ...states.flatMap(({ next }) => (next ? [next] : []))])])];
}

/**
 * Program for the mean loss, its gradient and the running statistics after an update. If `outputs` is set, the program
 * also returns z.
 */
export function updateProgram(
  facts: NetworkFacts,
  batch: number,
  precision: "f32" | "f64",
  layout: ParameterLayout,
  outputs = false,
): ArrayProgram {
  const traced = outputsOf(facts, batch, true);
  const loss = lossOf(facts, batch, traced.z);
  const trained = layout.parameters.filter((p) => p.trained);
  const gradients = gradientsOf(
    loss,
    trained.map((p) => p.input),
  );
  const next = new Map(traced.states.map((s) => [s.path, s.next]));
  return {
    name: "network",
    precision,
    inputs: inputsAt(layout),
    outputs: [
      { value: loss, buffer: "loss", offset: 0 },
      ...(outputs ? [{ value: traced.z, buffer: "z", offset: 0 }] : []),
      ...trained.map((p, i) => ({ value: gradients[i], buffer: "gradient", offset: p.offset })),
      ...layout.states.flatMap((s) => {
        const value = next.get(s.path);
        return value ? [{ value, buffer: "parameters", offset: s.offset }] : [];
      }),
    ],
  };
}

/** Program for the same loss without gradients. */
export function lossProgram(facts: NetworkFacts, batch: number, precision: "f32" | "f64", layout: ParameterLayout): ArrayProgram {
  const { z } = outputsOf(facts, batch, true);
  return {
    name: "network loss",
    precision,
    inputs: inputsAt(layout),
    outputs: [{ value: lossOf(facts, batch, z), buffer: "loss", offset: 0 }],
  };
}

/** Factor that converts the training loss to the target's units. */
export function lossUnitOf({ loss, target }: Pick<NetworkFacts, "loss" | "target">): number {
  return target ? target.deviation * (loss.quadratic ? target.deviation : 1) : 1;
}

/**
 * Returns the loss, in units of the target's deviation if the target was scaled. If the loss were in the units of the
 * target, steps would grow with the square of the target's deviation.
 */
function lossOf(facts: NetworkFacts, batch: number, z: SymbolicArray): SymbolicArray {
  return div(sum(mul(input("w", [batch]), lossOnArrays(facts.loss, z, input("y", [batch])))), lossUnitOf(facts));
}

function inputsAt({ parameters, states }: ParameterLayout): Record<string, Binding> {
  return Object.fromEntries([
    ...parameters.map((p) => [`parameter:${p.path}`, { buffer: "parameters", offset: p.offset }]),
    ...states.map((s) => [`state:${s.path}`, { buffer: "parameters", offset: s.offset }]),
  ]);
}
