import { CapabilityError, CompileError } from "../../base/errors.ts";
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
} from "../../compiler/index.ts";
import { checkCounted } from "./checks.ts";
import { integerBounds } from "./discrete.ts";
import { batchOf } from "./distributions/constraint.ts";
import { Distribution } from "./distributions/index.ts";
import { mixture } from "./distributions/mixture.ts";
import { logAddExp } from "./distributions/terms.ts";
import { forwardBackward, HiddenMarkov, seriesSampler } from "./hidden-markov.ts";

export type States = Distribution | HiddenMarkov;
export type StateTerms = SymbolicArray | ((k: number) => SymbolicArray | Distribution);

/**
 * Discrete latent variables, summed out: log p(y) = log Σ_k p(k) p(y | k), element by element, and P(k | y).
 *
 *   // A mixture: each y_i is of one of K normals.
 *   const z = marginalise(categorical(theta), (k) => normal(at(mu, k), at(sigma, k)), { value: y });
 *   generated("z", z.probabilities);                       // [N, K]
 *
 *   // A change point: counts have one rate before the day s, another from it on; one term for each s, all at once, [T].
 *   const early = poisson(e).logDensity(counts), late = poisson(l).logDensity(counts);
 *   const before = sub(cumsum(early), early), after = sub(sum(late), sub(cumsum(late), late));
 *   generated("s", marginalise(discreteUniform(0, T - 1), add(before, after)).probabilities);
 *
 *   // A hidden Markov chain: y_t depends on a state that depends on the one before.
 *   marginalise(hiddenMarkov(pi, A), (k) => normal(at(mu, k), 1), { value: y });
 *
 * States: a distribution of whole numbers between constant bounds, or hiddenMarkov(). Terms: log p(y | k) for each k in turn,
 * all of one shape; or the distribution of y given k; or all terms as one array, states along its last axis. Sums are taken
 * without overflow.
 */
export interface Marginal {
  /** log p(y), one by one; of a hidden Markov chain each given those before. */
  readonly logDensity: SymbolicArray;
  /** P(state | all that is observed), states along the last axis. */
  readonly probabilities: SymbolicArray;
}

/** A marginal, and what draws values like those that it is of, where the terms were distributions. */
export interface Marginalised extends Marginal {
  readonly drawn: { readonly distribution: Pick<Distribution, "sampler">; readonly batch: Shape } | undefined;
}

const WHERE = "marginalise";

/** `value`: what terms that are distributions are of. @throws CompileError, CapabilityError where states or terms do not fit */
export function marginal(
  states: States,
  terms: StateTerms,
  value: SymbolicArray | undefined,
  data: ReadonlyMap<string, Float64Array>,
): Marginalised {
  if (!(states instanceof Distribution || states instanceof HiddenMarkov))
    throw new CompileError(
      WHERE,
      `states are ${typeof states}, but must be a distribution of whole numbers or hiddenMarkov()`,
      "COMPILE_OPERAND",
    );
  const values = valuesOf(states, data);
  const made = typeof terms === "function" ? values.map((k) => terms(k)) : undefined;
  const components = made?.every((each) => each instanceof Distribution) ? (made as Distribution[]) : undefined;
  if (components && value === undefined)
    throw new CompileError(WHERE, "the terms are distributions, but of what is not said; add { value: y }", "COMPILE_OPERAND");
  if (!components && value !== undefined)
    throw new CompileError(WHERE, "a value was given, but terms that are no distributions; leave one out", "COMPILE_OPERAND");
  const each = components ? components.map((d) => observed(value!, d)) : made;
  if (states instanceof HiddenMarkov) {
    const emissions = each ? stack(alike(each), -1) : checkAll(terms, values.length);
    if (emissions.rank < 2)
      throw new CompileError(WHERE, "the terms have no axis of time; give one for each time, [T]", "COMPILE_SHAPE");
    const own = forwardBackward(states, emissions);
    const drawn = components && { distribution: seriesSampler(states, components), batch: own.logDensity.shape };
    return { ...own, drawn };
  }
  if (!each) return { ...together(allPriorLogs(states, values), checkAll(terms, values.length)), drawn: undefined };
  const result = unrolled(priorLogs(states, values), alike(each));
  if (!components) return { ...result, drawn: undefined };
  const distribution = mixture(exp(allPriorLogs(states, values)), components);
  return { ...result, drawn: { distribution, batch: batchOf(value!.shape, distribution.eventRank) } };
}

function observed(value: SymbolicArray, component: Distribution): SymbolicArray {
  const pointwise = component.logDensity(value);
  checkCounted(value, component, pointwise);
  return pointwise;
}

function valuesOf(states: States, data: ReadonlyMap<string, Float64Array>): number[] {
  if (states instanceof HiddenMarkov) return Array.from({ length: states.states }, (_, k) => k);
  const { low, high } = integerBounds(states.support, data);
  if (states.kind === "discrete" && states.eventRank === 0 && Number.isFinite(high - low))
    return Array.from({ length: high - low + 1 }, (_, i) => low + i);
  throw new CapabilityError(
    WHERE,
    `${states.name} has no finite list of values that is known beforehand; take categorical(), or truncated() with constant bounds`,
    "MODEL_DISCRETE",
  );
}

/** log P(k), each of the shape of the states' batch. */
const priorLogs = (states: Distribution, values: readonly number[]): SymbolicArray[] =>
  values.map((k) => broadcastTo(states.logDensity(k), states.batch));

/** log P(k), states along the last axis; of one distribution for all in one piece. */
const allPriorLogs = (states: Distribution, values: readonly number[]): SymbolicArray =>
  states.batch.length === 0 ? states.logDensity(add(values[0], range(values.length))) : stack(priorLogs(states, values), -1);

function alike(each: readonly (SymbolicArray | Distribution)[]): SymbolicArray[] {
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

/** Element by element over a list of states: one loop, without a table of them. */
function unrolled(logs: readonly SymbolicArray[], terms: readonly SymbolicArray[]): Marginal {
  checkStates(logs[0].shape, terms[0].shape);
  const joint = terms.map((term, i) => add(logs[i], term));
  const logDensity = logAddExp(joint[0], ...joint.slice(1));
  const probabilities = stack(
    joint.map((own) => exp(sub(own, logDensity))),
    -1,
  );
  return { logDensity, probabilities };
}

function together(logs: SymbolicArray, terms: SymbolicArray): Marginal {
  checkStates(logs.shape.slice(0, -1), terms.shape.slice(0, -1));
  const joint = add(logs, terms);
  return { logDensity: logSumExp(joint, { axis: -1 }), probabilities: softmax(joint) };
}

/** States for more elements than there are terms would count each term several times. */
function checkStates(states: Shape, terms: Shape): void {
  if (sizeOf(states) === 1 || sameShape(broadcastShapes(WHERE, [states, terms]), terms)) return;
  throw new CompileError(
    WHERE,
    `the terms have shape ${shapeText(terms)}, but there are states for ${shapeText(states)}, which would count them several times; make the shapes agree`,
    "COMPILE_SHAPE",
  );
}
