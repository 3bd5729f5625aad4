import { CompileError } from "../../base/errors.ts";
import type { Draws } from "../../base/stream.ts";
import {
  add,
  broadcastTo,
  full,
  log,
  logSumExp,
  reshape,
  type Shape,
  type SymbolicArray,
  scan,
  shapeText,
  sizeOf,
  softmax,
  sub,
} from "../../compiler/index.ts";
import { operation } from "../../compiler/signature.ts";
import { type Parameter, parameterArray } from "./distributions/distribution.ts";
import { drawIndex } from "./distributions/draw-counts.ts";
import { parameter } from "./distributions/kinds.ts";
import { collected, type Distribution, type Sampler } from "./distributions/value.ts";
import { withUserLine } from "./user-line.ts";

export class HiddenMarkov {
  readonly initial: SymbolicArray;
  readonly transition: SymbolicArray;

  constructor(initial: SymbolicArray, transition: SymbolicArray) {
    this.initial = initial;
    this.transition = transition;
  }

  get states(): number {
    return this.initial.shape[0];
  }
}

/**
 * A chain of hidden states: P(z₀ = k) = π_k, P(z_t = j | z_{t−1} = i) = A_ij, summed out by the forward recursion:
 *
 *   log a_t(j) = log P(z_t = j | y before t) + log p(y_t | z_t = j), log p(y_t | y before t) = log Σ_j a_t(j).
 *
 * π (`initial`): [K], A (`transition`): [K, K], rows i; simplexes. Emissions log p(y_t | z_t = k): [T, …, K], time first, axes
 * between being chains of their own. Filters are kept normalised, so that nothing underflows however long the chain. Smoothed
 * probabilities P(z_t = k | all y) by the backward recursion. Source: Rabiner 1989; Murphy 2012, 17.4.
 *
 * A chain of hidden states, for marginalise(). @throws CompileError unless initial is [K] and transition [K, K]
 */
export const hiddenMarkov = operation(
  "hiddenMarkov",
  { initial: parameter, transition: parameter },
  (initial: Parameter, transition: Parameter): HiddenMarkov =>
    withUserLine(() => {
      const first = parameterArray("hiddenMarkov", "initial", "simplex", initial);
      const next = parameterArray("hiddenMarkov", "transition", "simplex", transition);
      const k = first.shape[0];
      if (first.rank === 1 && next.rank === 2 && next.shape[0] === k && next.shape[1] === k) return new HiddenMarkov(first, next);
      throw new CompileError(
        "hiddenMarkov",
        `initial has shape ${shapeText(first.shape)} and transition ${shapeText(next.shape)}, but [K] and [K, K] are wanted`,
        "COMPILE_SHAPE",
      );
    }),
);

/** `logDensity`: of each time given those before, [T, …]; `probabilities`: of the states given all times, [T, …, K]. */
export function forwardBackward(
  { initial, transition }: HiddenMarkov,
  emissions: SymbolicArray,
): { logDensity: SymbolicArray; probabilities: SymbolicArray } {
  const shape = emissions.shape.slice(1);
  const logTransition = log(transition);
  const last = { axis: -1, keep: true };
  const forward = scan([broadcastTo(log(initial), shape)], [emissions], ([predicted], [emission]) => {
    const joint = add(predicted, emission);
    const own = logSumExp(joint, last);
    const filtered = sub(joint, own);
    // Σ over the state before, which stands along the last axis but one.
    const moved = add(reshape(filtered, [...shape, 1]), logTransition);
    return [[logSumExp(moved, { axis: -2 })], [reshape(own, shape.slice(0, -1)), filtered]];
  });
  const [logDensity, filters] = forward.outputs;
  const backward = scan(
    [full(0, shape)],
    [emissions, filters],
    ([later], [emission, filtered]) => {
      const ahead = reshape(add(emission, later), [...shape.slice(0, -1), 1, shape[shape.length - 1]]);
      const earlier = logSumExp(add(ahead, logTransition), { axis: -1 });
      return [[sub(earlier, logSumExp(earlier, last))], [softmax(add(filtered, later))]];
    },
    { reverse: true },
  );
  return { logDensity, probabilities: backward.outputs[0] };
}

/** Draws of whole series: states along the chain, then values given them. `emissions`: of each state, over times and what stands beside them. */
export function seriesSampler({ initial, transition }: HiddenMarkov, emissions: readonly Distribution[]) {
  return {
    sampler(batch: Shape = emissions[0].batch): Sampler {
      const each = emissions.map((emission) => emission.sampler(batch));
      const [count, beside] = [sizeOf(batch), sizeOf(batch.slice(1))];
      const elements = (numbers: readonly Float64Array[]) => {
        const [first, rows, ...rest] = numbers;
        let at = 0;
        const drawn = each.map(({ arrays, elements: own }) => own(rest.slice(at, (at += arrays.length))));
        const states = new Int32Array(beside);
        return (draws: Draws, i: number) => {
          const s = i % beside;
          const k = emissions.length;
          const weights = i < beside ? first : rows.subarray(states[s] * k, states[s] * k + k);
          states[s] = drawIndex(draws, weights);
          return drawn[states[s]](draws, i);
        };
      };
      return {
        arrays: [initial, transition, ...each.flatMap(({ arrays }) => arrays)],
        elements,
        draw(draws, numbers) {
          const drawn = elements(numbers);
          return collected(count, (i) => drawn(draws, i));
        },
      };
    },
  };
}
