import type { Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Stream } from "../../../engine/random/stream.ts";

/** Where a variable's conditional probabilities are among the sums of a group of ensembles: one of a Boolean, that of state 1. */
export interface Slots {
  readonly from: number;
  readonly count: number;
  /** Of a variable that depends on no other: its probabilities. */
  readonly alone?: readonly number[];
}

/** States of all variables at each power, of several ensembles: how they are kept, drawn and weighed. One file each. */
export interface Copies {
  readonly ensembles: number;
  /** Powers for which memory has room. */
  readonly mostPowers: number;
  /** Variables that are drawn. */
  readonly drawn: number;
  /** By ensemble and power, ln of the product of factors after a sweep, up to a constant. */
  readonly values: Float64Array;
  /** Groups of ensembles that have sums of probabilities of their own, and how many numbers each. */
  readonly groups: number;
  readonly slots: number;
  /** As part of an answer's method. */
  readonly words: string;
  slotsOf(variable: number): Slots;
  /** Copies that a sweep goes over one after another: places where it can be continued are below it. `searching`: in a search. */
  places(searching: boolean): number;
  /** What a sweep costs, in variables drawn by the plainest kernel. `searching`: of those copies alone. */
  cost(searching: boolean): number;
  /** Powers from now on: copy k begins with the states that were at power `from[k]`. */
  resize(powers: Float64Array, from: ArrayLike<number>): void;
  /** All copies begin at random. It yields every few milliseconds. */
  begin(start: Stream): Generator<void>;
  /** The value of the state in which each variable has its first. */
  firstValue(): Promise<number>;
  /**
   * Sweep number `sweep`, of a stretch of the copies from place `from` on; the place where it is to be continued, 0 at the end. `search`: a power that those at power 1
   * of the first half of the ensembles have instead, and no others are drawn; `keep`: probabilities at power 1 are summed.
   */
  sweep(sweep: number, from: number, how: { readonly search?: number; readonly keep?: boolean }): Promise<number>;
  /** All copies of the first half of the ensembles are put where the one at power 1 is. */
  spread(): void;
  /** Copies k and k + 1 of these ensembles trade states; values stay. */
  trade(k: number, ensembles: readonly number[]): void;
  /** Values of all copies as they are. */
  weigh(): Promise<void>;
  /** Adds the sums of probabilities to those of groups, as sums over sweeps of one ensemble's mean. */
  addShares(into: Float64Array): void;
  clearShares(): void;
  snapshot(): Record<string, Tensor>;
  restore(kept: KeptPart): void;
  dispose(): void;
}

/** Work of a stretch: a few milliseconds. */
export const STRETCH = 1 << 17;
