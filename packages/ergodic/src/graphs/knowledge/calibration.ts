/** Unknowns whose probability is in one interval. */
export interface CalibrationBin {
  /** Probabilities from here. */
  readonly from: number;
  /** Up to here. */
  readonly to: number;
  /** How many there are. */
  readonly count: number;
  /** Their mean probability: the share that should be true. NaN where there are none. */
  readonly expected: number;
  /** The share that is true. */
  readonly observed: number;
}

/** Whether of what is said to be true with probability p a share p is: by bins of probabilities, on labels that were kept back. */
export class CalibrationTable {
  /** By bin, ascending. */
  readonly bins: readonly CalibrationBin[];
  /** How many labels there were. */
  readonly count: number;
  /** Mean of |expected − observed| over the labels, by bins. */
  readonly error: number;

  /** By label the probability that was given, and 1 where it was true. */
  constructor(p: ArrayLike<number>, truth: ArrayLike<number>, binCount: number) {
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

  /** A table, a line a bin, with a bar of the observed share and | where it should end. */
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
    return [head, ...lines, `${this.count} labels, calibration error ${this.error.toFixed(3)}`].join("\n");
  }
}
