/** Something about a result that its reader should know. */
export interface Finding {
  /** "rhat", "ess", "modes", "rareModes", "late", "restarts", "divergences", "treeDepth", "energy", "paretoK", "notFinite", "oneChain", "empty", "few", "stuck", "particles", "tails", "model", "stepBias", "solutions"; of training "worse", "separable"; of learning on graphs also "racing", "islands", "hidden". */
  readonly code: string;
  /** true: what it is about is biased or unknown; false: slow or worth a look. */
  readonly serious: boolean;
  /** true: worth knowing, but nothing to be careful about; draws of which all findings are notes can be trusted as they are. */
  readonly note?: boolean;
  /** What was found. */
  readonly text: string;
  /** What to do. */
  readonly advice: string;
}
