/**
 * Interface of a search: it finds a point by function values alone. One file per algorithm.
 *
 * An algorithm proposes batches of points and learns their values. It does not know who evaluates them, in which order,
 * where or how often (ask-tell.ts). It sees internal coordinates: free real numbers in which a step of 1 is the user's
 * initial step size (space.ts), so bounds, integers and log scales do not concern it either. Lower values are better; a
 * failed evaluation is +Infinity.
 */

import type { JsonObject, Tensor } from "../../engine/contract/index.ts";
import type { Stream } from "../../engine/random/stream.ts";

/** Inputs with which a search starts, in internal coordinates. */
export interface SearchStart {
  /** Starting point: d internal coordinates. */
  readonly start: Float64Array;
  /**
   * Lower sides of the box; −Infinity if there is none. Points outside the box are folded back when they are evaluated.
   */
  readonly lower: Float64Array;
  /** Upper sides of the box; Infinity if there is none. */
  readonly upper: Float64Array;
  /** Number of points granted, Infinity if the user sets no limit; schedules of SPSA and annealing are based on it. */
  readonly budget: number;
  /** Random numbers; batch k uses those of update k. */
  readonly stream: Stream;
}

/**
 * Search algorithm, as made by cmaEs() and similar functions: it proposes batches of points and learns their values.
 */
export interface SearchAlgorithm {
  /** Name of the algorithm. */
  readonly name: string;
  /** Verb that accepts it. */
  readonly verb: "minimize";
  /** Options with defaults filled in. */
  readonly options: JsonObject;
  /** One-line description for lists. */
  readonly summary: string;
  /** Publication that introduced it. */
  readonly source: string;
  /** Returns JSON from which the registry rebuilds the same algorithm. */
  toJSON(): JsonObject;
  /** Starts the algorithm. */
  start(given: SearchStart): SearchState;
}

/** Points of a batch; an array is one too. */
export interface Proposal {
  /** Number of points in the batch. */
  readonly length: number;
  /** Returns point `i`, from 0 to length − 1. */
  at(i: number): Float64Array | undefined;
}

/** A running search, in internal coordinates: free real numbers in which a step of 1 is the initial step size. */
export interface SearchState {
  /**
   * Returns the next batch: 1 point or more, as new arrays, determined by the state alone. Called once after `start`
   * and once after each `update`, unless stopped, and once more after restoring the state before it.
   */
  propose(): Float64Array[];
  /**
   * Returns the same points, each made when it is first requested, so that a run can be ended in the middle of a large
   * batch.
   */
  proposal?(): Proposal;
  /**
   * Whether `propose` leaves the state of snapshots unchanged, so that no snapshot must be taken before each batch.
   * Default false.
   */
  readonly proposesPurely?: boolean;
  /** Learns the values of that batch, in its order. */
  update(points: readonly Float64Array[], values: Float64Array): void;
  /**
   * Learns a point that was never proposed, with its value. Can be called at any time between batches; may be ignored.
   */
  inject?(point: Float64Array, value: number): void;
  /** Reason why nothing more can be gained; null to continue. */
  readonly stopped: string | null;
  /** Returns numbers worth watching: step size, population, restarts … */
  report(): Record<string, number>;
  /**
   * Returns the algorithm's own best estimate if it is not an evaluated point (a distribution's mean); absent: the best
   * point seen.
   */
  centre?(): Float64Array;
  /** Returns a copy of the complete state between `update` and `propose`; the same bytes resume bit for bit. */
  snapshot(): SearchSnapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: SearchSnapshot): void;
}

/** State of a search as plain data, as stored in a checkpoint. */
export interface SearchSnapshot {
  /** Arrays by name. */
  tensors: Record<string, Tensor>;
  /** Everything else, as JSON. */
  state: JsonObject;
}
