import {
  add,
  broadcastTo,
  equal,
  full,
  log,
  logSumExp,
  maximum,
  minimum,
  range,
  reshape,
  type SymbolicArray,
  scan,
  shapeText,
  sizeOf,
  softmax,
  solve,
  sub,
  sum,
  transpose,
  where,
} from "../../engine/compiler/index.ts";
import { type Kind, operation } from "../../engine/compiler/signature.ts";
import { CompileError } from "../../engine/errors/errors.ts";
import { type Parameter, parameterArray } from "../distributions/distribution.ts";
import { drawIndex } from "../distributions/draw-counts.ts";
import { parameter } from "../distributions/kinds.ts";
import type { StateSource } from "./state-draws.ts";
import { withUserLine } from "./user-line.ts";

/** Distribution of the first state, by name. */
export type InitialWord = "stationary" | "uniform";

const words: readonly unknown[] = ["stationary", "uniform"] satisfies InitialWord[];
const initialKind: Kind = {
  wanted: `a list of K probabilities, "stationary" or "uniform"`,
  fits: (x) => words.includes(x) || parameter.fits(x),
};

export class HiddenMarkov {
  protected static readonly typeName: string = "HiddenMarkov";
  readonly initial: SymbolicArray;
  readonly transition: SymbolicArray;
  /** Whether the first state has the stationary distribution. */
  readonly isStationary: boolean;

  constructor(initial: SymbolicArray, transition: SymbolicArray, isStationary = false) {
    this.initial = initial;
    this.transition = transition;
    this.isStationary = isStationary;
  }

  get states(): number {
    return this.initial.shape[0];
  }
}

/**
 * A chain of hidden states, P(z₀ = k) = π_k, P(z_t = j | z_{t−1} = i) = A_ij, which the forward recursion sums out:
 *
 *   log a_t(j) = log P(z_t = j | y before t) + log p(y_t | z_t = j), log p(y_t | y before t) = log Σ_j a_t(j).
 *
 * π (`initial`): [K], a simplex. A (`transition`): [K, K], with simplexes as rows. Emissions log p(y_t | z_t = k): [T,
 * …, K], with time on the first axis. The axes in between belong to independent chains.
 *
 * Filters are normalised at each step, so that long chains do not underflow. Smoothed probabilities P(z_t = k | all y)
 * come from the backward recursion. Source: Rabiner 1989; Murphy 2012, 17.4.
 *
 * `initial` can also be "stationary", which means the π with π = πA, or "uniform". Use "uniform" for models without a
 * term for the first state. A uniform first state changes the density only by a constant.
 *
 * The stationary π is unique if the chain has exactly one closed set of states (a set that it never leaves). A chain
 * that is given by constants or data and has several closed sets is refused. If parameters define the chain, several
 * closed sets occur with probability 0. The log density is then NaN, and samplers reject the proposal.
 *
 * For use in marginalise().
 *
 * @param initial probabilities of the first state, [K], or "stationary" or "uniform"
 * @param transition probabilities of the next state, [K, K], one row per current state
 * @throws CompileError unless initial is [K] and transition [K, K]
 */
export const hiddenMarkov = operation(
  "hiddenMarkov",
  { initial: initialKind, transition: parameter },
  (initial: Parameter | InitialWord, transition: Parameter): HiddenMarkov =>
    withUserLine(() => {
      const next = parameterArray("hiddenMarkov", "transition", "simplex", transition);
      const k = next.shape[0];
      const square = next.rank === 2 && next.shape[1] === k;
      const first =
        square && initial === "stationary"
          ? stationary(next)
          : square && initial === "uniform"
            ? full(1 / k, [k])
            : parameterArray("hiddenMarkov", "initial", "simplex", typeof initial === "string" ? [] : initial);
      if (square && first.rank === 1 && first.shape[0] === k) return new HiddenMarkov(first, next, initial === "stationary");
      throw new CompileError(
        "hiddenMarkov",
        `initial ${typeof initial === "string" ? `is "${initial}"` : `has shape ${shapeText(first.shape)}`} and transition has shape ${shapeText(next.shape)}, but [K] and [K, K] are wanted`,
        "COMPILE_SHAPE",
      );
    }),
);

/**
 * Runs the forward and backward recursions. `logDensity`: log density at each time given earlier times, [T, …].
 * `probabilities`: probabilities of the states given all times, [T, …, K].
 */
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
    // Sums over the previous state, which is on the second-to-last axis.
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

/**
 * Returns the most probable path of states given all observations, [T, …], by Viterbi's algorithm. δ_t(j) is the log
 * probability of the best path that ends in j. The path is read backward from the last time: each state is the best
 * predecessor of the next state. Among equally probable paths, the path with lower states wins. Source: Viterbi 1967;
 * Rabiner 1989, section III.B.
 */
export function mostLikelyPath({ initial, transition }: HiddenMarkov, emissions: SymbolicArray): SymbolicArray {
  const shape = emissions.shape.slice(1);
  const beside = shape.slice(0, -1);
  const states = range(shape[shape.length - 1]);
  const logTransition = log(transition);
  const forward = scan([broadcastTo(log(initial), shape)], [emissions], ([ahead], [emission]) => {
    const best = add(ahead, emission);
    return [[maximum(add(reshape(best, [...shape, 1]), logTransition), { axis: -2 })], [best]];
  });
  const backward = scan(
    [full(0, shape)],
    forward.outputs,
    ([into], [best]) => {
      const state = firstOfMost(add(best, into), states);
      const follows = equal(states, reshape(state, [...beside, 1, 1]));
      return [[sum(where(follows, logTransition, 0), { axis: -1 })], [state]];
    },
    { reverse: true },
  );
  return backward.outputs[0];
}

/** Returns the first state with the highest score, along the last axis. */
export function firstOfMost(scores: SymbolicArray, states: SymbolicArray): SymbolicArray {
  const isMost = equal(scores, maximum(scores, { axis: -1, keep: true }));
  return minimum(where(isMost, states, states.size), { axis: -1 });
}

/** Draws the states along the chain, each from the transition row of its predecessor. */
export function chainStates({ initial, transition, states }: HiddenMarkov): StateSource {
  return {
    arrays: [initial, transition],
    states([first, rows], batch) {
      const beside = sizeOf(batch.slice(1));
      const last = new Int32Array(beside);
      return (draws, i) => {
        const s = i % beside;
        last[s] = drawIndex(draws, i < beside ? first : rows.subarray(last[s] * states, (last[s] + 1) * states));
        return last[s];
      };
    },
  };
}

/**
 * Returns the minimal closed sets of states: sets that the chain never leaves and that contain no smaller closed set.
 * `transition`: [k, k].
 */
export function closedSets(transition: ArrayLike<number>, k: number): number[][] {
  const reached = Array.from({ length: k }, (_, from) => {
    const seen = new Set([from]);
    for (const state of seen) {
      if (seen.size === k) break;
      for (let to = 0; to < k; to++) if (transition[state * k + to] > 0) seen.add(to);
    }
    return seen;
  });
  return reached.flatMap((seen, from) => {
    const states = [...seen].sort((a, b) => a - b);
    return states[0] === from && states.every((state) => reached[state].has(from)) ? [states] : [];
  });
}

/**
 * Returns the stationary π = πA of a chain with one closed set. Solves π (I − A + 1) = 1, where 1 is a matrix or vector
 * of ones.
 */
function stationary(transition: SymbolicArray): SymbolicArray {
  const k = transition.shape[0];
  const identity = equal(reshape(range(k), [k, 1]), range(k));
  return solve(transpose(add(sub(identity, transition), 1)), full(1, [k]));
}
