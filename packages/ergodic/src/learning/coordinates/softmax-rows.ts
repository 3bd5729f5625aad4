/**
 * Slopes and curvatures of the rows for one output. These values show whether the loss is a softmax cross-entropy. Its
 * slopes are c s, or −c s for the row's own class, and its curvatures are c s (1 − s), with s in [0, 1].
 */
export interface OutputRows {
  /** Weights c, by row. */
  weights: Float64Array;
  /** Slopes of the loss in one output. */
  slopes: Float64Array;
  curvatures: Float64Array;
}

/**
 * Whether each row's own class can be more likely than all other classes together, judging by the values of this
 * output. If this holds for all outputs, the loss has no minimum: it falls as the weights grow.
 */
export function isFitted({ weights, slopes, curvatures }: OutputRows): boolean {
  return weights.every((c, i) => c === 0 || (2 * Math.abs(slopes[i]) < c && isSoftmax(c, slopes[i], curvatures[i])));
}

/**
 * Whether no row with positive weight belongs to this output's class. The loss then falls as the output falls. If a row
 * belonged to the class, its slope would be at most 0.
 */
export function isWeightless({ weights, slopes, curvatures }: OutputRows): boolean {
  return weights.every((c, i) => c === 0 || (slopes[i] > 0 && isSoftmax(c, slopes[i], curvatures[i])));
}

function isSoftmax(c: number, slope: number, curvature: number): boolean {
  const size = Math.abs(slope);
  return Math.abs(curvature - size * (1 - size / c)) <= 1e-9 * c;
}
