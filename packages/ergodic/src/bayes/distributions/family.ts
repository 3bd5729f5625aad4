import type { SymbolicArray } from "../../engine/compiler/index.ts";
import type { Draws } from "../../engine/random/stream.ts";
import type { Constraint, Support, Values } from "./constraint.ts";

export type SymbolicParameters = Readonly<Record<string, SymbolicArray>>;

/** Check of the data that are given along with each observed value. */
export interface DataCheck {
  readonly name: string;
  readonly array: SymbolicArray;
  /** `seen`: the observed value at the same position. */
  isWrong(value: number, seen: number): boolean;
  readonly wanted: string;
}

/**
 * A distribution family, without values of its parameters. Functions that compute with numbers receive the parameters
 * of a single value.
 */
export interface Family {
  readonly name: string;
  /**
   * Scale parameter of a location-scale family with location mu. With `log`, mu and the scale refer to log x instead of
   * x.
   */
  readonly locationScale?: { readonly scale: string; readonly log?: boolean };
  readonly kind: "continuous" | "discrete";
  /** Number of axes of a single value: 0 for a number, 1 for a vector, 2 for a matrix. Default 0. */
  readonly eventRank?: 0 | 1 | 2;
  /** Shape of a single value, if the parameters do not determine it. */
  readonly eventShape?: readonly number[];
  readonly constraints: Readonly<Record<string, Constraint>>;
  /** Data that belong to the distribution, with the checks that run when a value is observed. */
  readonly dataChecks?: readonly DataCheck[];
  /** Whether some observed values are only bounds and therefore cannot be compared with draws. */
  readonly hides?: boolean;
  support(parameters: SymbolicParameters): Support;
  /** Log density in nats, with all constants. The log density sums over the axes of a single value. */
  logDensity(x: SymbolicArray, parameters: SymbolicParameters): SymbolicArray;
  /** log P(X ≤ x) and log P(X > x), exact in both tails; present if they have closed forms. */
  logCdf?(x: SymbolicArray, parameters: SymbolicParameters): SymbolicArray;
  logSurvival?(x: SymbolicArray, parameters: SymbolicParameters): SymbolicArray;
  sample(draws: Draws, parameters: Values): number | Float64Array;
  /** P(X ≤ x). */
  cdf?(x: number, parameters: Values): number;
  /** P(X > x), exact if it is small. */
  survival?(x: number, parameters: Values): number;
  /** The smallest x with P(X ≤ x) ≥ p. */
  quantile?(p: number, parameters: Values): number;
  /** The value x at which P(X > x) = q. It is exact even if q is small. */
  upperQuantile?(q: number, parameters: Values): number;
  mean?(parameters: Values): number | Float64Array;
  /** Variance. For vectors and matrices, the variance of each element. */
  variance?(parameters: Values): number | Float64Array;
}
