import type { LedgerItem } from "./ledger.ts";
import type { MeasureClock, RateTrial } from "./scenarios.ts";

/** What answers queries: a predictor, anything like it, or a function of rows. */
export type Measurable = ((rows: never) => unknown) | { predict(rows: never): unknown };

/** How queries arrive: one of MLPerf's scenarios. */
export type Scenario = "singleStream" | "multiStream" | "server" | "offline";

/** Options of `measure`. */
export interface MeasureOptions {
  /** "singleStream", "multiStream", "server" or "offline". Default "singleStream". */
  scenario?: Scenario;
  /** Rows a query, or offline rows a call; >= 1. Default 1; multiStream 8; offline all of `rows`. */
  batch?: number;
  /** Offline: rows in all; >= 1. Default 24,576, the fewest that MLPerf takes. */
  rows?: number;
  /** Queries at least; >= 1. Default: as many as early stopping needs with one over the bound, 64 or 662; server 459. */
  queries?: number;
  /** Seconds that queries come for at least, > 0; server: at each rate. Default 1. */
  seconds?: number;
  /** Server: the bound of the 99th percentile, in milliseconds, > 0. Default 10. */
  p99Ms?: number;
  /** Server: queries a second, > 0. Default: the highest rate within the bound is searched. */
  rate?: number;
  /** Seconds of calls before anything is measured, >= 0; two calls at least. Default 0.1. */
  warmup?: number;
  /** Of the rows and the arrivals: a whole number >= 0. Default 0. */
  seed?: number;
  /** What is called for a query in the place of `predict`: (rows) => model.predictInto(rows, out). */
  call?: (rows: never) => unknown;
  /** Where Linux shows RAPL's counters. Default "/sys/class/powercap". */
  powercap?: string;
  /** Default: the host's. */
  clock?: MeasureClock;
  /** Aborts the measurement. */
  signal?: AbortSignal;
}

/** Latencies of queries in milliseconds; a quantile is null where there are too few queries for one to lie above it. */
export interface Latencies {
  /** Over all queries. */
  mean: number;
  /** Half are below. */
  p50: number | null;
  /** 90 % are below. */
  p90: number | null;
  /** 99 % are below. */
  p99: number | null;
  /** 99.9 % are below. */
  p999: number | null;
  /** The longest. */
  max: number;
}

/** What a row costs in energy, in joules. `source` says how it is known. */
export type Energy =
  /** By RAPL: all that the named zones of the machine used meanwhile. */
  | { source: "measured"; zones: readonly string[]; joules: number; perRow: number }
  /** Computed from `ledger`; `perRow` is the middle of `range`. `why` there is no measurement. */
  | { source: "modelled"; perRow: number; range: readonly [low: number, high: number]; why: string }
  /** Neither: what was called is no model that is known. */
  | { source: "unknown"; why: string };

/** What `measure` found. */
export interface Measurement {
  /** How queries arrived. */
  scenario: Scenario;
  /** Rows a query; offline rows a call. */
  batch: number;
  /** Queries that were answered; offline calls. */
  queries: number;
  /** Rows that were answered. */
  rows: number;
  /** From the first query to the last answer. */
  seconds: number;
  /** Throughput. */
  rowsPerSecond: number;
  /** Of queries, from when they were due; offline from the start. */
  latencyMs: Latencies;
  /** What the scenario's quantile is below, with 99 % confidence, by early stopping; null where there are too few queries. Offline has none. */
  bound: { percentile: number; over: number; ms: number | null } | null;
  /** Whether MLPerf's rules hold: enough queries or rows, and within the bound. */
  valid: boolean;
  /** Why it is not valid; null where it is. */
  why: string | null;
  /** Server: queries a second, 0 where no rate was within the bound. Otherwise null. */
  rate: number | null;
  /** Server: rates that were tried, in order. */
  trials: RateTrial[];
  /** Bytes of the model: its file, the file after gzip, and in memory as it predicts. Null for what has no file. */
  bytes: { file: number; gzip: number; resident: number } | null;
  /** Bytes of the process at most since it began, by how much it grew meanwhile, and the model's own WebAssembly memory; null where none can be seen. */
  memory: { peak: number | null; grown: number | null; wasm: number | null };
  /** Of a row. */
  energy: Energy;
  /** What a row costs the model in operations and bytes; null for what is no model that is known. */
  ledger: LedgerItem[] | null;
}
