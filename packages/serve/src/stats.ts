import { Histogram, type HistogramJson } from "./histogram.ts";

/** Statistics of a batcher, including its learned times, as plain data. */
export interface BatcherStats {
  /** Number of answered requests. */
  answered: number;
  /** Number of requests whose batch failed. */
  failed: number;
  /** Number of requests that got an error instead of an answer. */
  rejected: number;
  /** Number of cancelled requests. */
  cancelled: number;
  /** Number of refused requests by reason: `full` (429), `deadline` and `closed` (503). */
  refused: { full: number; deadline: number; closed: number };
  /** Number of waiting requests, of waiting rows and of running batches. */
  waiting: { requests: number; rows: number; running: number };
  /** Number of batches run. */
  batches: number;
  /** Number of rows in the running batches. */
  rows: number;
  /** Learned time of a batch: milliseconds per row and per batch, and its relative standard deviation. */
  time: { perRowMs: number; perBatchMs: number; spread: number };
  /** Current number of rows of the largest batch. */
  maxRows: number;
  /**
   * Distributions of rows per batch, and of microseconds: in the queue, in the model, and from submission to answer.
   */
  histograms: { batchRows: HistogramJson; queueUs: HistogramJson; computeUs: HistogramJson; latencyUs: HistogramJson };
}

/** Counts of a batcher. */
export class Tally {
  readonly histograms = {
    batchRows: new Histogram(),
    queueUs: new Histogram(),
    computeUs: new Histogram(),
    latencyUs: new Histogram(),
  };
  readonly counts = { answered: 0, failed: 0, rejected: 0, cancelled: 0, batches: 0, rows: 0 };
  readonly refused = { full: 0, deadline: 0, closed: 0 };

  batch(rows: number, computeMs: number): void {
    this.counts.batches++;
    this.counts.rows += rows;
    this.histograms.batchRows.add(rows);
    this.histograms.computeUs.add(1000 * computeMs);
  }

  answer(queueUs: number, latencyUs: number): void {
    this.counts.answered++;
    this.histograms.queueUs.add(queueUs);
    this.histograms.latencyUs.add(latencyUs);
  }

  toStats(rest: Pick<BatcherStats, "waiting" | "time" | "maxRows">): BatcherStats {
    const { batchRows, queueUs, computeUs, latencyUs } = this.histograms;
    return {
      ...this.counts,
      refused: { ...this.refused },
      ...rest,
      histograms: {
        batchRows: batchRows.toJSON(),
        queueUs: queueUs.toJSON(),
        computeUs: computeUs.toJSON(),
        latencyUs: latencyUs.toJSON(),
      },
    };
  }
}
