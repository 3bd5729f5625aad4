/** A run in progress. The loop advances, watches, checkpoints and resumes it. */

import type { JsonObject } from "./json.ts";

/** Typed arrays that can be stored in files and checkpoints. */
export type Tensor = Float32Array | Float64Array | Int16Array | Int32Array | Uint32Array;

/** Complete state of a run, as stored in a checkpoint. */
export interface Snapshot {
  /** Arrays by name. */
  tensors: Record<string, Tensor>;
  /** Everything else, as JSON. */
  state: JsonObject;
}

/** Result of advancing a run by some steps. */
export interface Advance {
  /** Number of updates over all lanes. */
  updates: number;
  /** Sum of the mean losses of all updates, each multiplied by the number of rows in its update. */
  lossSum: number;
  /** Number of rows that `lossSum` covers. */
  rows: number;
  /**
   * Whether the call returned in the middle of a long step. If true, the losses cover only the finished part of the
   * step, and `snapshot` returns the state before the step.
   */
  within?: boolean;
  /**
   * Results of progressive validation, which measures each row before the model learns from it. Present as soon as a
   * result is complete. The next tick reports the result.
   */
  validation?: Record<string, number>;
}

/**
 * A run in progress, as the loop sees it. Time is counted in steps: one step is one update of every lane (worker or
 * replica). The result does not depend on how many steps each call makes.
 */
export interface Progression {
  /** Number of steps per pass over the data. */
  readonly stepsPerEpoch: number;
  /** Maximum number of updates per step, which is the number of lanes. */
  readonly updatesPerStep: number;
  /** Number of steps so far. */
  readonly step: number;
  /** Number of updates so far, summed over all lanes. */
  readonly updates: number;
  /**
   * Makes at most `steps` steps, without passing the end of an epoch. A signal never interrupts a call, so that a
   * checkpoint can be written when the call ends. Samplers also count the work between transitions as steps. When such
   * work ends, the step number can be lower than before.
   */
  advance(steps: number): Promise<Advance>;
  /**
   * Returns the parameters to evaluate, in the layout of the problem. If the rule averages parameters, the average is
   * returned.
   */
  parameters(): Float64Array;
  /** Whether the algorithm has ended: true, or the reason as a string. */
  readonly converged: boolean | string;
  /**
   * Whether the algorithm stops automatically at a minimum. If true, a run that ends before the minimum reports that it
   * did not converge.
   */
  readonly converges?: boolean;
  /** Returns a copy of all state. */
  snapshot(): Snapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: Snapshot): void;
  /**
   * Continues with the optimiser state of a snapshot from a run on other data: the moments and the numbers of their
   * updates. Counters of the run start at 0.
   */
  adopt?(snapshot: Snapshot): void;
  /** Returns numbers that show the progress, for ticks. */
  report(): Record<string, number>;
  /** Frees the memory. */
  dispose(): void;
}

/** Progress report of a run: `for await (const tick of fit(…))`. */
export interface Tick {
  /** Number of updates so far. */
  update: number;
  /** Number of passes over the data so far, with fractions. */
  epoch: number;
  /** Seconds of training so far, excluding set-up and validation. */
  seconds: number;
  /** Updates per second since the last tick. */
  updatesPerSecond: number;
  /** Mean training loss over the updates since the last tick. Each loss is measured before its update. */
  loss: number;
  /** Metrics on held-out rows, if a validation took place. */
  validation?: Record<string, number>;
  /** Values that the algorithm reports, e.g. its rate. */
  [name: string]: number | Record<string, number> | undefined;
}
