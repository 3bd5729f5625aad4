import type { Conditionals } from "../../engine/contract/index.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { Pauses } from "../../engine/threads/steps.ts";
import { namesText } from "./names-text.ts";

/** Largest number of joint states of a factor's unknown variables that are enumerated. */
const MOST_COMPLETIONS = 64;
/** Differences up to this share of the terms count as rounding errors. */
const ROUNDING = 1e-9;

/** Further inputs of the check of separability. */
interface SeparableOptions {
  /** Result of `partsWithEvidence`. */
  readonly hasEvidence: Uint8Array;
  /** Whether a penalty keeps the weight finite. Such a weight is treated as fixed. */
  isBounded(weight: number): boolean;
  nameOf(weight: number): string;
}

/**
 * Reports a finding if the likelihood of the evidence increases without bound as weights grow, so that no optimal
 * weights exist. Two directions are tested. The first changes a single weight. For a single weight, the likelihood
 * grows without bound if, at the evidence, all factors with this weight are at their maximum or all are at their
 * minimum, whatever the states of unobserved variables. The second direction changes all weights together. This
 * direction is tested only if each factor has a single variable, which is observed. The likelihood then grows without
 * bound if no state of any variable has a larger sum than the observed state. Factors in parts without evidence do not
 * count. `values` are the weights, by index. Yields every few milliseconds.
 */
export function* separableFindings(
  columns: Conditionals,
  values: Float64Array,
  { hasEvidence, isBounded, nameOf }: SeparableOptions,
): Generator<void, Finding[]> {
  // Zeros can rule out the very states that would limit the growth, so nothing is reported for graphs with zeros.
  if (columns.shapeValues.includes(-Infinity)) return [];
  const given = columns.weightFixed;
  const weightFixed = given.map((fixed, weight) => (fixed || isBounded(weight) ? 1 : 0));
  if (!weightFixed.includes(0)) return [];
  const someBounded = weightFixed.some((fixed, weight) => fixed !== given[weight]);
  const { alone, together } = yield* directions({ ...columns, weightFixed }, values, hasEvidence);
  if (alone.length === 0 && !together) return [];
  const named = `${namesText(alone, nameOf)} grow${alone.length === 1 ? "s" : ""}`;
  const which = alone.length > 0 ? named : `all weights${someBounded ? " without a penalty" : ""} grow`;
  return [
    {
      code: "separable",
      serious: true,
      text: `the evidence becomes ever more probable as ${which} without bound, because no evidence contradicts this: no weights are best, and the size of these depends on when the run ended`,
      advice: someBounded ? "leave these weights out of unpenalised" : "give fit a penalty, for instance l2: 0.01",
    },
  ];
}

/**
 * Returns the learned weights that grow without bound when each is changed alone. Also returns whether the weights grow
 * without bound when all are changed together.
 */
function* directions(
  columns: Conditionals,
  values: Float64Array,
  hasEvidence: Uint8Array,
): Generator<void, { readonly alone: readonly number[]; readonly together: boolean }> {
  const { ends, variables, weights, weightFixed, features, shapes } = columns;
  const states = knownStates(columns);
  const ranges = shapeRanges(columns);
  // Flags per weight: at the evidence, some factor might not be at its maximum, or might not be at its minimum.
  const [down, up] = [1, 2];
  const said = new Uint8Array(weightFixed.length);
  const margins = new Map<number, Float64Array>();
  const pauses = new Pauses();
  let unary = true;
  for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
    const weight = weights[factor];
    const to = ends[factor];
    if (weight < 0 || weightFixed[weight]) continue;
    if (pauses.due(to - from)) yield;
    const scope = variables.subarray(from, to);
    const at = Int32Array.from(scope, (v) => states[v]);
    if (!hasEvidence[variables[from]]) continue;
    const hidden = at.some((state) => state < 0);
    if (scope.length > 1 || hidden) unary = false;
    const { least, most } = ranges[shapes[factor]];
    const feature = features?.[factor] ?? 1;
    if (feature === 0 || most === least) continue;
    const [low, high] = hidden ? rangeAt(columns, factor, at) : pair(valueAt(columns, factor, at));
    if (feature > 0 ? low < most : high > least) said[weight] |= down;
    if (feature > 0 ? high > least : low < most) said[weight] |= up;
    if (unary) addMargins(margins, columns, factor, { variable: scope[0], state: at[0], scale: values[weight] * feature });
  }
  const sums = [...margins.values()];
  const some = (test: (sum: number, rounding: number) => boolean): boolean =>
    sums.some((margin) => margin.some((sum, k) => k % 2 === 0 && test(sum, ROUNDING * margin[k + 1])));
  const together = unary && some((sum, rounding) => sum > rounding) && !some((sum, rounding) => sum < -rounding);
  return { alone: Array.from(said.keys()).filter((k) => said[k] === up || said[k] === down), together };
}

/**
 * For a factor of one variable, adds `scale` times the advantage of the variable's state over each other state. Also
 * adds up the magnitudes of the added terms.
 */
function addMargins(
  margins: Map<number, Float64Array>,
  columns: Conditionals,
  factor: number,
  { variable, state, scale }: { readonly variable: number; readonly state: number; readonly scale: number },
): void {
  const count = columns.cardinalities[variable];
  const margin = margins.get(variable) ?? new Float64Array(2 * count);
  margins.set(variable, margin);
  const value = (s: number): number => scale * valueAt(columns, factor, Int32Array.of(s));
  for (let s = 0; s < count; s++) {
    margin[2 * s] += value(state) - value(s);
    margin[2 * s + 1] += Math.abs(value(state)) + Math.abs(value(s));
  }
}

/** Returns the smallest and largest value of each shape's function. */
function shapeRanges({ shapeBegins, shapeValues, counting }: Conditionals): { readonly least: number; readonly most: number }[] {
  return Array.from(counting, (_, shape) => {
    let [least, most] = [Infinity, -Infinity];
    for (let k = shapeBegins[shape]; k < shapeBegins[shape + 1]; k++) {
      least = Math.min(least, shapeValues[k]);
      most = Math.max(most, shapeValues[k]);
    }
    return { least, most };
  });
}

/** Markers for unobserved variables and for variables with an uncertain label. */
const [UNKNOWN, UNCERTAIN] = [-1, -2];

/** Returns the state of each variable that is observed or has a certain label. */
function knownStates({ observed, labels }: Conditionals): Int32Array {
  const states = observed.map((state) => (state < 0 ? UNKNOWN : state));
  for (const [variable, p] of labels ?? []) {
    const sum = p.reduce((a, b) => a + b, 0);
    const certain = p.findIndex((value) => value > 0 && value === sum);
    if (states[variable] < 0) states[variable] = certain < 0 ? UNCERTAIN : certain;
  }
  return states;
}

const pair = (value: number): readonly [number, number] => [value, value];

/**
 * Returns the smallest and largest value of a factor's function over the states of its unknown variables, or an infinite
 * range if there are too many joint states.
 */
function rangeAt(columns: Conditionals, factor: number, states: Int32Array): readonly [number, number] {
  const from = factor === 0 ? 0 : columns.ends[factor - 1];
  const unknown = Array.from(states.keys()).filter((i) => states[i] < 0);
  const counts = unknown.map((i) => columns.cardinalities[columns.variables[from + i]]);
  const completions = counts.reduce((product, count) => product * count, 1);
  if (completions > MOST_COMPLETIONS) return [-Infinity, Infinity];
  const at = states.slice();
  let [low, high] = [Infinity, -Infinity];
  for (let number = 0; number < completions; number++) {
    let left = number;
    unknown.forEach((i, k) => {
      at[i] = left % counts[k];
      left = Math.floor(left / counts[k]);
    });
    const value = valueAt(columns, factor, at);
    [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  return [low, high];
}

/** Returns the value of a factor's function at given states of its variables. */
function valueAt(columns: Conditionals, factor: number, states: Int32Array): number {
  const { ends, variables, cardinalities, literals, shapes, counting, shapeBegins, shapeValues } = columns;
  const from = factor === 0 ? 0 : ends[factor - 1];
  const last = states.length - 1;
  let index = 0;
  if (counting[shapes[factor]])
    states.forEach((state, i) => {
      if (state === literals[from + i]) index += i === last ? last + 1 : 1;
    });
  else
    states.forEach((state, i) => {
      index = index * cardinalities[variables[from + i]] + state;
    });
  return shapeValues[shapeBegins[shapes[factor]] + index];
}
