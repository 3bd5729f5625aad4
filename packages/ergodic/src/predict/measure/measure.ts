import { later } from "../../engine/threads/later.ts";
import type { Measurable, Measurement, MeasureOptions } from "./measurement.ts";
import type { MeasureInputs } from "./queries.ts";

/**
 * Measures a predictor by MLPerf's scenarios: latency, throughput, size, memory and energy.
 *
 *   await measure(model, rows, { scenario: "server", p99Ms: 10 });
 *
 * - singleStream: the next query on completion of the last; the 90th percentile counts.
 * - multiStream: the same with 8 rows a query, and the 99th.
 * - server: queries arrive at random (Poisson), and latency counts from when they were due, so that a queue counts; the highest rate with a 99th
 *   percentile below p99Ms is searched, to 2 %. Answers that are promises are not waited for before the next query.
 * - offline: all rows are there at once; the throughput counts.
 *
 * Early stopping decides how many queries are enough, and whether a percentile is within a bound: with so few over it that this had a probability of at
 * most 1 % if it were not. Rows are drawn from `inputs`, with replacement, before the clock starts; they come in the form in which they are given, and a
 * query of one row of a list is that row. Energy is RAPL's where the machine shows it, else modelled from operations, bytes and published figures.
 *
 * Source: Reddi et al. 2020 (MLPerf Inference); Horowitz 2014. Differs: a second, not 60 or 600, by default.
 *
 * @throws OptionError; what the predictor throws; the reason of an aborted `signal`
 */
export async function measure(predictor: Measurable, inputs: MeasureInputs, options: MeasureOptions = {}): Promise<Measurement> {
  const { measured } = await later(() => import("./measured.ts"));
  return measured(predictor, inputs, options);
}
