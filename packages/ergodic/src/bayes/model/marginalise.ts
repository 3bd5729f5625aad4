import {
  add,
  broadcastShapes,
  broadcastTo,
  exp,
  isArray,
  logSumExp,
  range,
  type Shape,
  type SymbolicArray,
  sameShape,
  shapeText,
  sizeOf,
  softmax,
  stack,
  sub,
  toArray,
} from "../../engine/compiler/index.ts";
import { CapabilityError, CompileError } from "../../engine/errors/errors.ts";
import { batchOf } from "../distributions/constraint.ts";
import { drawIndex } from "../distributions/draw-counts.ts";
import { Distribution } from "../distributions/index.ts";
import { mixture } from "../distributions/mixture.ts";
import { logAddExp } from "../distributions/terms.ts";
import { checkCounted } from "./checks.ts";
import { integerBounds } from "./discrete.ts";
import { chainStates, firstOfMost, forwardBackward, HiddenMarkov, mostLikelyPath } from "./hidden-markov.ts";
import { type StateSource, stateSamplers } from "./state-draws.ts";

export type States = Distribution | HiddenMarkov;
/** Distributions of several values given one state, by name or in a list. */
export type StateDistributions = readonly Distribution[] | Readonly<Record<string, Distribution>>;
export type StateTerms = SymbolicArray | ((k: number) => SymbolicArray | Distribution | StateDistributions);

/**
 * Discrete latent variables, summed out: log p(y) = log Σ_k p(k) p(y | k), element by element, and P(k | y).
 *
 * States: a distribution over whole numbers between constant bounds, or hiddenMarkov(). Terms: either log p(y | k) for
 * each k in turn, all of the same shape; or the distribution of y given k; or one array that contains all terms, with
 * states along its last axis. Sums cannot overflow.
 *
 * @example
 * ```ts
 * // A mixture: each y_i is of one of K normals.
 * const z = marginalise(categorical(theta), (k) => normal(at(mu, k), at(sigma, k)), { value: y });
 * generated("z", z.probabilities);                       // [N, K]
 *
 * // A change point: counts have one rate before day s and another from s on. One array holds the terms of all s, [T].
 * const early = poisson(e).logDensity(counts), late = poisson(l).logDensity(counts);
 * const before = sub(cumsum(early), early), after = sub(sum(late), sub(cumsum(late), late));
 * generated("s", marginalise(discreteUniform(0, T - 1), add(before, after)).probabilities);
 *
 * // A hidden Markov chain: y_t depends on a state that depends on the one before.
 * marginalise(hiddenMarkov(pi, A), (k) => normal(at(mu, k), 1), { value: y });
 *
 * // Several values of one state, by name (or in lists).
 * const terms = (k) => ({ step: gamma(at(a, k), at(b, k)), turn: vonMises(0, at(kappa, k)) });
 * marginalise(hiddenMarkov("stationary", A), terms, { value: { step, turn } });
 * ```
 */
export interface Marginal {
  /** Pointwise log p(y); for a hidden Markov chain, each value is conditional on the earlier values. */
  readonly logDensity: SymbolicArray;
  /** P(state | all observations), with states along the last axis. */
  readonly probabilities: SymbolicArray;
  /**
   * Most probable states, counted from 0: for a hidden Markov chain the jointly most probable path (Viterbi's
   * algorithm), otherwise each state separately.
   */
  readonly mostLikely: SymbolicArray;
}

/** One of the values that a marginal observes. `key` is the name of the value if there are several values. */
export interface MarginalPart {
  readonly key: string | undefined;
  readonly value: SymbolicArray;
  readonly distribution: Pick<Distribution, "sampler">;
  readonly batch: Shape;
}

/** A marginal with samplers for its observed values. `parts` is empty if the terms are not distributions. */
export interface Marginalised {
  readonly marginal: Marginal;
  readonly parts: readonly MarginalPart[];
}

/** Observed value or values, for terms that are given as distributions. */
export type MarginalValue = SymbolicArray | readonly SymbolicArray[] | Readonly<Record<string, SymbolicArray>>;

const WHERE = "marginalise";

/** @throws CompileError, CapabilityError if states or terms do not fit */
export function marginal(
  states: States,
  terms: StateTerms,
  value: MarginalValue | undefined,
  data: ReadonlyMap<string, Float64Array>,
): Marginalised {
  if (!(states instanceof Distribution || states instanceof HiddenMarkov))
    throw new CompileError(
      WHERE,
      `states are ${typeof states}, but must be a distribution of whole numbers or hiddenMarkov()`,
      "COMPILE_OPERAND",
    );
  const values = valuesOf(states, data, typeof terms === "function" ? MOST_CALLS : MOST_STATES);
  const made = typeof terms === "function" ? values.map((k) => terms(k)) : undefined;
  const observed = value === undefined ? undefined : observedParts(value, made, values);
  if (!observed && made?.some((each) => !isArray(each)) && made.every((each) => each instanceof Distribution || isSeveral(each)))
    throw new CompileError(
      WHERE,
      "the terms are distributions, but their value is not given; add { value: y }",
      "COMPILE_OPERAND",
    );
  const each = observed ? logDensities(observed, values.length) : made;
  if (states instanceof HiddenMarkov) {
    const emissions = each ? stack(alike(each), -1) : checkAll(terms, values.length);
    if (emissions.rank < 2)
      throw new CompileError(WHERE, "the terms have no axis of time; give one for each time, [T]", "COMPILE_SHAPE");
    const own = forwardBackward(states, emissions);
    return {
      marginal: { ...own, ...lazily(() => mostLikelyPath(states, emissions)) },
      parts: observed ? drawnParts(observed, chainStates(states), own.logDensity.shape) : [],
    };
  }
  const found = each
    ? unrolled(priorLogs(states, values), alike(each))
    : together(allPriorLogs(states, values), checkAll(terms, values.length));
  const first = toArray(values[0]);
  const own = { ...found, ...lazily(() => add(first, firstOfMost(found.probabilities, range(values.length)))) };
  if (!observed) return { marginal: own, parts: [] };
  const weights = exp(allPriorLogs(states, values));
  if (observed.length > 1)
    return { marginal: own, parts: drawnParts(observed, freeStates(weights, values.length), found.logDensity.shape) };
  const [{ key, value: only, distributions }] = observed;
  const distribution = mixture(weights, distributions);
  return { marginal: own, parts: [{ key, value: only, distribution, batch: batchOf(only.shape, distribution.eventRank) }] };
}

/** Computes `mostLikely` on first access. */
function lazily(make: () => SymbolicArray): { readonly mostLikely: SymbolicArray } {
  let made: SymbolicArray | undefined;
  return {
    get mostLikely() {
      made ??= make();
      return made;
    },
  };
}

interface ObservedPart {
  readonly key: string | undefined;
  readonly value: SymbolicArray;
  /** Distribution for each state. */
  readonly distributions: readonly Distribution[];
}

const isSeveral = (given: unknown): given is StateDistributions =>
  typeof given === "object" && given !== null && !isArray(given) && !(given instanceof Distribution);

/** @throws CompileError if a key is a symbol, which lists of keys do not contain */
export function refuseSymbols(record: object): void {
  const symbol = Object.getOwnPropertySymbols(record)[0];
  if (symbol === undefined) return;
  throw new CompileError(
    WHERE,
    `${String(symbol)} is a key, but the values of a state must be named by strings, as their draws are; write { value: { y, z } }`,
    "COMPILE_OPERAND",
  );
}

/** Returns one observed value with its distributions, or several observed values by key. */
function observedParts(
  value: MarginalValue,
  made: readonly (SymbolicArray | Distribution | StateDistributions)[] | undefined,
  states: readonly number[],
): ObservedPart[] {
  if (isArray(value)) {
    if (made?.every((term) => term instanceof Distribution))
      return [{ key: undefined, value, distributions: made as Distribution[] }];
    throw new CompileError(
      WHERE,
      made?.some(isSeveral)
        ? "the terms are several distributions, but there is one value; give value the same keys: { value: { y, z } }"
        : "value was given, but the terms are not distributions; leave value out, or give distributions",
      "COMPILE_OPERAND",
    );
  }
  const keys = Object.keys(value);
  for (const term of made ?? []) if (isSeveral(term)) refuseSymbols(term);
  const several = (made ?? []).map((term, k) => {
    const own = isSeveral(term) ? Object.keys(term) : [];
    const fits =
      own.length === keys.length && keys.every((key) => (term as Record<string, unknown>)[key] instanceof Distribution);
    if (fits && keys.length > 0) return term as Readonly<Record<string, Distribution>>;
    throw new CompileError(
      WHERE,
      `value has ${keys.length === 0 ? "no keys" : `the keys ${keys.join(", ")}`}, but the term of state ${states[k]} ${isSeveral(term) ? `has ${own.join(", ") || "none"}` : "is not a record"}; give a distribution for each key of value`,
      "COMPILE_OPERAND",
    );
  });
  if (several.length === 0)
    throw new CompileError(
      WHERE,
      "value was given, but the terms are not distributions; leave value out, or give distributions",
      "COMPILE_OPERAND",
    );
  return keys.map((key) => ({
    key,
    value: (value as Readonly<Record<string, SymbolicArray>>)[key],
    distributions: several.map((term) => term[key]),
  }));
}

/**
 * Log density for each state. The log densities of the values are added, because the values are independent given the
 * state.
 */
function logDensities(parts: readonly ObservedPart[], count: number): SymbolicArray[] {
  const each = parts.map(({ value, distributions }) => distributions.map((one) => observed(value, one)));
  const shapes = each.map((terms) =>
    broadcastShapes(
      WHERE,
      terms.map((term) => term.shape),
    ),
  );
  const other = shapes.findIndex((shape) => !sameShape(shape, shapes[0]));
  if (other > 0)
    throw new CompileError(
      WHERE,
      `"${parts[0].key}" has terms of shape ${shapeText(shapes[0])}, but "${parts[other].key}" of shape ${shapeText(shapes[other])}; values of one state must have as many elements`,
      "COMPILE_SHAPE",
    );
  return Array.from({ length: count }, (_, k) => each.map((terms) => terms[k]).reduce((sum, term) => add(sum, term)));
}

function drawnParts(parts: readonly ObservedPart[], source: StateSource, batch: Shape): MarginalPart[] {
  const samplers = stateSamplers(
    source,
    parts.map(({ distributions }) => distributions),
  );
  return parts.map(({ key, value }, i) => ({ key, value, distribution: samplers[i], batch }));
}

/** Draws states independently. `weights`: either one set for all elements or one set per element. */
function freeStates(weights: SymbolicArray, count: number): StateSource {
  return {
    arrays: [weights],
    states:
      ([all]) =>
      (draws, i) =>
        drawIndex(draws, all.length === count ? all : all.subarray(i * count, (i + 1) * count)),
  };
}

function observed(value: SymbolicArray, component: Distribution): SymbolicArray {
  const pointwise = component.logDensity(value);
  checkCounted(value, component, pointwise);
  return pointwise;
}

/**
 * Maximum number of states. The first limit is for terms from a function, which are expanded one by one. The second is
 * for terms in one array.
 */
const MOST_CALLS = 2000;
const MOST_STATES = 2 ** 24;

function valuesOf(states: States, data: ReadonlyMap<string, Float64Array>, most: number): number[] {
  if (states instanceof HiddenMarkov) return Array.from({ length: states.states }, (_, k) => k);
  const { low, high } = integerBounds(states.support, data);
  if (high - low + 1 > most && Number.isFinite(high - low))
    throw new CapabilityError(
      WHERE,
      `${states.name} has ${high - low + 1} values, but at most ${most} can be summed out ${most === MOST_CALLS ? "by a function of each; give all terms as one array, states along its last axis" : "at a time"}`,
      "MODEL_DISCRETE",
    );
  if (states.kind === "discrete" && states.eventRank === 0 && Number.isFinite(high - low))
    return Array.from({ length: high - low + 1 }, (_, i) => low + i);
  throw new CapabilityError(
    WHERE,
    `${states.name} has no finite list of values that is known in advance; use categorical(), or truncated() with constant bounds`,
    "MODEL_DISCRETE",
  );
}

/** log P(k) for each k, with the batch shape of the states. */
const priorLogs = (states: Distribution, values: readonly number[]): SymbolicArray[] =>
  values.map((k) => broadcastTo(states.logDensity(k), states.batch));

/** log P(k), with states along the last axis; a single expression if all elements share one distribution. */
const allPriorLogs = (states: Distribution, values: readonly number[]): SymbolicArray =>
  states.batch.length === 0 ? states.logDensity(add(values[0], range(values.length))) : stack(priorLogs(states, values), -1);

function alike(each: readonly (SymbolicArray | Distribution | StateDistributions)[]): SymbolicArray[] {
  const arrays = each.map((term) => {
    if (isArray(term)) return term;
    throw new CompileError(
      WHERE,
      `a term is ${term instanceof Distribution ? `the distribution ${term.name}, others are not` : typeof term}, but all must be symbolic arrays, or all distributions`,
      "COMPILE_OPERAND",
    );
  });
  const shape = broadcastShapes(
    WHERE,
    arrays.map((a) => a.shape),
  );
  return arrays.map((a) => broadcastTo(a, shape));
}

function checkAll(terms: unknown, count: number): SymbolicArray {
  if (isArray(terms) && terms.shape[terms.rank - 1] === count) return terms;
  throw new CompileError(
    WHERE,
    `terms are ${isArray(terms) ? shapeText(terms.shape) : typeof terms}, but must be a function of the state, or an array with ${count} states along its last axis`,
    "COMPILE_SHAPE",
  );
}

/** Sums a list of states element by element. The sum takes one loop and needs no table of states. */
function unrolled(logs: readonly SymbolicArray[], terms: readonly SymbolicArray[]): Omit<Marginal, "mostLikely"> {
  checkStates(logs[0].shape, terms[0].shape);
  const joint = terms.map((term, i) => add(logs[i], term));
  const logDensity = logAddExp(joint[0], ...joint.slice(1));
  const probabilities = stack(
    joint.map((own) => exp(sub(own, logDensity))),
    -1,
  );
  return { logDensity, probabilities };
}

function together(logs: SymbolicArray, terms: SymbolicArray): Omit<Marginal, "mostLikely"> {
  checkStates(logs.shape.slice(0, -1), terms.shape.slice(0, -1));
  const joint = add(logs, terms);
  return { logDensity: logSumExp(joint, { axis: -1 }), probabilities: softmax(joint) };
}

/**
 * Checks that the shape of the states broadcasts to the shape of the terms. Otherwise, terms would be counted several
 * times.
 */
function checkStates(states: Shape, terms: Shape): void {
  if (sizeOf(states) === 1 || sameShape(broadcastShapes(WHERE, [states, terms]), terms)) return;
  throw new CompileError(
    WHERE,
    `the terms have shape ${shapeText(terms)}, but there are states for ${shapeText(states)}, which would count them several times; make the shapes agree`,
    "COMPILE_SHAPE",
  );
}
