/**
 * Coordinates of a linear model. x has each output's coefficients and intercept. Blocks are the groups, if there is a
 * group penalty (kernels/engine/optimise/coordinate-moves.ts).
 *
 *   F(x) = f(x) + Σ_b h_b(x_b),  f = Σ_i c_i ℓ(z_i, y_i) + Σ_j l2 w_j x_j²/2,  h_b = Σ l1 w_j|x_j| + group √|b| ‖x_b‖
 *
 * with x_b ≥ 0 if `nonNegative`. Curvature: sup ℓ'' × a bound on the largest eigenvalue of X_bᵀ diag(c) X_b, plus l2 w.
 * There is no such bound if the curvature of the loss is unbounded (poisson).
 * The gap uses the dual point v = −c ∂ℓ/∂z at x. The intercepts are first moved to their minimum, because a feasible
 * dual point needs Σv = 0. x itself does not change.
 *
 *   D(α) = −Σ_i c_i ℓ*(−α v_i/c_i) − α² Σ l2 w x²/2,          ‖soft(α (x_jᵀv − l2 w x)_b, l1 w)‖ ≤ group √|b|
 *   D(1) = −Σ_i c_i ℓ*(−v_i/c_i) − Σ_b e_b²/(2 l2 w),         e_b = (‖soft((x_jᵀv)_b, l1 w)‖ − group √|b|)₊
 *
 * The first bound uses the largest feasible α ≤ 1. The dual value is the larger of the two bounds, or the only bound
 * that exists. No gap is known if a column has no penalty or the loss has no conjugate.
 * Sources: Yuan, Lin 2006 (group lasso); Simon et al. 2013 (with l1); Fercoq et al. 2015 (dual points).
 *
 * @throws CapabilityError for a loss without curvature and conjugate
 */

import type {
  Companion,
  CoordinateMove,
  CoordinateState,
  Coordinates,
  Gap,
  Penalty,
  Plan,
  Snapshot,
} from "../../../engine/contract/index.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { CoordinateMemory } from "./coordinate-memory.ts";
import { CoordinatePieces } from "./coordinate-pieces.ts";
import { linearColumns } from "./linear-columns.ts";
import type { LinearParts } from "./parts.ts";

/** Maximum number of rounds over the intercepts of a joint loss. */
const MOST_SWEEPS = 100;
/** Largest |Σv|, relative to Σ|v|, that counts as rounding. */
const ROUNDING = 4e-16;

export function linearCoordinates(parts: LinearParts, penalty: Penalty): Coordinates {
  const target = linearColumns(parts, penalty);
  const { outputs, columnCount, intercept } = target;
  // Created only when needed, because arrays with an entry per coordinate are large if there are many columns.
  const pieces = penalty.group > 0 ? new CoordinatePieces(target) : undefined;
  return {
    count: outputs * (columnCount + (intercept ? 1 : 0)),
    ...(pieces ? { blocks: pieces.blocks } : {}),
    estimates: true,
    open: (plan: Plan, engine: Engine) =>
      new LinearState(
        new CoordinateMemory({
          target,
          pieces: pieces ?? new CoordinatePieces(target),
          loss: parts.options.loss,
          one: parts.data.layout.one,
          plan,
          engine,
        }),
      ),
  };
}

class LinearState implements CoordinateState {
  readonly curvature?: Float64Array;
  readonly companion: Companion = {
    move: (blocks, { scales, steps, ratios }) => {
      const { memory } = this;
      memory.openCompanion();
      memory.inChunks(blocks, [scales, steps, ratios], (listed, count, numbers) =>
        memory.call("coordinatePairs", listed, count, numbers),
      );
      this.stale = !memory.target.quadratic;
    },
    merge: (scale) => this.merge(scale),
  };
  readonly gap?: () => Gap;
  private readonly memory: CoordinateMemory;
  /** Whether the outputs have changed since the slopes were computed. */
  private stale = false;
  /** Null model's loss (intercepts alone) minus the least possible loss. */
  private nullLoss = 1;

  constructor(memory: CoordinateMemory) {
    this.memory = memory;
    if (memory.bounds[0] !== Infinity) this.curvature = memory.bounds;
    if (!memory.certifiable) return;
    this.nullLoss = this.lossWithoutColumns();
    this.gap = () => this.certify();
  }

  value(): number {
    const penalty = this.memory.pieces.value(this.memory.x);
    return penalty === Infinity ? penalty : this.memory.call("coordinateLoss", 0) + penalty;
  }

  move(blocks: Uint32Array, { step, estimate }: CoordinateMove): void {
    const { memory } = this;
    if (estimate) {
      memory.inEstimates(blocks, estimate);
      this.stale = !memory.target.quadratic;
      return;
    }
    this.refresh();
    memory.inChunks(blocks, [], (listed, count) => memory.call("coordinateMoves", listed, count, step === "exact" ? 1 : 0));
  }

  violations(): Float64Array {
    this.refresh();
    const { memory } = this;
    const partials = memory.partials();
    const x = memory.x.slice();
    return Float64Array.from(memory.pieces.blocks, (_, b) => memory.pieces.violation(b, x, partials));
  }

  point(): Float64Array {
    return this.memory.x.slice();
  }

  moveTo(x: Float64Array): void {
    const { memory } = this;
    memory.x.set(x);
    memory.clearCompanion();
    memory.call("coordinateLoss", 1);
    this.stale = false;
  }

  parameters(): Float64Array {
    const { outputs, penalty } = this.memory.target;
    const { width } = this.memory.pieces;
    const { x } = this.memory;
    const all = new Float64Array(outputs * penalty.stride);
    for (let k = 0; k < outputs; k++) all.set(x.subarray(k * width, (k + 1) * width), k * penalty.stride);
    return all;
  }

  snapshot(): Snapshot {
    return { tensors: this.memory.read(), state: { stale: this.stale } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the point", snapshot);
    this.memory.write(kept);
    this.stale = kept.flag("stale");
  }

  dispose(): void {
    this.memory.dispose();
  }

  private refresh(): void {
    if (!this.stale) return;
    this.memory.call("coordinateRefresh");
    this.stale = false;
  }

  private merge(scale: number): void {
    this.memory.merge(scale);
    this.stale = !this.memory.target.quadratic;
  }

  private lossWithoutColumns(): number {
    const { memory } = this;
    const kept = this.snapshot();
    const lossAtZero = memory.call("coordinateLoss", 0);
    this.settle();
    const loss = memory.call("coordinateLoss", 0);
    this.restore(kept);
    // Constant targets are fitted up to rounding errors, and gaps must not be relative to these errors. For a loss that
    // can be negative (poisson), the deviance is used: the excess over the least loss of any outputs.
    const least = -memory.conjugate(0);
    return Math.max(loss - least, 1e-20 * Math.abs(lossAtZero), Number.MIN_VALUE);
  }

  /** Moves the intercepts to their minimum at the current coefficients, to full precision. */
  private settle(): void {
    const { memory } = this;
    const { intercept, outputs } = memory.target;
    if (!intercept) return;
    const first = memory.pieces.blocks.length - outputs;
    const blocks = memory.pieces.grouped
      ? Uint32Array.from({ length: outputs }, (_, k) => first + k)
      : Uint32Array.from({ length: outputs }, (_, k) => (k + 1) * memory.pieces.width - 1);
    for (let sweep = 0; sweep < MOST_SWEEPS && memory.imbalance() > ROUNDING; sweep++) {
      const before = this.point();
      this.move(blocks, { step: "exact" });
      if (memory.x.every((v, i) => v === before[i])) break;
    }
  }

  private certify(): Gap {
    const { memory } = this;
    const { pieces } = memory;
    const kept = this.snapshot();
    const x = this.point();
    const primal = memory.call("coordinateLoss", 1) + pieces.value(x);
    this.stale = false;
    this.settle();
    const g = memory.partials();
    const pulls = g.map((v, i) => pieces.l2[i] * x[i] - v);
    let dual = -Infinity;
    if (memory.scalable) {
      const rest = g.map((v) => -v);
      const alpha = memory.penalised.reduce((least, b) => Math.min(least, pieces.largestMultiple(b, rest)), 1);
      const ridge = x.reduce((sum, v, i) => sum + (pieces.l2[i] / 2) * v * v, 0);
      dual = known(-memory.conjugate(alpha) - alpha * alpha * ridge);
    }
    if (memory.ridged) {
      const over = memory.penalised.reduce((sum, b) => {
        const least = pieces.blocks[b].reduce((most, i) => Math.min(most, pieces.l2[i]), Infinity);
        return sum + pieces.excess(b, pulls, 1) ** 2 / (2 * least);
      }, 0);
      dual = Math.max(dual, known(-memory.conjugate(1) - over));
    }
    this.restore(kept);
    return { primal, dual, relative: Math.max(0, primal - dual) / this.nullLoss };
  }
}

/**
 * Returns the dual value. Because of rounding, the argument of a conjugate can lie outside its domain. The value is
 * then −∞, which certifies nothing.
 */
function known(dual: number): number {
  return Number.isNaN(dual) ? -Infinity : dual;
}
