/**
 * Explains why no start of a model is finite. Each term is evaluated at all starts. Terms are in the order of the
 * model. The explanation names the first term with an element that is −∞ or NaN at all starts. If no term has such an
 * element, the explanation names the first term that is not finite at any start. If every term is finite at some start,
 * the explanation names the term that is not finite at the largest number of starts.
 */

import { broadcastTo, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import { checkConstraint, rankOf, type Support } from "../distributions/constraint.ts";
import type { TracedModel, TracedTerm } from "./context.ts";
import { elementName } from "./element.ts";

/**
 * Returns the explanation, or undefined if all terms are finite. `values`: all terms concatenated, [point, numbers];
 * `inputs`: inputs of the first point, by name.
 */
export function explained(
  { terms }: TracedModel,
  values: Float64Array,
  points: number,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): string | undefined {
  const width = values.length / points;
  let offset = 0;
  const looked = terms.map((term) => {
    const own = seen(term, values, width, points, offset);
    offset += term.density.size;
    return own;
  });
  const everywhere = points === 1 ? "there" : "at all of them";
  const fixed = looked.find(({ element }) => element !== undefined);
  if (fixed)
    return `${named(fixed.term, fixed.element!, inputs)} is ${fixed.value} ${everywhere}${because(fixed.term, fixed.element!, inputs)}`;
  const whole = looked.find(({ broken }) => broken === points);
  const worst = whole ?? looked.reduce((a, b) => (b.broken > a.broken ? b : a), looked[0]);
  if (!worst || worst.broken === 0) return undefined;
  const share = whole ? `${everywhere}, through different elements each time` : `at ${worst.broken} of ${points} of them`;
  return `${called(worst.term)} is ${worst.value} ${share}`;
}

interface Looked {
  readonly term: TracedTerm;
  /** First element that is not finite at any point. */
  readonly element: number | undefined;
  /** Number of points at which at least one element is not finite. */
  readonly broken: number;
  /** Description of the log density. */
  readonly value: string;
}

function seen(term: TracedTerm, values: Float64Array, width: number, points: number, offset: number): Looked {
  const { size } = term.density;
  const counts = new Int32Array(size);
  let broken = 0;
  let first: number | undefined;
  for (let p = 0; p < points; p++) {
    let isBroken = false;
    for (let e = 0; e < size; e++) {
      const value = values[p * width + offset + e];
      if (Number.isFinite(value)) continue;
      first ??= value;
      isBroken = true;
      counts[e]++;
    }
    if (isBroken) broken++;
  }
  const element = counts.indexOf(points);
  const found = element < 0 ? first : values[offset + element];
  const inWords = found === Infinity ? "inf" : Number.isNaN(found) ? "not a number" : "-inf";
  return { term, element: element < 0 ? undefined : element, broken, value: inWords };
}

/** Names a term, as in 'bernoulli y[7] = 2', 'the prior normal of "mu"' or 'a target() term'. */
function named(term: TracedTerm, element: number, inputs: Readonly<Record<string, ArrayLike<number>>>): string {
  const { kind, name, distribution, value, density } = term;
  if (kind === "target" || kind === "marginalise") return called(term);
  if (kind === "param")
    return density.rank === 0 ? called(term) : `${called(term)}, element ${elementName("", density.shape, element)},`;
  const isNumber = distribution!.eventRank === 0 && value;
  const given = isNumber ? ` = ${short(numberAt(value, density, element, inputs))}` : "";
  return `${distribution!.name} ${elementName(name, density.shape, element)}${given}`;
}

function called({ kind, name, distribution }: TracedTerm): string {
  if (kind === "param") return `the prior ${distribution!.name} of "${name}"`;
  if (kind === "observe") return `observe "${name}" of ${distribution!.name}`;
  return kind === "target" ? `the ${name}` : `marginalise "${name}"`;
}

/**
 * Returns the reason why an element is not finite: a parameter that violates its constraint at the first point, or a
 * value outside the support of the distribution.
 */
function because(term: TracedTerm, element: number, inputs: Readonly<Record<string, ArrayLike<number>>>): string {
  const { distribution, value, density } = term;
  if (!distribution || !value) return "";
  for (const [key, array] of Object.entries(distribution.parameters)) {
    const constraint = distribution.family.constraints[key];
    const rank = rankOf(constraint);
    const own = array.shape.slice(array.rank - rank);
    const size = own.reduce((a, b) => a * b, 1);
    const all = interpret(
      [rank === 0 ? broadcastTo(array, density.shape) : broadcastTo(array, [...density.shape, ...own])],
      inputs,
    )[0];
    try {
      checkConstraint(key, key, constraint, all.subarray(element * size, (element + 1) * size));
    } catch (error) {
      if (!(error instanceof ErgodicError)) throw error;
      return `: ${error.said.replace("; change it", "")}`;
    }
  }
  if (distribution.eventRank > 0) return "";
  const x = numberAt(value, density, element, inputs);
  return outside(distribution.support, x, (bound) => numberAt(bound, density, element, inputs));
}

/** Describes the support if it does not contain x. */
function outside(support: Support, x: number, at: (bound: SymbolicArray) => number): string {
  if (support.kind !== "interval" && support.kind !== "integers") return "";
  const low = support.low ? at(support.low) : -Infinity;
  const high = support.high ? at(support.high) : Infinity;
  const isWhole = support.kind === "integers";
  if (x >= low && x <= high && (!isWhole || Number.isInteger(x))) return "";
  const range = Number.isFinite(high)
    ? Number.isFinite(low)
      ? `from ${short(low)} to ${short(high)}`
      : `up to ${short(high)}`
    : `from ${short(low)} on`;
  return `: its values are ${isWhole ? "whole " : ""}numbers ${range}`;
}

const numberAt = (
  array: SymbolicArray,
  { shape }: SymbolicArray,
  element: number,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): number => interpret([broadcastTo(array, shape)], inputs)[0][element];

const short = (x: number): string => String(Number(x.toPrecision(6)));
