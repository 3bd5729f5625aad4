/** What rows tell of a cross-entropy whose classes share it: of slopes c s, or −c s for the row's own class, and curvatures c s (1 − s), s in [0, 1]. Other losses tell nothing. */
export interface OutputRows {
  /** c, by row. */
  weights: Float64Array;
  /** Of one output. */
  slopes: Float64Array;
  curvatures: Float64Array;
}

/** Whether each row's own class is likelier than all others together, as far as this output can tell: if all can, the loss falls for as long as weights grow. */
export function isFitted({ weights, slopes, curvatures }: OutputRows): boolean {
  return weights.every((c, i) => c === 0 || (2 * Math.abs(slopes[i]) < c && isSoftmax(c, slopes[i], curvatures[i])));
}

/** Whether no row that weighs anything is of this output's class: the loss falls for as long as the output does. A row of the class has a slope of 0 or below. */
export function isWeightless({ weights, slopes, curvatures }: OutputRows): boolean {
  return weights.every((c, i) => c === 0 || (slopes[i] > 0 && isSoftmax(c, slopes[i], curvatures[i])));
}

function isSoftmax(c: number, slope: number, curvature: number): boolean {
  const size = Math.abs(slope);
  return Math.abs(curvature - size * (1 - size / c)) <= 1e-9 * c;
}
