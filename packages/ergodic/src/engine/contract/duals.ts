/** Capability: the dual of a linear model. */

/** Capability: the dual of F(p) = mean_i w_i ℓ_i(x_i·p) + l2/2 ‖p‖² over one number β_i a row, p = Σ_i β_i x_i; one problem an output. */
export interface Duals {
  /**
   * Memory, and what fills it, which may have to be loaded first. The intercept is the weight of a column of `interceptScaling`s, and penalised.
   * @throws CapabilityError where loss or penalty has no such dual
   */
  bind(options: { interceptScaling: number; deterministic: boolean }): Promise<DualBinding>;
}

/** Dual variables bound to memory. */
export interface DualBinding {
  /** By output a DUAL block (memory/fields.ts): rows, targets and the loss, for kernels/learning/dual.ts. */
  readonly outputs: readonly number[];
  /** Strength of the L2 penalty. */
  readonly l2: number;
  /** ‖p‖² = Σ_j weight_j p_j² over one output's parameters, padding and all, as the problem lays them out. */
  readonly normWeights: Float64Array;
  /** True where the dual also keeps log(α/(C − α)), α = |β|. */
  readonly interior: boolean;
  /** Fills in where the ascent of an output starts. */
  start(output: number, betas: Float64Array, logits: Float64Array): void;
  /** Gives memory back. */
  dispose(): void;
}
