import type { Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Stream } from "../../../engine/random/stream.ts";

/**
 * Position of a variable's conditional probabilities within a group's sums. A Boolean has a single sum, for state 1.
 */
export interface Slots {
  readonly from: number;
  readonly count: number;
  /** Probabilities of a variable that depends on no other variable. */
  readonly alone?: readonly number[];
}

/**
 * Joint states at each power, for several ensembles: storage, sampling and evaluation. There is one file per
 * implementation.
 */
export interface Copies {
  readonly ensembles: number;
  /** Largest number of powers that fit in memory. */
  readonly mostPowers: number;
  /** Number of variables that are drawn. */
  readonly drawn: number;
  /** ln of the product of factors after a sweep, up to a constant. Indexed by ensemble and power. */
  readonly values: Float64Array;
  /**
   * Ensembles are grouped, and each group has its own sums of probabilities. Number of groups, and number of sums per
   * group.
   */
  readonly groups: number;
  readonly slots: number;
  /** Phrase that describes the copies in the `method` of an answer. */
  readonly words: string;
  slotsOf(variable: number): Slots;
  /**
   * Returns the number of places in a sweep, which are processed in order. A sweep can be interrupted and continued at
   * any place. `searching`: whether the sweep is part of a search.
   */
  places(searching: boolean): number;
  /**
   * Returns the cost of a sweep, in variables drawn by the simplest kernel. `searching`: whether to count only the
   * copies that search.
   */
  cost(searching: boolean): number;
  /** Sets the powers. Copy k starts with the states that were at power `from[k]`. */
  resize(powers: Float64Array, from: ArrayLike<number>): void;
  /** Starts all copies in random states. Yields every few milliseconds. */
  begin(start: Stream): Generator<void>;
  /** Returns the value of the joint state in which each variable has its first state. */
  firstValue(): Promise<number>;
  /**
   * Performs part of the sweep with index `sweep`, starting at place `from`. Returns the place at which to continue, or
   * 0 at the end. With `search`, draws only the copies at power 1 in the first half of the ensembles. These copies are
   * drawn at the power `search` instead of 1. With `keep`, the probabilities at power 1 are summed.
   */
  sweep(sweep: number, from: number, how: { readonly search?: number; readonly keep?: boolean }): Promise<number>;
  /** In each ensemble of the first half, sets all copies to the state of the copy at power 1. */
  spread(): void;
  /** Exchanges the states of copies k and k + 1 in these ensembles. The values of these copies are not updated. */
  trade(k: number, ensembles: readonly number[]): void;
  /** Computes the values of all copies in their current states. */
  weigh(): Promise<void>;
  /**
   * Adds the sums of probabilities to `into`, by group and slot. Each sum runs over sweeps and is used for the mean of
   * one ensemble.
   */
  addShares(into: Float64Array): void;
  clearShares(): void;
  snapshot(): Record<string, Tensor>;
  restore(kept: KeptPart): void;
  dispose(): void;
}

/** Work per stretch: a few milliseconds. */
export const STRETCH = 1 << 17;
