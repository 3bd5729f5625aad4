/**
 * Constraint words of parameters, and the transforms that map unconstrained numbers to the allowed values.
 *
 * "real", "positive", "unitInterval", "angle" apply to each element; "simplex", "ordered", "positiveOrdered",
 * "unitVector" to each row. "correlationCholesky" and "covarianceCholesky" apply to a single factor [d, d]. Its shape is
 * given as "d" or ["d", "d"]. `{ lower, upper }` are bounds, which can depend on other parameters. If the prior is
 * bounded too, both bounds apply.
 */

import {
  type ArrayLikeOperand,
  max,
  min,
  type Shape,
  type SymbolicArray,
  shapeText,
  toArray,
} from "../../engine/compiler/index.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { Support } from "../distributions/constraint.ts";
import { checkOrder, distributionNames } from "../distributions/distribution.ts";
import {
  angle,
  correlationCholesky,
  covarianceCholesky,
  interval,
  lower,
  ordered,
  positive,
  positiveOrdered,
  simplex,
  type Transform,
  unbounded,
  unitVector,
  upper,
} from "../transforms/index.ts";

export interface Bounds {
  readonly lower?: ArrayLikeOperand;
  readonly upper?: ArrayLikeOperand;
}

const WORDS = {
  real: (shape: Shape) => unbounded(shape),
  positive: (shape: Shape) => positive(shape),
  unitInterval: (shape: Shape) => interval(0, 1, shape),
  angle,
  simplex,
  ordered,
  positiveOrdered,
  unitVector,
  correlationCholesky: (shape: Shape) => correlationCholesky(side("correlationCholesky", shape)),
  covarianceCholesky: (shape: Shape) => covarianceCholesky(side("covarianceCholesky", shape)),
};

export type ConstraintWord = keyof typeof WORDS;
/**
 * Meaning of each constraint word. `param(name, "positive")` has a flat prior on the allowed values, whereas `{
 * constraint }` restricts another prior to these values.
 */
export const constraintWords: Readonly<Record<ConstraintWord, string>> = {
  real: "any number",
  positive: "> 0",
  unitInterval: "> 0 and < 1",
  angle: "an angle from −π to π, on a circle without a cut",
  simplex: "> 0 in each element, with sum 1 along the last axis",
  ordered: "increasing along the last axis",
  positiveOrdered: "positive and increasing along the last axis",
  unitVector: "length 1 along the last axis",
  correlationCholesky: "Cholesky factor of a correlation matrix, [d, d]; the shape given is d",
  covarianceCholesky: "Cholesky factor of a covariance matrix, [d, d]; the shape given is d",
};
/**
 * Constraint of a parameter: a word such as "positive", "simplex", "ordered" or "correlationCholesky", or bounds {
 * lower, upper }.
 */
export type ParameterConstraint = ConstraintWord | Bounds;

/** Returns the part of the support that is within the bounds. @throws OptionError if there is none */
export function boundsWithin(support: Support, { lower, upper }: Bounds): Bounds {
  if (support.kind === "circle") return { lower: lower ?? -Math.PI, upper: upper ?? Math.PI };
  if (support.kind !== "interval") return { lower, upper };
  const both = { lower: inner(lower, support.low, max), upper: inner(upper, support.high, min) };
  const isOneSided = lower === undefined || upper === undefined;
  if (isOneSided && typeof both.lower === "number" && typeof both.upper === "number" && both.lower >= both.upper) {
    const [side, bound, end] = lower === undefined ? ["upper", upper, both.lower] : ["lower", lower, both.upper];
    throw new OptionError(
      "param",
      `${side} is ${shown(bound)}, but all values of the prior are ${lower === undefined ? "above" : "below"} ${end}; change one of them`,
      "OPTION_RANGE",
    );
  }
  return both;
}

function inner(
  given: ArrayLikeOperand | undefined,
  end: SymbolicArray | undefined,
  inside: (a: SymbolicArray, b: SymbolicArray) => SymbolicArray,
): ArrayLikeOperand | undefined {
  if (end === undefined) return given;
  const both = given === undefined ? end : inside(toArray(given), end);
  // The transform of positive numbers is chosen by the number 0.
  return both.op === "full" && both.shape.length === 0 ? (both.attributes as number) : both;
}

/** @throws OptionError for an unknown word */
export function transformOf(constraint: ParameterConstraint, shape: Shape): Transform {
  if (typeof constraint === "string") {
    if (Object.hasOwn(WORDS, constraint)) return WORDS[constraint](shape);
    const known = Object.keys(WORDS).join(", ");
    const call = distributionNames().includes(constraint) ? `; the distribution is called: ${constraint}(…)` : "";
    throw new OptionError(
      "param",
      `"${constraint}" is not a constraint (known: ${known}, { lower, upper })${call}`,
      "OPTION_UNKNOWN",
    );
  }
  const { lower: low, upper: high } = constraint;
  checkOrder("param", { lower: boundArray(low), upper: boundArray(high) }, ["lower", "upper"]);
  if (low !== undefined && high !== undefined) return interval(low, high, shape);
  if (high !== undefined) return upper(high, shape);
  if (low === undefined) return unbounded(shape);
  return low === 0 ? positive(shape) : lower(low, shape);
}

const boundArray = (bound: ArrayLikeOperand | undefined): SymbolicArray | undefined =>
  bound === undefined ? undefined : toArray(bound);

function side(word: string, shape: Shape): number {
  const [rows, columns = rows, ...more] = shape;
  if (rows !== undefined && rows === columns && more.length === 0) return rows;
  throw new OptionError("param", `"${word}" has shape ${shapeText(shape)}, but must be square; write shape: "K"`, "OPTION_RANGE");
}
