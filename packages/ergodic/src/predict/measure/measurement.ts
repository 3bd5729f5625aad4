import type { LedgerItem } from "./ledger.ts";
import type { MeasureClock, RateTrial } from "./scenarios.ts";

/** Anything that answers queries: a predictor, an object with the same `predict`, or a function of rows. */
export type Measurable = ((rows: never) => unknown) | { predict(rows: never): unknown };

/** Arrival pattern of queries: one of MLPerf's scenarios. */
export type Scenario = "singleStream" | "multiStream" | "server" | "offline";

/** Options of `measure`. */
export interface MeasureOptions {
  /** Arrival pattern of queries: "singleStream", "multiStream", "server" or "offline". Default "singleStream". */
  scenario?: Scenario;
  /**
   * Number of rows per query, or per call in the offline scenario; >= 1. Default 1; 8 for multiStream; all of `rows`
   * for offline.
   */
  batch?: number;
  /** Offline: total number of rows; >= 1. Default 24,576, the fewest that MLPerf allows. */
  rows?: number;
  /**
   * Smallest number of queries; >= 1. Default: the number that early stopping needs if one query exceeds the bound,
   * which is 64 or 662; 459 for a server.
   */
  queries?: number;
  /** Minimum duration of the measurement in seconds, > 0. For a server, it applies to each rate. Default 1. */
  seconds?: number;
  /** For a server, the bound of the 99th percentile, in milliseconds, > 0. Default 10. */
  p99Ms?: number;
  /** Server: queries per second, > 0. Default: the highest rate within the bound is determined by a search. */
  rate?: number;
  /** Seconds of warm-up calls before the measurement starts, >= 0. At least two calls are made. Default 0.1. */
  warmup?: number;
  /** Seed for the rows and the arrival times: a whole number >= 0. Default 0. */
  seed?: number;
  /** Function called for each query instead of `predict`: (rows) => model.predictInto(rows, out). */
  call?: (rows: never) => unknown;
  /** Folder in which Linux exposes RAPL's counters. Default "/sys/class/powercap". */
  powercap?: string;
  /** Clock. Default: the host's. */
  clock?: MeasureClock;
  /** Aborts the measurement. */
  signal?: AbortSignal;
}

/**
 * Latencies of queries in milliseconds. A quantile is null if there are too few queries for any of them to exceed it.
 */
export interface Latencies {
  /** Mean of all queries. */
  mean: number;
  /** Median: 50 % are below. */
  p50: number | null;
  /** 90 % are below. */
  p90: number | null;
  /** 99 % are below. */
  p99: number | null;
  /** 99.9 % are below. */
  p999: number | null;
  /** The longest latency. */
  max: number;
}

/** Energy per row, in joules. `source` says how it was determined. */
export type Energy =
  /**
   * The energy was measured by RAPL. It is the total energy that the named zones of the machine used during the run.
   */
  | { source: "measured"; zones: readonly string[]; joules: number; perRow: number }
  /** Computed from `ledger`. `perRow` is the middle of `range`; `why` is the reason why there is no measurement. */
  | { source: "modelled"; perRow: number; range: readonly [low: number, high: number]; why: string }
  /** Unknown: energy was not measured, and cannot be modelled because the callee is not a known model. */
  | { source: "unknown"; why: string };

/** Results of `measure`. */
export interface Measurement {
  /** Arrival pattern of the queries. */
  scenario: Scenario;
  /** Rows per query, or per call if offline. */
  batch: number;
  /** Number of answered queries, or of calls if offline. */
  queries: number;
  /** Number of answered rows. */
  rows: number;
  /** Seconds from the first query to the last answer. */
  seconds: number;
  /** Throughput in rows per second. */
  rowsPerSecond: number;
  /**
   * Latencies of queries, measured from the time at which each query was due or, in the offline scenario, from the
   * start.
   */
  latencyMs: Latencies;
  /**
   * Upper bound on the scenario's quantile, which holds with 99 % confidence (by early stopping). `ms` is null if there
   * are too few queries. Null for offline.
   */
  bound: { percentile: number; over: number; ms: number | null } | null;
  /**
   * Whether the measurement meets MLPerf's rules: there are enough queries or rows, and latencies are within the bound.
   */
  valid: boolean;
  /** Reason why the measurement is not valid; null if it is. */
  why: string | null;
  /** For a server, the queries per second, or 0 if no rate was within the bound. Otherwise null. */
  rate: number | null;
  /** Server: rates that were tried, in order. */
  trials: RateTrial[];
  /**
   * Size of the model in bytes: of its file, of the file after gzip, and in memory while the model predicts. Null if
   * the callee has no file.
   */
  bytes: { file: number; gzip: number; resident: number } | null;
  /**
   * Memory in bytes: the process's peak since it started, its growth during the run, and the model's own WebAssembly
   * memory. Null if the host does not report memory.
   */
  memory: { peak: number | null; grown: number | null; wasm: number | null };
  /** Energy per row. */
  energy: Energy;
  /** Operations and bytes per row; null if the callee is not a model of this library. */
  ledger: LedgerItem[] | null;
}
