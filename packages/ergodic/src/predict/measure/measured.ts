import type { Dataset } from "../../engine/data/dataset.ts";
import { datasetMark, isMarked } from "../../engine/data/marks.ts";
import type { StepPipeline } from "../../engine/data/pipeline.ts";
import type { RawRows } from "../../engine/data/raw.ts";
import { forEachRow } from "../../engine/data/rows.ts";
import { checkChoice, checkFunction, checkSignal, holds, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { stream } from "../../engine/random/stream.ts";
import { overAllowed, queriesFor } from "./early-stopping.ts";
import { factorWork, joulesOf, ledgerOf, linearWork, type ModelWork, networkWork, withFeatures } from "./ledger.ts";
import type { Energy, Latencies, Measurable, Measurement, MeasureOptions, Scenario } from "./measurement.ts";
import { checkedCount, type MeasureInputs, queriesOf } from "./queries.ts";
import { openRapl } from "./rapl.ts";
import { consecutive, highestRate, hostClock, type Load, MOST_QUERIES, scheduled, type Timings } from "./scenarios.ts";
import { factsOf, gzipSize, residentSize, type SavedFacts, wasmSize } from "./size.ts";

const SCENARIOS = ["singleStream", "multiStream", "server", "offline"] as const;
const OFFLINE_ROWS = 24_576;
/** Number of rows that a network computes in one call (predict/plan/network-plan.ts). */
const CHUNK = 64;
const keys = [
  "scenario",
  "batch",
  "rows",
  "queries",
  "seconds",
  "p99Ms",
  "rate",
  "warmup",
  "seed",
  "call",
  "powercap",
  "clock",
  "signal",
];
const percentileOf: Readonly<Record<Scenario, number | undefined>> = {
  singleStream: 0.9,
  multiStream: 0.99,
  server: 0.99,
  offline: undefined,
};

/** Results of a run: a scenario's timings and, for a server, the rates. */
interface Ran {
  readonly timings: Timings;
  readonly rate: number | null;
  readonly trials: Measurement["trials"];
}

type Checked = Required<
  Pick<MeasureOptions, "scenario" | "batch" | "seconds" | "p99Ms" | "warmup" | "seed" | "powercap" | "clock">
> &
  Pick<MeasureOptions, "rows" | "queries" | "rate" | "signal">;

export async function measured(predictor: Measurable, inputs: MeasureInputs, options: MeasureOptions): Promise<Measurement> {
  const checked = check(options);
  const call = callOf(predictor, options.call);
  checkedCount(inputs);
  const { scenario, batch, powercap, clock, signal, seed } = checked;
  const queries = queriesOf(inputs, batch, seed);
  const load: Load = { clock, signal, call: (i) => call(queries.at(i) as never) };
  try {
    const meanMs = await warmed(load, checked.warmup);
    const before = residentSize();
    const meter = openRapl(powercap);
    const all = await ran(load, checked, meanMs);
    const { timings, rate, trials } = all;
    const joules = typeof meter === "string" ? meter : { zones: meter.zones, joules: meter.joules() };
    const after = residentSize();
    const { rows, seconds, ...found } = summary(timings, checked);
    const facts = factsOf(predictor);
    const work = facts && workOf(facts, predictor, inputs, Math.min(batch, CHUNK));
    const ledger = work ? ledgerOf(work) : null;
    return printable({
      scenario,
      batch,
      rows,
      seconds,
      ...found,
      ...verdict(all, checked),
      rate,
      trials,
      bytes: facts
        ? {
            file: facts.file.length,
            gzip: await gzipSize(facts.file),
            resident: work ? work.model + work.between : facts.numbers,
          }
        : null,
      memory: { peak: after?.peak ?? null, grown: after && before ? after.now - before.now : null, wasm: wasmSize(predictor) },
      energy: energyOf(joules, rows, ledger),
      ledger,
    });
  } finally {
    queries.dispose();
  }
}

function check(options: MeasureOptions): Checked {
  checkKeys("measure", options, keys);
  const { scenario = "singleStream", rows = OFFLINE_ROWS, queries, rate, signal } = options;
  checkChoice("measure", "scenario", scenario, SCENARIOS);
  checkNumber("measure", "rows", rows, { low: 1, high: MOST_QUERIES, integer: true });
  const { batch = scenario === "offline" ? rows : scenario === "multiStream" ? 8 : 1 } = options;
  const { seconds = 1, p99Ms = 10, warmup = 0.1, seed = 0, powercap = "/sys/class/powercap", clock = hostClock } = options;
  checkNumber("measure", "batch", batch, { low: 1, high: MOST_QUERIES, integer: true });
  if (queries !== undefined) checkNumber("measure", "queries", queries, { low: 1, high: MOST_QUERIES, integer: true });
  checkNumber("measure", "seconds", seconds, { low: 0, open: true });
  checkNumber("measure", "p99Ms", p99Ms, { low: 0, open: true });
  if (rate !== undefined) checkNumber("measure", "rate", rate, { low: 0, open: true });
  checkNumber("measure", "warmup", warmup, { low: 0 });
  checkNumber("measure", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  if (typeof powercap !== "string") refuse("measure", "powercap", powercap, "the path of a folder", '"/sys/class/powercap"');
  if (!holds(clock, "now") || !holds(clock, "until"))
    refuse("measure", "clock", clock, "a clock", "{ now: () => ms, until: (ms) => wait }");
  checkSignal("measure", signal);
  signal?.throwIfAborted();
  for (const [option, only] of [
    ["rows", "offline"],
    ["p99Ms", "server"],
    ["rate", "server"],
  ] as const) {
    if (options[option] === undefined || scenario === only) continue;
    throw new OptionError(
      "measure",
      `${option} belongs to the scenario "${only}", but the scenario is "${scenario}"; leave one out`,
      "OPTION_CONFLICT",
    );
  }
  return { scenario, batch, rows, queries, seconds, p99Ms, rate, warmup, seed, powercap, clock, signal };
}

function callOf(predictor: Measurable, given: MeasureOptions["call"]): (rows: never) => unknown {
  if (given !== undefined) {
    checkFunction("measure", "call", given, "a function of rows", "(rows) => model.predict(rows)");
    return given;
  }
  if (typeof predictor === "function") return predictor;
  if (!holds(predictor, "predict") || typeof predictor.predict !== "function")
    refuse("measure", "the predictor", predictor, "a predictor or a function of rows", 'await predictor("income.safetensors")');
  return (rows) => predictor.predict(rows);
}

/** Mean milliseconds per call. */
async function warmed(load: Load, seconds: number): Promise<number> {
  const { latencies, ms } = await consecutive(load, 2, 1000 * seconds);
  return ms / latencies.length;
}

async function ran(
  load: Load,
  { scenario, batch, rows, queries, seconds, p99Ms, rate, seed }: Checked,
  meanMs: number,
): Promise<Ran> {
  const alone = { rate: null, trials: [] };
  if (scenario === "offline") return { timings: await scheduled(load, Math.ceil(rows! / batch), () => 0), ...alone };
  const percentile = percentileOf[scenario]!;
  if (scenario !== "server")
    return { timings: await consecutive(load, queries ?? queriesFor(percentile, 1), 1000 * seconds), ...alone };
  const least = queriesFor(percentile, 0);
  const arrivals: number[] = [];
  const draws = stream(seed, "measure", "arrivals").at(0);
  const run = async (perSecond: number, isSearch: boolean) => {
    const count = Math.min(MOST_QUERIES, Math.max(least, queries ?? 0, Math.ceil(perSecond * seconds)));
    // Arrival times in units of the mean interval. All rates share these times, so if one rate passes, every lower rate
    // passes too.
    while (arrivals.length < count) arrivals.push((arrivals.at(-1) ?? 0) + draws.exponential());
    const allowed = overAllowed(count, percentile);
    const timings = await scheduled(load, count, (i) => (1000 * arrivals[i]) / perSecond, p99Ms, isSearch ? allowed : Infinity);
    return { rate: perSecond, passed: timings.over <= allowed, timings };
  };
  if (rate !== undefined) {
    const { timings, ...trial } = await run(rate, false);
    return { timings, rate, trials: [trial] };
  }
  const { best, trials } = await highestRate(meanMs > 0 ? 500 / meanMs : 1000, (perSecond) => run(perSecond, true));
  return {
    timings: (best ?? trials.at(-1)!).timings,
    rate: best?.rate ?? 0,
    trials: trials.map(({ timings: _, ...trial }) => trial),
  };
}

function summary({ latencies, ms }: Timings, { scenario, batch, rows }: Checked) {
  const answered = latencies.filter((latency) => !Number.isNaN(latency)).sort();
  const queries = answered.length;
  const at = (percentile: number): number | null =>
    queries * (1 - percentile) >= 1 - 1e-9 ? answered[Math.ceil(percentile * queries - 1e-9) - 1] : null;
  const latencyMs: Latencies = {
    mean: answered.reduce((sum, latency) => sum + latency, 0) / queries,
    ...{ p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) },
    max: answered[queries - 1],
  };
  const count = scenario === "offline" ? Math.ceil(rows! / batch) * batch : queries * batch;
  return { queries, rows: count, seconds: ms / 1000, rowsPerSecond: (1000 * count) / ms, latencyMs };
}

function verdict(
  { timings: { latencies }, rate, trials }: Ran,
  { scenario, rows, p99Ms }: Checked,
): Pick<Measurement, "bound" | "valid" | "why"> {
  const no = (why: string | null) => ({ valid: why === null, why });
  const percentile = percentileOf[scenario];
  if (percentile === undefined)
    return { bound: null, ...no(rows! < OFFLINE_ROWS ? `${rows} rows, but MLPerf wants ${OFFLINE_ROWS} at least` : null) };
  const queries = latencies.length;
  const over = overAllowed(queries, percentile);
  const bound = { percentile, over: Math.max(over, 0), ms: over < 0 ? null : latencies.toSorted()[queries - 1 - over] };
  if (over < 0) return { bound, ...no(`${queries} queries, but early stopping needs ${queriesFor(percentile, 0)}`) };
  if (scenario === "server" && !(rate! > 0 && bound.ms! <= p99Ms))
    return {
      bound,
      ...no(
        `the 99th percentile is not within ${p99Ms} ms${rate === 0 ? ` at any rate down to ${Number(trials.at(-1)!.rate.toPrecision(2))} per second` : ""}`,
      ),
    };
  return { bound, ...no(null) };
}

/** Undefined for unknown kinds of model. */
function workOf(
  { kind, description, numbers }: SavedFacts,
  predictor: Measurable,
  inputs: MeasureInputs,
  rows: number,
): ModelWork | undefined {
  const { pipeline, rank, biases } = predictor as unknown as { pipeline: StepPipeline; rank: number; biases?: boolean };
  if (kind === "factorisation") return factorWork(rank, Boolean(biases), numbers);
  if (kind === "network") return withFeatures(networkWork(description, rows, numbers), pipeline.steps);
  if (kind !== "linear") return undefined;
  const columns = pipeline.columnCount;
  const outputs = numbers / 8 / (columns + 1);
  return withFeatures(linearWork({ outputs, columns, ...entriesOf(inputs, pipeline) }), pipeline.steps);
}

/** Mean number of values per row, after the pipeline. */
function entriesOf(inputs: MeasureInputs, pipeline: StepPipeline): { entries: number; isSparse: boolean } {
  const isData = isMarked(inputs, datasetMark);
  const followed = isData ? (inputs as Dataset).follow(pipeline as Dataset["pipeline"]) : undefined;
  try {
    const source = followed ? followed.rows() : pipeline.rowsOf(inputs as RawRows);
    const isSparse = source.shape.format === "sparse";
    if (!isSparse) return { entries: source.shape.columnCount, isSparse };
    let entries = 0;
    forEachRow(source, ({ count }) => {
      entries += count;
    });
    return { entries: entries / source.rowCount, isSparse };
  } finally {
    if (followed && followed !== inputs) followed.dispose();
  }
}

function energyOf(
  rapl: string | { zones: readonly string[]; joules: number },
  rows: number,
  ledger: Measurement["ledger"],
): Energy {
  if (typeof rapl !== "string") return { source: "measured", ...rapl, perRow: rapl.joules / rows };
  if (!ledger) return { source: "unknown", why: `${rapl}; and the operations of the measured function are unknown` };
  const range = joulesOf(ledger);
  return { source: "modelled", perRow: (range[0] + range[1]) / 2, range, why: rapl };
}
