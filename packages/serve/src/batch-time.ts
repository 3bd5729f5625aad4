/** Batches back after which an observation counts 1/e. */
const MEMORY = 50;
/** A batch counts as at most this many times what was to be expected, so that one stall does not rule the next fifty batches … */
const MOST = 4;
/** … once so many are known. Before, later ones outweigh a stall soon. */
const FEW = 8;
/** The 99 % quantile of a normal distribution. */
const Z99 = 2.326;
/** Below this variance of sizes, as a part of their mean square, sizes say nothing about the slope. */
const FLAT = 1e-6;

/** Batches of which the fixed cost is this part are large enough under any load: larger ones gain little. */
const FIXED_PART = 0.05;

/**
 * How long a batch takes, learned from those that ran: t = a·n + b, a and b ≥ 0, n in rows, t in milliseconds.
 *
 * Least squares with weights that fall by 1 − 1/50 a batch, after a beginning in which later batches count more (the kth has weight 2/(k + 1)), since
 * the first ones run cold. Batches of nearly one size say little of the slope, and so displace less of what is known of it: down to a fiftieth. At first it
 * is 0: sizes that were never tried are taken to be cheap, which trying them corrects. From the ninth on, an observation above four times its expectation
 * counts as that. `spread` is the root of the mean squared relative residual, with the same weights.
 */
export class BatchTime {
  /** a: milliseconds a row. */
  perRow = 0;
  /** b: milliseconds a batch. */
  perBatch = 0;
  /** Relative standard deviation of a batch's time from a·n + b. */
  spread = 0;
  /** Batches seen. */
  count = 0;
  private meanRows = 0;
  private meanMs = 0;
  private variance = 0;
  private covariance = 0;
  private squaredError = 0;

  /** A batch of `rows` rows took `ms` milliseconds. */
  observe(rows: number, ms: number): void {
    const weight = Math.max(1 / MEMORY, 2 / (++this.count + 1));
    const t = this.count > FEW ? Math.min(ms, MOST * this.atMost(rows)) : ms;
    const dn = rows - this.meanRows;
    const dt = t - this.meanMs;
    this.meanRows += weight * dn;
    this.meanMs += weight * dt;
    // As the batch's size tells more or less than those before.
    const told = this.count > FEW && this.variance > 0 ? Math.max(1 / MEMORY, Math.min(1, (dn * dn) / this.variance)) : 1;
    this.variance = (1 - weight * told) * this.variance + weight * (1 - weight) * dn * dn;
    this.covariance = (1 - weight * told) * this.covariance + weight * (1 - weight) * dn * dt;
    this.fit();
    const fitted = this.mean(rows);
    const error = fitted > 0 ? (t - fitted) / fitted : 0;
    this.squaredError += weight * (error * error - this.squaredError);
    this.spread = Math.sqrt(this.squaredError);
  }

  /** The mean time of a batch of `rows` rows, 0 before the first batch. */
  mean(rows: number): number {
    return this.perRow * rows + this.perBatch;
  }

  /** The time that 99 % of batches of `rows` rows stay below, if times are normal. */
  slow(rows: number): number {
    return this.mean(rows) * this.margin(1);
  }

  /** What a sum of `batches` batches' mean times is multiplied by to stay below in 99 %. */
  margin(batches: number): number {
    return 1 + (Z99 * this.spread) / Math.sqrt(batches);
  }

  /**
   * Rows of batches with which 99 % of requests are answered within `ms`, ≥ 1; Infinity while batches cost nothing more the larger they are.
   *
   * A request that just misses a batch waits for it, and for its own: either may take half of the time. Where batches of that size would be mostly fixed
   * cost, larger ones are answered sooner under load: up to those of which it is 5 %.
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
    // On the border b = 0 the best slope is that through the origin.
    this.perBatch = 0;
    this.perRow = (covariance + meanRows * meanMs) / (variance + meanRows * meanRows);
  }

  /** More than the line says where the slope may be unknown: all of the time may be that of rows. */
  private atMost(rows: number): number {
    return Math.max(this.mean(rows), (this.meanMs * rows) / this.meanRows);
  }
}
