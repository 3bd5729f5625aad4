/** Unknowns with a probability in one interval. */
export interface CalibrationBin {
  /** Lower end of the interval. */
  readonly from: number;
  /** Upper end of the interval. */
  readonly to: number;
  /** Number of unknowns in the bin. */
  readonly count: number;
  /** Mean predicted probability, which is the share expected to be true. NaN if the bin is empty. */
  readonly expected: number;
  /** Share that is actually true. NaN if the bin is empty. */
  readonly observed: number;
}

/**
 * Calibration of probabilities on held-out labels: among unknowns with predicted probability p, a share p should be
 * true. The labels are grouped into bins of equal width.
 */
export class CalibrationTable {
  protected static readonly typeName: string = "CalibrationTable";
  /** Bins in ascending order. */
  readonly bins: readonly CalibrationBin[];
  /** Number of labels. */
  readonly count: number;
  /** Mean over the labels of |expected − observed| in the label's bin. */
  readonly error: number;
  /** Warning if some of the probabilities have no guarantee; undefined if all have one. */
  readonly caveat: string | undefined;

  /** `p` has the predicted probability of each label, and `truth` is 1 for true labels. */
  constructor(p: ArrayLike<number>, truth: ArrayLike<number>, binCount: number, caveat?: string) {
    this.caveat = caveat;
    const sums = Array.from({ length: binCount }, () => ({ count: 0, p: 0, truth: 0 }));
    for (let i = 0; i < p.length; i++) {
      const bin = sums[Math.min(binCount - 1, Math.floor(p[i] * binCount))];
      bin.count++;
      bin.p += p[i];
      bin.truth += truth[i];
    }
    this.bins = sums.map(({ count, p: sum, truth: trueCount }, k) => ({
      from: k / binCount,
      to: (k + 1) / binCount,
      count,
      expected: sum / count,
      observed: trueCount / count,
    }));
    this.count = p.length;
    const off = sums.reduce((sum, bin) => sum + Math.abs(bin.p - bin.truth), 0);
    this.error = off / Math.max(1, p.length);
  }

  /** Returns a table with a line per bin. A bar shows the observed share, and | marks where it should end. */
  toString(): string {
    const width = 20;
    const lines = this.bins.map(({ from, to, count, expected, observed }) => {
      const range = `${from.toFixed(2)}–${to.toFixed(2)} ${String(count).padStart(7)}`;
      if (count === 0) return range;
      const bar = "█".repeat(Math.round(observed * width)).padEnd(width + 1);
      const mark = Math.round(expected * width);
      return `${range}   ${expected.toFixed(3)}    ${observed.toFixed(3)}  ${bar.slice(0, mark)}|${bar.slice(mark + 1)}`.trimEnd();
    });
    const head = "probability   count expected observed";
    const end = `${this.count} labels, calibration error ${this.error.toFixed(3)}`;
    return [head, ...lines, end, ...(this.caveat === undefined ? [] : [this.caveat])].join("\n");
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
