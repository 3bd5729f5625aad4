import type { HistogramJson } from "./histogram.ts";

/** What a batcher has done so far, and what it knows, as plain data. */
export interface BatcherStats {
  /** Requests that were answered. */
  answered: number;
  /** Requests whose batch failed. */
  failed: number;
  /** Requests that had an error in the place of an answer. */
  rejected: number;
  /** Requests that were cancelled. */
  cancelled: number;
  /** Requests that were refused, by reason: `full` (429), `deadline`, `closed` (503). */
  refused: { full: number; deadline: number; closed: number };
  /** Requests and rows that wait, and batches that run. */
  waiting: { requests: number; rows: number; running: number };
  /** Batches that ran. */
  batches: number;
  /** Rows of those batches. */
  rows: number;
  /** The learned time of a batch: milliseconds a row and a batch, and its relative standard deviation. */
  time: { perRowMs: number; perBatchMs: number; spread: number };
  /** Rows of the largest batch for now. */
  maxRows: number;
  /** Distributions of rows a batch, and of microseconds: in the queue, in the model, and from submission to answer. */
  histograms: { batchRows: HistogramJson; queueUs: HistogramJson; computeUs: HistogramJson; latencyUs: HistogramJson };
}
