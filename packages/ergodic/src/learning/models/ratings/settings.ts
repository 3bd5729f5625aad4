/** Options of `factorisation`. */

export interface FactorisationOptions {
  /** Number of factors per user and per item. Default 32; a whole number, 1 to 4096. */
  rank?: number;
  /** Strength of the penalty, > 0; for explicit ratings in units of their variance. Default 0.1. */
  l2?: number;
  /**
   * Whether values are strengths of evidence >= 0, with weights 1 + alpha r. alpha is 40 by default. Default false:
   * values are ratings.
   */
  implicit?: false | { alpha?: number };
  /** Whether users and items have biases. Default true; false for implicit ratings. */
  biases?: boolean;
  /**
   * Whether the penalty of a user or item is multiplied by the number of their ratings. Default true; false for
   * implicit ratings. If it is false, users and items with many ratings are hardly penalised. The model then learns
   * their noise, unless the rank is far below their number of ratings.
   */
  weighted?: boolean;
  /**
   * Standard deviation of the initial factors, > 0. Default 1/√rank; for explicit ratings in units of √s, where s is
   * their standard deviation.
   */
  initialScale?: number;
}

/** Options of `factorisation` with every default filled in. */
export interface FactorisationSettings {
  rank: number;
  l2: number;
  /** Weight factor of implicit ratings; null for explicit ones. */
  alpha: number | null;
  biases: boolean;
  weighted: boolean;
  initialScale: number;
}
