/** Number of batches after which the weight of an observation has fallen to 1/e. */
const MEMORY = 50;
/**
 * Largest ratio of a batch's actual time to its expected time. Longer times are clipped to this ratio, so that one
 * stall does not dominate the next fifty batches.
 */
const MOST = 4;
/**
 * Number of batches after which long times are clipped. Among earlier batches, a stall is soon outweighed by the
 * following batches.
 */
const FEW = 8;
/** The 99 % quantile of a normal distribution. */
const Z99 = 2.326;
/** Smallest variance of batch sizes at which the slope can be estimated, relative to the mean square of the sizes. */
const FLAT = 1e-6;

/**
 * If the fixed cost is at most this share of a batch's time, the batch is large enough under any load. Larger ones
 * would gain little.
 */
const FIXED_PART = 0.05;

/**
 * Predicts how long a batch takes, learned from earlier batches: t = a·n + b, a and b ≥ 0, n in rows, t in
 * milliseconds.
 *
 * Least squares with weights that fall by a factor of 1 − 1/50 per batch. At the start, the kth batch has weight 2/(k +
 * 1), so that later batches count more, because the first batches run cold. Batches of nearly equal size contain little
 * information about the slope. Such batches therefore replace less of the earlier estimate: as little as a fiftieth of
 * the usual share. The slope starts at 0, so new sizes are assumed to be cheap until they are tried. From the ninth
 * batch on, a time above four times the expected time is clipped to four times the expected time. `spread` is the root
 * mean squared relative residual, with the same weights.
 */
export class BatchTime {
  /** Milliseconds per row, a. */
  perRow = 0;
  /** Milliseconds per batch, b. */
  perBatch = 0;
  /** Standard deviation of a batch's time from a·n + b, relative to a·n + b. */
  spread = 0;
  /** Number of batches seen. */
  count = 0;
  private meanRows = 0;
  private meanMs = 0;
  private variance = 0;
  private covariance = 0;
  private squaredError = 0;

  /** Records that a batch of `rows` rows took `ms` milliseconds. */
  observe(rows: number, ms: number): void {
    const weight = Math.max(1 / MEMORY, 2 / (++this.count + 1));
    const t = this.count > FEW ? Math.min(ms, MOST * this.atMost(rows)) : ms;
    const dn = rows - this.meanRows;
    const dt = t - this.meanMs;
    this.meanRows += weight * dn;
    this.meanMs += weight * dt;
    // Weight of the batch in the estimate of the slope. The weight depends on how far the batch's size is from the mean
    // size.
    const told = this.count > FEW && this.variance > 0 ? Math.max(1 / MEMORY, Math.min(1, (dn * dn) / this.variance)) : 1;
    this.variance = (1 - weight * told) * this.variance + weight * (1 - weight) * dn * dn;
    this.covariance = (1 - weight * told) * this.covariance + weight * (1 - weight) * dn * dt;
    this.fit();
    const fitted = this.mean(rows);
    const error = fitted > 0 ? (t - fitted) / fitted : 0;
    this.squaredError += weight * (error * error - this.squaredError);
    this.spread = Math.sqrt(this.squaredError);
  }

  /** Returns the mean time of a batch of `rows` rows. Returns 0 before the first batch. */
  mean(rows: number): number {
    return this.perRow * rows + this.perBatch;
  }

  /** Returns the 99 % quantile of the time for a batch of `rows` rows, assuming normally distributed times. */
  slow(rows: number): number {
    return this.mean(rows) * this.margin(1);
  }

  /** Returns the 99 % quantile of the total time of `batches` batches, divided by its mean. */
  margin(batches: number): number {
    return 1 + (Z99 * this.spread) / Math.sqrt(batches);
  }

  /**
   * Returns the batch size in rows at which 99 % of requests are answered within `ms`. The size is ≥ 1. It is Infinity
   * as long as larger batches have not taken more time.
   *
   * A request that just misses a batch waits for that batch and then for its own, so each of the two may take half of
   * the time. If the fixed cost dominates the time of such a batch, larger batches are faster under load. Larger
   * batches are therefore allowed until the fixed cost is only 5 %.
   */
  rowsFor(ms: number): number {
    if (this.perRow === 0) return Infinity;
    const within = (ms / 2 / this.margin(1) - this.perBatch) / this.perRow;
    const efficient = (this.perBatch * (1 / FIXED_PART - 1)) / this.perRow;
    return Math.max(1, Math.floor(Math.max(within, efficient)));
  }

  private fit(): void {
    const { meanRows, meanMs, variance, covariance } = this;
    if (variance > FLAT * meanRows * meanRows) this.perRow = Math.max(0, covariance / variance);
    this.perBatch = meanMs - this.perRow * meanRows;
    if (this.perBatch >= 0) return;
    // At the boundary b = 0, the best line passes through the origin.
    this.perBatch = 0;
    this.perRow = (covariance + meanRows * meanMs) / (variance + meanRows * meanRows);
  }

  /**
   * Largest plausible time. If the slope is unknown, this time exceeds the fitted line, because the whole time might
   * then be proportional to the number of rows.
   */
  private atMost(rows: number): number {
    return Math.max(this.mean(rows), (this.meanMs * rows) / this.meanRows);
  }
}
