/** Capability: moves along coordinates. */

import type { Engine } from "../memory/engine.ts";
import type { Stream } from "../random/stream.ts";
import type { Plan } from "./plan.ts";
import type { Snapshot } from "./progression.ts";

/** primal − dual ≥ primal − minimum, whatever the point; `relative` to the objective's size at the null model. */
export interface Gap {
  /** The objective. */
  primal: number;
  /** A lower bound of the minimum. */
  dual: number;
  /** primal − dual, relative to the objective's size. */
  relative: number;
}

/** Capability: F(x) = f(x) + Σ_b φ_b(x_b), f smooth, moved one coordinate or block at a time. */
export interface Coordinates {
  /** Numbers in x. */
  readonly count: number;
  /** Coordinates that are moved together; absent: each is a block of its own. */
  readonly blocks?: readonly (readonly number[])[];
  /** Partial derivatives can be estimated on some of the problem's rows. */
  readonly estimates?: boolean;
  /** At the problem's start. */
  open(plan: Plan, engine: Engine): CoordinateState;
}

/** A point x, and whatever makes its moves cheap (the outputs or residuals at x). */
export interface CoordinateState {
  /** L_b > 0: a bound on f's curvature along each block, where known. Steps of 1/L_b and picks by importance need it. */
  readonly curvature?: Float64Array;
  /** F(x). */
  value(): number;
  /** Moves the listed blocks, one after another. */
  move(blocks: Uint32Array, how: CoordinateMove): void;
  /** Where the model can keep a second vector alongside x: accelerated descent needs it. */
  readonly companion?: Companion;
  /** By block, how far 0 is from the subdifferential of F: 0 at a minimum. A pass over all data. */
  violations(): Float64Array;
  /** A certificate, where the model knows its dual. */
  gap?(): Gap;
  /** A copy of x. */
  point(): Float64Array;
  /** Moves to another point. */
  moveTo(x: Float64Array): void;
  /** x as the problem lays out its parameters. */
  parameters(): Float64Array;
  /** Enough to resume bit for bit, the companion's vector too. */
  snapshot(): Snapshot;
  /** Continues from a snapshot, bit for bit. */
  restore(snapshot: Snapshot): void;
  /** Gives memory back. */
  dispose(): void;
}

/** How blocks are moved. */
export interface CoordinateMove {
  /** To the minimum along the block (closed form, or a safeguarded one-dimensional Newton), or prox of a step of 1/L_b along the partial derivative. */
  step: "exact" | "lipschitz";
  /** The partial derivative is estimated on random rows instead, and the step of move k is rates[k]/L_b; its draws are those of update first + k. */
  estimate?: { rows: number; rates: Float64Array; stream: Stream; first: number };
}

/** A second vector u, laid out like x, 0 when the state is opened or moved to a point; all else that a state says is of x alone. */
export interface Companion {
  /** Block by block: x_b moves by t, the prox of a step of steps[k]/L_b along f's partial derivative at x + scales[k] u; then u_b moves by ratios[k] t. */
  move(blocks: Uint32Array, how: { scales: Float64Array; steps: Float64Array; ratios: Float64Array }): void;
  /** x ← x + scale u, u ← 0. */
  merge(scale: number): void;
}
