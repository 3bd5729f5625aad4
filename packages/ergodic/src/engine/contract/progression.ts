/** A run in progress: what the loop advances, watches, keeps and resumes. */

import type { JsonObject } from "./json.ts";

/** Typed arrays that files and checkpoints hold. */
export type Tensor = Float32Array | Float64Array | Int16Array | Int32Array | Uint32Array;

/** A run's bytes: what a checkpoint holds. */
export interface Snapshot {
  /** Arrays by name. */
  tensors: Record<string, Tensor>;
  /** Everything else, as JSON. */
  state: JsonObject;
}

/** What steps of a run did. */
export interface Advance {
  /** Updates made, over all lanes. */
  updates: number;
  /** Σ of the mean losses, each weighted by its rows, and those rows. */
  lossSum: number;
  /** Rows that the losses are of. */
  rows: number;
  /** It stopped within a step that takes long: of that, the losses are what is known so far, and `snapshot` gives what was before it. */
  within?: boolean;
  /** What was measured on rows before they were learnt from, where that is now complete: a tick tells of it. */
  validation?: Record<string, number>;
}

/**
 * A run in progress, as the loop sees it. Time is counted in steps: a step is one update of every lane (worker or replica).
 * The result never depends on how steps are grouped into calls.
 */
export interface Progression {
  /** Steps of one pass over the data. */
  readonly stepsPerEpoch: number;
  /** The most updates that one step makes: lanes. */
  readonly updatesPerStep: number;
  /** Steps made so far. */
  readonly step: number;
  /** Updates made so far, over all lanes. */
  readonly updates: number;
  /**
   * Makes at most `steps` steps, not passing the end of an epoch. Never cut short by a signal, so that what was asked to be kept at its end can be; the work of
   * samplers between transitions takes steps, too, after which a run may be at an earlier one.
   */
  advance(steps: number): Promise<Advance>;
  /** Parameters at the point to be evaluated (an average, where the rule keeps one), without padding conventions: as the problem lays them out. */
  parameters(): Float64Array;
  /** Once the algorithm itself has ended: true, or why, as text. */
  readonly converged: boolean | string;
  /** It ends at a minimum, so that a run of it that ends otherwise says that it has not come there. Absent: it does not. */
  readonly converges?: boolean;
  /** A copy of all that changes. */
  snapshot(): Snapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: Snapshot): void;
  /** Takes over the state of the optimiser from a snapshot of a run on other data (moments, and how many updates they are of), while counting from 0. */
  adopt?(snapshot: Snapshot): void;
  /** Parts of the run's description that are chosen while it goes. Absent: none. */
  readonly settled?: Promise<JsonObject>;
  /** Numbers worth watching, for ticks. */
  report(): Record<string, number>;
  /** Gives memory back. */
  dispose(): void;
}

/** What a run reports while it goes: `for await (const tick of fit(…))`. */
export interface Tick {
  /** Updates made so far. */
  update: number;
  /** Passes over the data so far, with fractions. */
  epoch: number;
  /** Seconds of training so far, without set-up and validation. */
  seconds: number;
  /** Updates per second since the last tick. */
  updatesPerSecond: number;
  /** Mean training loss over the updates since the last tick, each measured before its update. */
  loss: number;
  /** Numbers measured on held-out rows, where this tick has any. */
  validation?: Record<string, number>;
  /** What the algorithm reports, e.g. its rate. */
  [name: string]: number | Record<string, number> | undefined;
}
