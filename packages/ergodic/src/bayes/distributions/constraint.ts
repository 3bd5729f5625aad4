import type { Shape, SymbolicArray } from "../../engine/compiler/index.ts";
import { OptionError } from "../../engine/errors/errors.ts";

/** Constraint of a single number. "count": a whole number >= 0; "probability": in [0, 1]. */
export type NumberConstraint = "real" | "positive" | "nonnegative" | "probability" | "count";
/**
 * Constraint of an array. "choleskyFactor": lower triangular with a positive diagonal; "positiveDefinite": symmetric
 * and positive definite.
 */
export type ArrayConstraint = "vector" | "positiveVector" | "simplex" | "ordered" | "choleskyFactor" | "positiveDefinite";
/** Constraint on a parameter of a distribution. The constraint is checked on numbers. */
export type Constraint = NumberConstraint | ArrayConstraint;

/** Numeric type of a parameter: a number, or a row-major array. */
export type NumberOf<C> = C extends ArrayConstraint ? Float64Array : number;
export type Values = Readonly<Record<string, number | Float64Array>>;

/** Set of values of a distribution. Bounds can depend on parameters. "circle": angles, with period 2π. */
export type Support =
  | { readonly kind: "interval"; readonly low?: SymbolicArray; readonly high?: SymbolicArray }
  | { readonly kind: "integers"; readonly low: SymbolicArray; readonly high?: SymbolicArray }
  | { readonly kind: "circle" | "vector" | "simplex" | "counts" | "correlationCholesky" };

const RANKS: Record<ArrayConstraint, 1 | 2> = {
  vector: 1,
  positiveVector: 1,
  simplex: 1,
  ordered: 1,
  choleskyFactor: 2,
  positiveDefinite: 2,
};

/** Returns the number of axes that a single value of the parameter has. */
export const rankOf = (constraint: Constraint): 0 | 1 | 2 => RANKS[constraint as ArrayConstraint] ?? 0;

const finite = (x: ArrayLike<number>): boolean => Array.prototype.every.call(x, Number.isFinite);
const every = (x: ArrayLike<number>, holds: (x: number, i: number) => boolean): boolean =>
  finite(x) && Array.prototype.every.call(x, holds);

const NUMBERS: Record<NumberConstraint, (x: number) => boolean> = {
  real: Number.isFinite,
  positive: (x) => x > 0 && x < Infinity,
  nonnegative: (x) => x >= 0 && x < Infinity,
  probability: (x) => x >= 0 && x <= 1,
  count: (x) => x >= 0 && Number.isInteger(x),
};

interface Rule {
  holds(x: ArrayLike<number>): boolean;
  readonly wanted: string;
}

const ROUNDING = 1e-8;

const RULES: Record<Constraint, Rule> = {
  real: { holds: (x) => every(x, NUMBERS.real), wanted: "a number" },
  positive: { holds: (x) => every(x, NUMBERS.positive), wanted: "> 0" },
  nonnegative: { holds: (x) => every(x, NUMBERS.nonnegative), wanted: ">= 0" },
  probability: { holds: (x) => every(x, NUMBERS.probability), wanted: ">= 0 and <= 1" },
  count: { holds: (x) => every(x, NUMBERS.count), wanted: "a whole number >= 0" },
  vector: { holds: finite, wanted: "finite numbers" },
  positiveVector: { holds: (x) => every(x, (v) => v > 0), wanted: "numbers > 0" },
  simplex: {
    holds: (x) => every(x, (v) => v >= 0) && Math.abs((Array.prototype.reduce.call(x, plus, 0) as number) - 1) <= ROUNDING,
    wanted: "numbers >= 0 with sum 1",
  },
  ordered: { holds: (x) => every(x, (v, i) => i === 0 || v > x[i - 1]), wanted: "increasing numbers" },
  choleskyFactor: {
    holds: (x) => matrixHolds(x, (v, i, j) => (i === j ? v > 0 : i > j || v === 0)),
    wanted: "a lower triangular matrix with a positive diagonal",
  },
  positiveDefinite: {
    holds: (x) => matrixHolds(x, (v, i, j, mirrored) => (i === j ? v > 0 : Math.abs(v - mirrored) <= ROUNDING * Math.abs(v))),
    wanted: "a symmetric, positive definite matrix",
  },
};

function plus(a: unknown, b: unknown): number {
  return (a as number) + (b as number);
}

function matrixHolds(x: ArrayLike<number>, holds: (x: number, i: number, j: number, mirrored: number) => boolean): boolean {
  const n = Math.sqrt(x.length);
  return every(x, (v, at) => holds(v, Math.floor(at / n), at % n, x[(at % n) * n + Math.floor(at / n)]));
}

/** @throws OptionError unless the numbers satisfy the constraint */
export function checkConstraint(where: string, name: string, constraint: Constraint, value: number | ArrayLike<number>): void {
  const numbers = typeof value === "number" ? [value] : value;
  if (RULES[constraint].holds(numbers)) return;
  const given =
    numbers.length === 1
      ? String(numbers[0])
      : `[${Array.from(numbers).slice(0, 6).join(", ")}${numbers.length > 6 ? ", …" : ""}]`;
  throw new OptionError(where, `${name} is ${given}, but must be ${RULES[constraint].wanted}; change it`, "OPTION_RANGE");
}

export const isNumber = (constraint: NumberConstraint, x: number): boolean => NUMBERS[constraint](x);
export const wantedOf = (constraint: Constraint): string => RULES[constraint].wanted;

/** Applies `checkConstraint` to every number in an array. @throws OptionError */
export function checkNumbers(where: string, name: string, constraint: NumberConstraint, numbers: Float64Array): void {
  const holds = NUMBERS[constraint];
  for (let i = 0; i < numbers.length; i++) if (!holds(numbers[i])) checkConstraint(where, name, constraint, numbers[i]);
}

/** Returns the batch axes of a parameter, which precede the axes of a single value. */
export const batchOf = (shape: Shape, rank: number): Shape => shape.slice(0, shape.length - rank);
