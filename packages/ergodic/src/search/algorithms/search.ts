/**
 * A search: a point found by function values alone. One file an algorithm.
 *
 * An algorithm proposes batches of points and learns their values; who evaluates them, in which order, where and how often is no business
 * of its own (ask-tell.ts). It sees internal coordinates: free real numbers in which a step of 1 is the user's initial step size (space.ts), so
 * bounds, integers and log scales are no business of its own either. Lower values are better; a failed evaluation is +Infinity.
 */

import type { JsonObject, Tensor } from "../../engine/contract/index.ts";
import type { Stream } from "../../engine/random/stream.ts";

/** Where a search starts, in internal coordinates. */
export interface SearchStart {
  /** d internal coordinates. */
  readonly start: Float64Array;
  /** The box's sides in internal coordinates; ∓Infinity where there is none. Points beyond are folded back when they are evaluated. */
  readonly lower: Float64Array;
  /** The box's upper sides; Infinity where there is none. */
  readonly upper: Float64Array;
  /** Points granted, Infinity where the user names none: schedules of SPSA and annealing are laid out on it. */
  readonly budget: number;
  /** Draws of batch k are those of update k. */
  readonly stream: Stream;
}

/** A search algorithm, as cmaEs() and its kind make it: it proposes batches of points and learns their values. */
export interface SearchAlgorithm {
  /** The algorithm's name. */
  readonly name: string;
  /** The verb that it is for. */
  readonly verb: "minimize";
  /** Its options, with defaults filled in. */
  readonly options: JsonObject;
  /** One line for lists, and where it comes from. */
  readonly summary: string;
  /** Where it was published. */
  readonly source: string;
  /** JSON from which the registry makes the same algorithm again. */
  toJSON(): JsonObject;
  /** The algorithm at work. */
  start(given: SearchStart): SearchState;
}

/** The points of a batch. Arrays are such, too. */
export interface Proposal {
  /** Points of the batch. */
  readonly length: number;
  /** Of `i` from 0 to length − 1. */
  at(i: number): Float64Array | undefined;
}

/** A search at work, in internal coordinates: free real numbers in which a step of 1 is the initial step size. */
export interface SearchState {
  /**
   * The next batch: 1 point or more, fresh arrays, by the state alone. Called once after `start` and once after each `update`, unless stopped;
   * and, on what was restored to the state before it, once more.
   */
  propose(): Float64Array[];
  /** The same points, each made when it is first asked for: of a large batch, so that a run can be told to end in between. */
  proposal?(): Proposal;
  /** `propose` changes nothing that a snapshot keeps, so that none has to be taken before each batch. Absent: it may. */
  readonly proposesPurely?: boolean;
  /** The values of that batch, in its order. */
  update(points: readonly Float64Array[], values: Float64Array): void;
  /** A point that was never proposed, with its value. May come at any time between batches; may be ignored. */
  inject?(point: Float64Array, value: number): void;
  /** Why nothing more can be gained; null to continue. */
  readonly stopped: string | null;
  /** Numbers worth watching: step size, population, restarts … */
  report(): Record<string, number>;
  /** The algorithm's own best guess where it is not a point that was evaluated (a distribution's mean); absent: the best point seen. */
  centre?(): Float64Array;
  /** Copies of everything that matters, between `update` and `propose`: the same bytes resume bit for bit. */
  snapshot(): SearchSnapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: SearchSnapshot): void;
}

/** A search's state as plain data: what a checkpoint holds. */
export interface SearchSnapshot {
  /** Arrays by name. */
  tensors: Record<string, Tensor>;
  /** Everything else, as JSON. */
  state: JsonObject;
}
