/** Capability: dual of a linear model. */

/**
 * Capability: dual of F(p) = mean_i w_i ℓ_i(x_i·p) + l2/2 ‖p‖², with one dual variable β_i per row and p = Σ_i β_i x_i.
 * Each output is a separate problem.
 */
export interface Duals {
  /**
   * Binds the dual to memory, after loading its code if necessary. The intercept is the penalised weight of an extra
   * column with the constant value `interceptScaling`.
   * @throws CapabilityError if the loss or penalty has no such dual
   */
  bind(options: { interceptScaling: number; deterministic: boolean }): Promise<DualBinding>;
}

/** Dual variables bound to memory. */
export interface DualBinding {
  /**
   * Addresses of DUAL blocks (memory/fields.ts), one per output. A block holds rows, targets and loss for
   * kernels/learning/dual.ts.
   */
  readonly outputs: readonly number[];
  /** Strength of the L2 penalty. */
  readonly l2: number;
  /**
   * Weights in ‖p‖² = Σ_j weight_j p_j², where j runs over the parameters of one output, including padding. They have
   * the problem's layout.
   */
  readonly normWeights: Float64Array;
  /** Whether the dual also stores log(α/(C − α)), with α = |β|. */
  readonly interior: boolean;
  /** Writes the values from which the dual ascent of an output starts. */
  start(output: number, betas: Float64Array, logits: Float64Array): void;
  /** Frees the memory. */
  dispose(): void;
}
