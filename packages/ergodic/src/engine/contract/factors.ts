/** Capability: matrix factorisation with two sides of factors. */

/**
 * Capability: F(P, Q) over user rows P and item rows Q. If one side is fixed, F is quadratic in the other side, and its
 * rows can be minimised independently.
 */
export interface Factors {
  /** For each side (users, items): offsets of each row's ratings, u32[rows + 1]. */
  readonly ratingStart: readonly [Uint32Array, Uint32Array];
  /** Binds memory for both sides. `residuals`: store one f64 per rating on each side, for component-wise updates. */
  bind(options: { residuals: boolean; purpose: string }): FactorBinding;
}

/** Matrix factors bound to memory. */
export interface FactorBinding {
  /** For each side: address of the block that is passed to its kernels. */
  readonly blocks: readonly [number, number];
  /** For each side: number of stored rows. */
  readonly rows: readonly [number, number];
  /** Numbers per stored row, including padding. */
  readonly stride: number;
  /** Type of the stored numbers. */
  readonly type: "f32" | "f64";
  /**
   * (block, scratch, from, to) → number of rows without a solution. Minimises the objective separately over each row in
   * [from, to).
   */
  readonly solveSlot: number;
  /** (block, scratch, from, to, inner) → 0. Updates the rows [from, to) by `inner` rounds of coordinate descent. */
  readonly sweepSlot: number;
  /**
   * (block, from, to, loss) → penalty of rows [from, to), plus the loss of their ratings if loss = 1. Writes residuals.
   */
  readonly objectiveSlot: number;
  /**
   * (block, component, parts of the pass, from, to) → 0. Absent if unrated cells count too. The parts of a pass are 1
   * (open), 2 (update) and 4 (close); see kernels/learning/factors.ts.
   */
  readonly componentSlot?: number;
  /** Components of a row: its factors and its bias. */
  readonly components: readonly number[];
  /**
   * (block, from, to, target) → 0. Computes Σ p pᵀ over the rows [from, to) of one side. Writes the lower triangle to
   * f64[stride²]. Absent if only rated cells count.
   */
  readonly gramSlot?: number;
  /** For each side, the address from which its kernels read Σ q qᵀ of the other side. Both triangles are stored. */
  readonly grams?: readonly [number, number];
  /** For each side: address of the residuals, f64[ratings], or 0. */
  readonly residuals: readonly [number, number];
  /** Scratch memory per lane, in bytes. */
  readonly scratchBytes: number;
  /** Writes parameters in the layout of the problem. */
  load(parameters: Float64Array): void;
  /** Returns a copy of the parameters in the layout of the problem. */
  parameters(): Float64Array;
  /** Frees the memory. */
  dispose(): void;
}
