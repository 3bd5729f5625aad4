/** Options of `factorisation`. */

export interface FactorisationOptions {
  /** Numbers per user and per item. Default 32; a whole number, 1 to 4096. */
  rank?: number;
  /** Strength of the penalty, > 0; for explicit ratings in units of their variance. Default 0.1. */
  l2?: number;
  /**
   * Values are strengths of evidence >= 0, with weights 1 + alpha r; { alpha: 40 } by default of alpha. Default false: they are
   * ratings.
   */
  implicit?: false | { alpha?: number };
  /** Whether users and items have biases. Default true; false for implicit ratings. */
  biases?: boolean;
  /**
   * The penalty of a user or item times the number of their ratings. Default true, and false for implicit ratings. Without it those with many ratings
   * are hardly held, and where the rank is not far below their number the model learns their noise.
   */
  weighted?: boolean;
  /**
   * Standard deviation of the first factors, > 0. Default 1/√rank; for explicit ratings in units of √s, s their standard
   * deviation.
   */
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
