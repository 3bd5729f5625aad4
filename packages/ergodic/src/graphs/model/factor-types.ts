import type { FactorKind } from "./structure.ts";

/** A weight that factors can share, as returned by `weight()`. */
export interface Weight {
  /** Index of the weight, from 0. */
  readonly id: number;
}

/** The current state of a weight. */
export interface WeightState {
  /** Name given to the weight, if any. */
  readonly name: string | undefined;
  /** Current value, a coefficient in the exponents of its factors. */
  readonly value: number;
  /** Whether learning leaves the weight unchanged. */
  readonly fixed: boolean;
}

/** Options of weighted factors. */
export interface WeightedOptions {
  /** Weight from `weight()`, or its name. A number means a fixed weight of that value. Default 1. */
  weight?: Weight | number | string;
  /** Multiplier of the weight in this factor. Default 1. */
  feature?: number;
}

/** A list of numbers, or nested lists with one level per variable. */
export type NestedNumbers = ArrayLike<number> | readonly NestedNumbers[];

/** A factor as it was given. Literals are stored as state indices. */
export interface GraphFactor {
  /** Function that the factor computes. */
  readonly kind: FactorKind;
  /** Numbers of its variables. In conditional functions, the head (the child) is last. */
  readonly variables: readonly number[];
  /** State of each variable's literal. Empty for tables. */
  readonly states: readonly number[];
  /** Index of the factor's weight, if the factor has a weight. */
  readonly weight?: number;
  /** Multiplier of the weight. */
  readonly feature?: number;
  /** Entries of a table, indexed by the states of its variables (the last variable varies fastest). */
  readonly values?: Float64Array;
  /** Whether `values` are logarithms. */
  readonly logs?: boolean;
  /** Parameters of a "noisyOr" factor: for each parent the probability that it turns the child on, then the leak. */
  readonly probabilities?: readonly number[];
  /** Largest number of literals that may hold in an "atMost" factor. */
  readonly most?: number;
}
