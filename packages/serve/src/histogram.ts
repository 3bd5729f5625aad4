import { OptionError } from "ergodic";

/**
 * Upper ends of the buckets within a decade. They are the preferred numbers R20 of ISO 3, each of which is about 12 %
 * above the previous one. Every fourth of these numbers is also in the series R5.
 */
const R20 = [1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9];
const DECADES = 10;
/** The bounds are computed from decimal text, so that 1.12e1 is exactly 11.2. */
const bounds = Float64Array.from([...Array(DECADES).keys()].flatMap((decade) => R20.map((m) => Number(`${m}e${decade}`))));
const LAST = bounds.length;

/** A histogram as plain data. */
export interface HistogramJson {
  /** Number of values. */
  count: number;
  /** Sum of the values. */
  sum: number;
  /** Smallest value; null if there are none. */
  min: number | null;
  /** Largest value; null if there are none. */
  max: number | null;
  /** Median; null if there are no values. Each quantile differs by at most 14 % from the exact quantile. */
  p50: number | null;
  /** The 90 % quantile. */
  p90: number | null;
  /** The 99 % quantile. */
  p99: number | null;
  /** The 99.9 % quantile. */
  p999: number | null;
}

/**
 * Counts of values ≥ 0 in fixed buckets: one for [0, 1], then 20 per decade up to 9·10⁹ (the preferred numbers R20: 1,
 * 1.12, 1.25 …), and one for all larger values.
 *
 * A value equal to an upper end belongs to that bucket, as in Prometheus. Histograms from different times, processes
 * and machines can be added.
 */
export class Histogram {
  protected static readonly typeName: string = "Histogram";
  private readonly counts = new Float64Array(LAST + 1);
  private counted = 0;
  private total = 0;
  private least = Infinity;
  private most = -Infinity;

  /** Number of values. */
  get count(): number {
    return this.counted;
  }
  /** Sum of the values. */
  get sum(): number {
    return this.total;
  }

  /** Counts a value. @throws OptionError unless it is a number ≥ 0 */
  add(value: number): void {
    if (!(value >= 0 && value < Infinity))
      throw new OptionError("histogram", `the value is ${value}, but must be a number >= 0`, "OPTION_RANGE");
    this.counts[bucketOf(value)]++;
    this.counted++;
    this.total += value;
    if (value < this.least) this.least = value;
    if (value > this.most) this.most = value;
  }

  /**
   * Returns a quantile by nearest rank, which is the ⌈p·count⌉th smallest value for `p` in [0, 1]. The values within a
   * bucket are assumed to be evenly spread. The result always lies within the range of all values. NaN if there are
   * none.
   */
  quantile(p: number): number {
    if (!(p >= 0 && p <= 1)) throw new OptionError("histogram", `p is ${p}, but must be within [0, 1]`, "OPTION_RANGE");
    if (this.counted === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(p * this.counted));
    let below = 0;
    let bucket = 0;
    while (below + this.counts[bucket] < rank) below += this.counts[bucket++];
    const low = Math.max(this.least, bucket === 0 ? 0 : bounds[bucket - 1]);
    const high = Math.min(this.most, bucket === LAST ? Infinity : bounds[bucket]);
    return low + (high - low) * ((rank - below) / this.counts[bucket]);
  }

  /**
   * For each bound, returns the number of values ≤ this bound. There are five bounds per decade within [from, to].
   * These are the buckets that Prometheus expects, except for the bucket +Inf, which equals `count`.
   */
  cumulative(from = 1, to = 1e7): [number, number][] {
    const rows: [number, number][] = [];
    let sum = 0;
    for (let i = 0; i < LAST; i++) {
      sum += this.counts[i];
      if (i % 4 === 0 && bounds[i] >= from && bounds[i] <= to) rows.push([bounds[i], sum]);
    }
    return rows;
  }

  /** Returns count, sum, range and quantiles as plain data. */
  toJSON(): HistogramJson {
    const { count, sum } = this;
    if (count === 0) return { count, sum, min: null, max: null, p50: null, p90: null, p99: null, p999: null };
    const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map((p) => this.quantile(p));
    return { count, sum, min: this.least, max: this.most, p50, p90, p99, p999 };
  }
}

/** Returns the index of the first bucket whose upper end is not below the value. */
function bucketOf(value: number): number {
  let low = 0;
  let high = LAST;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
