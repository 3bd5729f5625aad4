/** The options of a factorisation of ratings (factorisation.ts), as given and with every default filled in. */

export interface FactorisationOptions {
  /** Default 32. */
  rank?: number;
  /** For explicit ratings in units of their variance. Default 0.1. */
  l2?: number;
  /** Default false; { alpha: 40 } where alpha is left out. */
  implicit?: false | { alpha?: number };
  /** Default true, and false for implicit ratings. */
  biases?: boolean;
  /**
   * The penalty of a user or item times the number of their ratings. Default true, and false for implicit ratings. Without it those with many ratings
   * are hardly held, and where the rank is not far below their number the model learns their noise.
   */
  weighted?: boolean;
  initialScale?: number;
}

/** Every default filled in. */
export interface FactorisationSettings {
  rank: number;
  l2: number;
  /** Of implicit ratings; null for explicit ones. */
  alpha: number | null;
  biases: boolean;
  weighted: boolean;
  initialScale: number;
}
