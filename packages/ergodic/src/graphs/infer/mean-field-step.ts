import type { Conditionals } from "../../engine/contract/index.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { type Draws, stream } from "../../engine/random/stream.ts";
import { Pauses } from "../../engine/threads/steps.ts";

/** Number of joint states that are averaged in one step. */
const DRAWS = 4;
/** Replaces −∞, the logarithm of 0, so that means stay finite. */
const ZERO = -50;

/**
 * Takes one step of naive mean field from the uniform distribution, by Monte Carlo: p(x_i = s) ∝ exp(mean over joint
 * states of Σ_f ln φ_f(s, x_∖i)). The joint states are uniform draws consistent with the observations. The step needs
 * only a few passes over the factors, in any order. For very large graphs, this step is therefore the cheapest
 * estimate. Yields every few milliseconds.
 *
 * @returns probabilities of the states of each variable
 */
export function* meanFieldStep(columns: Conditionals, seed: number): Generator<void, Float64Array[]> {
  const { cardinalities, observed, ends, variables } = columns;
  const sums = Array.from(cardinalities, (count) => new Float64Array(count));
  const pauses = new Pauses();
  const random = stream(seed, "mean field step");
  for (let draw = 0; draw < DRAWS; draw++) {
    const states = drawn(columns, random.at(draw));
    let from = 0;
    for (let factor = 0; factor < ends.length; factor++) {
      const end = ends[factor];
      if (pauses.due(4 * (end - from))) yield;
      const scale = scaleOf(columns, factor);
      for (let edge = from; edge < end; edge++) {
        const sum = sums[variables[edge]];
        const { at, step } = entries(columns, states, factor, from, edge);
        for (let s = 0; s < sum.length; s++) {
          const value = columns.shapeValues[at + step(s)];
          sum[s] += value === -Infinity ? ZERO : scale * value;
        }
      }
      from = end;
    }
  }
  return sums.map((sum, variable) => {
    const seen = observed[variable];
    return seen < 0 ? softmax(sum) : new Float64Array(sum.length).fill(1, seen, seen + 1);
  });
}

const drawn = ({ cardinalities, observed }: Conditionals, draws: Draws): Int32Array =>
  Int32Array.from(cardinalities, (count, variable) => (observed[variable] < 0 ? draws.integer(count) : observed[variable]));

function scaleOf({ weights, weightValues, features }: Conditionals, factor: number): number {
  return (weights[factor] < 0 ? 1 : weightValues[weights[factor]]) * (features?.[factor] ?? 1);
}

/** Locates a factor's entries for each state of one of its variables, with the other variables fixed. */
function entries(
  { cardinalities, ends, variables, literals, shapes, shapeBegins, counting }: Conditionals,
  states: Int32Array,
  factor: number,
  from: number,
  edge: number,
): { at: number; step: (state: number) => number } {
  const end = ends[factor];
  const shape = shapes[factor];
  let at = shapeBegins[shape];
  if (counting[shape]) {
    const arity = end - from;
    for (let other = from; other < end; other++)
      if (other !== edge && states[variables[other]] === literals[other]) at += other === end - 1 ? arity : 1;
    const worth = edge === end - 1 ? arity : 1;
    return { at, step: (state) => (state === literals[edge] ? worth : 0) };
  }
  let stride = 1;
  let own = 1;
  for (let other = end - 1; other >= from; other--) {
    if (other === edge) own = stride;
    else at += stride * states[variables[other]];
    stride *= cardinalities[variables[other]];
  }
  return { at, step: (state) => own * state };
}

function softmax(sums: Float64Array): Float64Array {
  const high = sums.reduce((most, value) => Math.max(most, value), -Infinity);
  const p = sums.map((value) => exp((value - high) / DRAWS));
  const total = p.reduce((sum, value) => sum + value, 0);
  return p.map((value) => value / total);
}
