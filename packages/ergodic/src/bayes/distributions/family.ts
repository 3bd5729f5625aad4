import type { SymbolicArray } from "../../engine/compiler/index.ts";
import type { Draws } from "../../engine/random/stream.ts";
import type { Constraint, Support, Values } from "./constraint.ts";

export type SymbolicParameters = Readonly<Record<string, SymbolicArray>>;

/** A check of data that say something of each observed value. */
export interface DataCheck {
  readonly name: string;
  readonly array: SymbolicArray;
  /** `seen`: what was observed there. */
  isWrong(value: number, seen: number): boolean;
  readonly wanted: string;
}

/** How a distribution acts, for any parameters. Functions of numbers take the parameters of one value. */
export interface Family {
  readonly name: string;
  /** Scale parameter of a location-scale family, whose location is mu; `log`: of the logarithm. */
  readonly locationScale?: { readonly scale: string; readonly log?: boolean };
  readonly kind: "continuous" | "discrete";
  /** Axes of one value: 0 a number, 1 a vector, 2 a matrix. Default 0. */
  readonly eventRank?: 0 | 1 | 2;
  /** Extents of one value, where the parameters do not say them. */
  readonly eventShape?: readonly number[];
  readonly constraints: Readonly<Record<string, Constraint>>;
  /** Data that it comes with, and what they must be where something is observed. */
  readonly dataChecks?: readonly DataCheck[];
  /** Whether of some values a bound alone is observed, while draws are whole values: the two cannot be compared. */
  readonly hides?: boolean;
  support(parameters: SymbolicParameters): Support;
  /** In nats, with all constants; the axes of one value are summed out. */
  logDensity(x: SymbolicArray, parameters: SymbolicParameters): SymbolicArray;
  /** log P(X ≤ x) and log P(X > x), exact in both tails: where they are elementary. */
  logCdf?(x: SymbolicArray, parameters: SymbolicParameters): SymbolicArray;
  logSurvival?(x: SymbolicArray, parameters: SymbolicParameters): SymbolicArray;
  sample(draws: Draws, parameters: Values): number | Float64Array;
  /** P(X ≤ x). */
  cdf?(x: number, parameters: Values): number;
  /** P(X > x), exact where it is small. */
  survival?(x: number, parameters: Values): number;
  /** The smallest x with P(X ≤ x) ≥ p. */
  quantile?(p: number, parameters: Values): number;
  /** The x with P(X > x) = q, exact where q is small. */
  upperQuantile?(q: number, parameters: Values): number;
  mean?(parameters: Values): number | Float64Array;
  /** Of vectors and matrices, element by element. */
  variance?(parameters: Values): number | Float64Array;
}
