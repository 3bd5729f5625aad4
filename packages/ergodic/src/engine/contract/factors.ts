/** Capability: two sides of factors. */

/** Capability: F(P, Q) over users' rows P and items' rows Q, quadratic in either with the other held: rows of a side are minimised independently. */
export interface Factors {
  /** By side (users, items): u32[rows + 1], the number of ratings before each row. */
  readonly ratingStart: readonly [Uint32Array, Uint32Array];
  /** Memory for both sides. `residuals`: one f64 a rating, kept on each side, for updates by components. */
  bind(options: { residuals: boolean; purpose: string }): FactorBinding;
}

/** Factors bound to memory. */
export interface FactorBinding {
  /** By side: the block that its kernels take, and the stored rows. */
  readonly blocks: readonly [number, number];
  /** By side: stored rows. */
  readonly rows: readonly [number, number];
  /** Numbers in a stored row, padding included, and their type. */
  readonly stride: number;
  /** Type of the stored numbers. */
  readonly type: "f32" | "f64";
  /** (block, scratch, from, to) → rows without a solution: rows [from, to) to their minimum. */
  readonly solveSlot: number;
  /** (block, scratch, from, to, inner) → 0: the same rows, `inner` rounds of one coordinate after another. */
  readonly sweepSlot: number;
  /** (block, from, to, loss) → the penalty of rows [from, to), and with loss = 1 the loss of their ratings. Writes residuals. */
  readonly objectiveSlot: number;
  /** (block, component, parts of the pass, from, to) → 0; absent where every cell counts. Parts: 1 open, 2 update, 4 close (kernels/learning/factors.ts). */
  readonly componentSlot?: number;
  /** Components of a row: its factors, and the bias. */
  readonly components: readonly number[];
  /** (block, from, to, target) → 0: Σ p pᵀ over the side's own rows, lower triangle, f64[stride²]; absent where only rated cells count. */
  readonly gramSlot?: number;
  /** By side: where its block expects the other side's Σ q qᵀ, both triangles. */
  readonly grams?: readonly [number, number];
  /** By side, or 0: f64[ratings]. */
  readonly residuals: readonly [number, number];
  /** Bytes of scratch memory for each lane. */
  readonly scratchBytes: number;
  /** Parameters as the problem lays them out. */
  load(parameters: Float64Array): void;
  /** Parameters as the problem lays them out; a copy. */
  parameters(): Float64Array;
  /** Gives memory back. */
  dispose(): void;
}
