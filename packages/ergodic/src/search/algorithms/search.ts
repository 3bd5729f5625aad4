/**
 * Interface of a search, which minimises a function from its values alone. One file per algorithm.
 *
 * An algorithm proposes batches of points and learns their values. The algorithm does not need to know where, how often
 * or in which order the points are evaluated (ask-tell.ts). Points are in internal coordinates (space.ts):
 * unconstrained real numbers, scaled so that the user's initial step is 1. An algorithm therefore does not need to
 * handle bounds, integers or log scales. Lower values are better, and a failed evaluation has the value +Infinity.
 */

import type { JsonObject, Tensor } from "../../engine/contract/index.ts";
import type { Stream } from "../../engine/random/stream.ts";

/** Inputs from which a search starts, in internal coordinates. */
export interface SearchStart {
  /** Starting point: d internal coordinates. */
  readonly start: Float64Array;
  /**
   * Lower sides of the box; −Infinity if there is none. Points outside the box are folded back into the box when they
   * are evaluated.
   */
  readonly lower: Float64Array;
  /** Upper sides of the box; Infinity if there is none. */
  readonly upper: Float64Array;
  /**
   * Maximum number of points; Infinity if the user sets no limit. The schedules of SPSA and annealing depend on this
   * maximum.
   */
  readonly budget: number;
  /** Random numbers. Batch k uses the numbers of update k. */
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

/** Points of a batch. An array of points is also a Proposal. */
export interface Proposal {
  /** Number of points in the batch. */
  readonly length: number;
  /** Returns point `i`, from 0 to length − 1. */
  at(i: number): Float64Array | undefined;
}

/**
 * A running search. Its internal coordinates are unconstrained real numbers, scaled so that the user's initial step is
 * 1.
 */
export interface SearchState {
  /**
   * Returns the next batch, which has at least one point. The points are new arrays that depend only on the state.
   * Called once after `start` and once after each `update`, unless the search has stopped. Called again if the state
   * from before the call has been restored.
   */
  propose(): Float64Array[];
  /**
   * Like `propose`, but creates each point when it is first requested, so that a run can end in the middle of a large
   * batch.
   */
  proposal?(): Proposal;
  /**
   * Whether `propose` leaves everything unchanged that a snapshot contains. In this case, no snapshot is needed before
   * each batch. Default false.
   */
  readonly proposesPurely?: boolean;
  /** Learns the values of the proposed batch, in the order of its points. */
  update(points: readonly Float64Array[], values: Float64Array): void;
  /**
   * Learns the value of a point that the search did not propose. Can be called at any time between batches. The search
   * may ignore the point.
   */
  inject?(point: Float64Array, value: number): void;
  /** Reason why the search has stopped; null if the search continues. */
  readonly stopped: string | null;
  /** Returns numbers that show the progress: step size, population, restarts … */
  report(): Record<string, number>;
  /**
   * Returns the algorithm's own estimate of the minimum, for example the mean of a distribution. This estimate does not
   * need to be a point that was evaluated. If this method is absent, the best evaluated point is used.
   */
  centre?(): Float64Array;
  /**
   * Returns a copy of the complete state between `update` and `propose`. A search that is restored from the same bytes
   * continues bit for bit.
   */
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
