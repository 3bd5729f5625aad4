/** Options of `factorisation`. */

export interface FactorisationOptions {
  /** Number of factors per user and per item. Default 32; a whole number, 1 to 4096. */
  rank?: number;
  /** Strength of the penalty, > 0. For explicit ratings, it is in units of the variance of the ratings. Default 0.1. */
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
   * implicit ratings. If false, users and items with many ratings are hardly penalised. The model then learns the noise
   * in these ratings, unless the rank is far below their number.
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
  /** Weight factor alpha of implicit ratings; null for explicit ratings. */
  alpha: number | null;
  biases: boolean;
  weighted: boolean;
  initialScale: number;
}
