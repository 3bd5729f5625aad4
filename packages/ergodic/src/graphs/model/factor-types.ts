import type { FactorKind } from "./structure.ts";

/** A weight that factors share: of `weight()`. */
export interface Weight {
  /** Its number, from 0. */
  readonly id: number;
}

/** A weight as it is now. */
export interface WeightState {
  /** As it was given. */
  readonly name: string | undefined;
  /** In the factors' exponents. */
  readonly value: number;
  /** Learning leaves it as it is. */
  readonly fixed: boolean;
}

/** Options of factors that have a weight. */
export interface WeightedOptions {
  /** Of `weight()`, or its name; a number is a fixed weight of that value. Default 1. */
  weight?: Weight | number | string;
  /** Multiplies the weight in this factor. Default 1. */
  feature?: number;
}

/** A list of numbers, or of such lists, one level a variable. */
export type NestedNumbers = ArrayLike<number> | readonly NestedNumbers[];

/** A factor as it was given. Literals are by the numbers of their states. */
export interface GraphFactor {
  /** What it is a function by. */
  readonly kind: FactorKind;
  /** Numbers of its variables; of conditional functions the head, the child, is last. */
  readonly variables: readonly number[];
  /** By variable, the state of its literal; empty for tables. */
  readonly states: readonly number[];
  /** The number of its weight, where it has one. */
  readonly weight?: number;
  /** Multiplies the weight. */
  readonly feature?: number;
  /** Of tables: by the states of its variables, the last fastest. */
  readonly values?: Float64Array;
  /** The values are logarithms. */
  readonly logs?: boolean;
  /** Of "noisyOr": of each parent, how likely it turns the child on; then the leak. */
  readonly probabilities?: readonly number[];
  /** Of "atMost". */
  readonly most?: number;
}
