import { later } from "../../engine/threads/later.ts";
import type { Measurable, Measurement, MeasureOptions } from "./measurement.ts";
import type { MeasureInputs } from "./queries.ts";

/**
 * Measures a predictor in MLPerf's scenarios: latency, throughput, size, memory and energy.
 *
 * - singleStream: each query starts when the previous one completes; the 90th percentile counts.
 * - multiStream: the same with 8 rows per query; the 99th percentile counts.
 * - server: queries arrive at random (Poisson). Latency counts from the time when a query was due, so queueing is
 *   included. Finds the highest rate with a 99th percentile below p99Ms, to 2 %. Answers that are promises are
 *   not awaited before the next query.
 * - offline: all rows are available from the start; throughput counts.
 *
 * Early stopping decides how many queries are enough, and whether a percentile is within a bound. The percentile counts
 * as within the bound if so few slow queries would be improbable (at most 1 %) for a larger percentile. Before the
 * clock starts, rows are drawn from `inputs` with replacement. They keep the form in which they were given. If a query
 * has one row and the inputs are a list, `predict` gets the row itself. Energy is measured by RAPL if the machine
 * supports it, otherwise modelled from operations, bytes and published figures.
 *
 * Source: Reddi et al. 2020 (MLPerf Inference); Horowitz 2014. Differs: the default is one second, not 60 or 600.
 *
 * @param predictor object with a `predict` method, or a function of rows
 * @param inputs rows from which queries are drawn: a dataset, rows, or a list of anything that the predictor accepts
 * @param options scenario, rows per query, number of queries or seconds, latency bound, seed
 * @throws OptionError; errors of the predictor; the reason of an aborted `signal`
 *
 * @example
 * ```ts
 * await measure(model, rows, { scenario: "server", p99Ms: 10 });
 * ```
 */
export async function measure(predictor: Measurable, inputs: MeasureInputs, options: MeasureOptions = {}): Promise<Measurement> {
  const { measured } = await later(() => import("./measured.ts"));
  return measured(predictor, inputs, options);
}
