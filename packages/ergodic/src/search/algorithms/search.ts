/**
 * Interface of a search, which minimises a function from its values alone. One file per algorithm.
 *
 * An algorithm proposes batches of points and learns their values. An algorithm does not depend on where, how often or
 * in which order the points are evaluated (ask-tell.ts). Points are in internal coordinates (space.ts): unconstrained
 * real numbers, scaled so that the user's initial step is 1. An algorithm therefore need not handle bounds, integers or
 * log scales. Lower values are better; a failed evaluation is +Infinity.
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
  /** Maximum number of points; Infinity if the user sets no limit. The schedules of SPSA and annealing depend on it. */
  readonly budget: number;
  /** Random numbers; batch k uses the random numbers of update k. */
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
   * Returns the next batch of one point or more, as new arrays that depend only on the state. Called once after `start`
   * and once after each `update`, unless the search has stopped. Called again if the state before the call is restored.
   */
  propose(): Float64Array[];
  /**
   * Like `propose`, but creates each point when it is first requested, so that a run can end in the middle of a large
   * batch.
   */
  proposal?(): Proposal;
  /**
   * Whether `propose` changes nothing that a snapshot contains. If so, no snapshot is needed before each batch. Default
   * false.
   */
  readonly proposesPurely?: boolean;
  /** Learns the values of the proposed batch, in the order of its points. */
  update(points: readonly Float64Array[], values: Float64Array): void;
  /**
   * Learns a point that was never proposed, with its value. Can be called at any time between batches; may be ignored.
   */
  inject?(point: Float64Array, value: number): void;
  /** Reason why the search has stopped; null to continue. */
  readonly stopped: string | null;
  /** Returns numbers that show the progress: step size, population, restarts … */
  report(): Record<string, number>;
  /**
   * Returns the algorithm's own estimate of the minimum, for example the mean of a distribution. The estimate need not
   * be an evaluated point. If the method is absent, the best point seen is used.
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
