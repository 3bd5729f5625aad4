/** Capability: coordinate descent. */

import type { Engine } from "../memory/engine.ts";
import type { Stream } from "../random/stream.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./progression.ts";

/** Duality gap, which bounds the error of a point: primal − dual ≥ primal − minimum. */
export interface Gap {
  /** Objective at the current point. */
  primal: number;
  /** Lower bound on the minimum. */
  dual: number;
  /** primal − dual, divided by the size of the objective at the null model. */
  relative: number;
}

/**
 * Capability: F(x) = f(x) + Σ_b φ_b(x_b) with a smooth f. Algorithms minimise F by moving one coordinate or block at a
 * time.
 */
export interface Coordinates {
  /** Number of coordinates in x. */
  readonly count: number;
  /** Blocks of coordinates that move together. If absent, each coordinate is a block. */
  readonly blocks?: readonly (readonly number[])[];
  /** Whether partial derivatives can be estimated from some of the rows. */
  readonly estimates?: boolean;
  /** Returns a new state at the problem's starting point. */
  open(plan: Plan, engine: Engine): CoordinateState;
}

/** A point x, together with cached values (outputs or residuals at x) that make moves cheap. */
export interface CoordinateState {
  /**
   * Upper bounds L_b > 0 on the curvature of f along each block, if known. Steps of 1/L_b and importance sampling need
   * these bounds.
   */
  readonly curvature?: Float64Array;
  /** Returns F(x). */
  value(): number;
  /** Moves the listed blocks in order. */
  move(blocks: Uint32Array, how: CoordinateMove): void;
  /** A second vector in addition to x. Accelerated descent needs it. Absent if the model cannot store one. */
  readonly companion?: Companion;
  /**
   * Returns each block's violation: the distance from 0 to the subdifferential of F. At a minimum, all violations are
   * 0. Reads all data once.
   */
  violations(): Float64Array;
  /** Returns the duality gap. Absent if the dual of the model is not known. */
  gap?(): Gap;
  /** Returns a copy of x. */
  point(): Float64Array;
  /** Moves to the point x. */
  moveTo(x: Float64Array): void;
  /** Returns x in the layout of the problem's parameters. */
  parameters(): Float64Array;
  /** Returns everything needed to resume bit for bit, including the companion vector. */
  snapshot(): Snapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: Snapshot): void;
  /** Frees the memory. */
  dispose(): void;
}

/** How to move blocks. */
export interface CoordinateMove {
  /**
   * "exact" moves to the minimum along the block, in closed form or by a safeguarded one-dimensional Newton method.
   * "lipschitz" takes a proximal gradient step of size 1/L_b.
   */
  step: "exact" | "lipschitz";
  /**
   * Estimates the partial derivative from random rows and takes a step of rates[k]/L_b in move k. Random draws for move
   * k come from update first + k.
   */
  estimate?: { rows: number; rates: Float64Array; stream: Stream; first: number };
}

/**
 * A second vector u, laid out like x. u is 0 when the state is created or moved to a point. All other members of a
 * state refer only to x.
 */
export interface Companion {
  /**
   * For each listed block, moves x_b by t. The move t is a proximal step of size steps[k]/L_b along the partial
   * derivative of f at x + scales[k] u. Then moves u_b by ratios[k] t.
   */
  move(blocks: Uint32Array, how: { scales: Float64Array; steps: Float64Array; ratios: Float64Array }): void;
  /** Sets x ← x + scale u and u ← 0. */
  merge(scale: number): void;
}
