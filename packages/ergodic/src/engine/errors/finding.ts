/** A diagnostic finding about a result. */
export interface Finding {
  /**
   * One of "rhat", "ess", "modes", "rareModes", "late", "restarts", "divergences", "treeDepth", "energy", "paretoK",
   * "notFinite", "oneChain", "empty", "few", "stuck", "particles", "tails", "model", "stepBias", "solutions"; for
   * training also "worse", "separable", "classes"; for learning on graphs also "racing", "islands", "hidden",
   * "unlabelled"; for knowledge bases also "backward", "unlabelled".
   */
  readonly code: string;
  /**
   * Whether the affected numbers are biased, or might be. If false, the numbers are usable, but the run is slow or has
   * an unusual feature.
   */
  readonly serious: boolean;
  /** Whether the finding is only a note, which needs no action. Draws can be trusted if all findings are notes. */
  readonly note?: boolean;
  /** Description of the problem. */
  readonly text: string;
  /** Suggested remedy. */
  readonly advice: string;
}
