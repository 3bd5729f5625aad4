/**
 * `ergodic measure [MODEL DATA]`: measures latency, throughput, size and energy of a model in MLPerf's scenarios, for
 * one batch size or several. Prints the trade-off between batch sizes as a table and a picture, as JSON, or as one HTML
 * file. Without a model, a small network is trained on the digits that are included with the command.
 */
import { fileURLToPath } from "node:url";
import { read, readTable } from "@ergodic/ingest";
import type { Command } from "commander";
import {
  adam,
  type Column,
  fit,
  type Measurement,
  type MeasureOptions,
  measure,
  mlp,
  network,
  predictor,
  type Row,
  type SparseTable,
} from "ergodic";
import { writeWhole } from "ergodic/extend";
import type { Measurable } from "ergodic/learning";
import type { AnyPredictor, OutputPredictor } from "ergodic/predict";
import { rawRows } from "../data.ts";
import { UsageError } from "../errors.ts";
import { given } from "../options/given.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { notNegative, oneOf, positive, whole } from "../options/number.ts";
import { addFormatOptions, type FormatOptions, formatOptions } from "../options/reading.ts";
import { addRatingOptions } from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { columnsOf, namesAsTexts, namesOf, pairsOf, type RatingColumns } from "../ratings.ts";
import { measureText, titleOf } from "../report/measure.ts";
import { measureHtml } from "../report/measure-html.ts";
import { json } from "../report/numbers.ts";
import type { Terminal } from "../terminal.ts";

const digitsFile = fileURLToPath(new URL("../../data/digits.csv", import.meta.url));
/** Batch sizes for the digits, if none are given. */
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const HIDDEN = [256, 128];
const MOST_BATCH = 2 ** 24;
const OFFLINE_ROWS = 24_576;
/** Maximum number of rows to convert to objects. The rows are taken at even intervals. */
const MOST_ROWS = 4096;

type Scenarios = Pick<MeasureOptions, "scenario" | "rows" | "queries" | "seconds" | "p99Ms" | "rate" | "warmup" | "seed">;
type Options = FormatOptions &
  Scenarios &
  Partial<RatingColumns> &
  LimitOptions & { batch?: number[]; html?: string; json?: boolean; quiet?: boolean };

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("measure")
    .description("measure latency, throughput, size and energy of a model, by batch size")
    .argument(
      "[MODEL]",
      "a model file written by train, path or recommend; default: a network, trained now on the included digits",
    )
    .argument("[DATA]", "rows to predict: a file, a folder of images, or - for standard input")
    .option(
      "--scenario <name>",
      "MLPerf scenario: singleStream, multiStream, server or offline (default: singleStream)",
      oneOf("singleStream", "multiStream", "server", "offline"),
    )
    .option("--batch <sizes>", "rows per query, or per call if offline: 1,2,4,8", batches)
    .option("--seconds <n>", "minimum duration of the queries; default 1", positive)
    .option("--queries <n>", "minimum number of queries; default: as many as early stopping needs", whole(1, MOST_BATCH))
    .option("--p99-ms <n>", "server: bound on the 99th percentile of latency; default 10", positive)
    .option("--rate <n>", "server: queries per second; default: search for the highest rate within the bound", positive)
    .option("--rows <n>", "offline: total number of rows; default 24576", whole(1, MOST_BATCH))
    .option("--warmup <seconds>", "duration of calls before the measurement starts; default 0.1", notNegative)
    .option("--seed <n>", "seed for the rows and the arrival times", whole(0))
    .option("--html <file>", "write a self-contained report to this file")
    .option("--json", "print the result as one JSON object")
    .option("--quiet", "hide progress");
  addRatingOptions(addLimitOptions(addFormatOptions(command.optionsGroup("Reading:"))));
  command.action((model: string | undefined, data: string | undefined, options: Options) => run(model, data, options, terminal));
}

function batches(text: string): number[] {
  const sizes = text.split(",").map((size) => whole(1, MOST_BATCH)(size));
  return [...new Set(sizes)];
}

async function run(file: string | undefined, data: string | undefined, options: Options, terminal: Terminal): Promise<void> {
  if (file !== undefined && data === undefined)
    throw new UsageError("measure", `rows to predict are missing; add a data file after ${file}`);
  const inputs = [
    { flag: "MODEL", path: file },
    { flag: "DATA", path: data },
  ];
  await checkOutputs("measure", [{ flag: "--html", path: options.html }], inputs);
  const model = file === undefined ? await ofDigits(options, terminal) : await predictor<AnyPredictor>(file, limitsOf(options));
  const rows = await rowsOf(model, data ?? digitsFile, options);
  const { scenario, queries, seconds, p99Ms, rate, warmup, seed } = options;
  const sizes: (number | undefined)[] =
    options.batch ?? (file === undefined && scenario !== "offline" && scenario !== "server" ? BATCHES : [undefined]);
  const found: Measurement[] = [];
  for (const size of sizes) {
    if (!options.quiet && terminal.live) terminal.rewrite(`batch size ${size ?? "by default"}`);
    const batch = size ?? (scenario === "offline" ? (options.rows ?? OFFLINE_ROWS) : scenario === "multiStream" ? 8 : 1);
    const call = callOf(model, rows, batch);
    const asked = { scenario, queries, seconds, p99Ms, rate, warmup, seed, batch, call, rows: options.rows };
    found.push(await measure(model as Measurable, rows, given(asked) as MeasureOptions));
  }
  if (terminal.live) terminal.rewrite("");
  const names = { model: file ?? "a network", data: data ?? "the digits" };
  const rowCount = "rowCount" in rows ? Number(rows.rowCount) : rows.length;
  const summary = { command: "measure", ...names, rows: rowCount, measurements: found };
  const title = titleOf(found, names.model, names.data, rowCount);
  if (options.html !== undefined) await writeWhole(options.html, () => measureHtml(title, found, summary), { keep: true });
  const { out: paint } = terminal.paint;
  terminal.out(options.json ? `${json(summary)}\n` : `${paint.bold(title)}\n${measureText(found, paint)}`);
  if (options.html !== undefined) terminal.note(`report written to ${options.html}`);
}

/** Trains a network on the digits, with a fixed seed. */
async function ofDigits(options: Options, terminal: Terminal): Promise<AnyPredictor> {
  if (!options.quiet) terminal.note(`training a network of ${HIDDEN.join(" and ")} units on the digits included with ergodic`);
  const train = await read(digitsFile, { target: "label", classes: true });
  return fit(network(mlp(HIDDEN, { outputs: 10 })), train, { rule: adam({ rate: 0.003 }), batch: 32, epochs: 3, seed: 1 });
}

/**
 * Returns rows as objects by column name, or pairs of user and item, in the form that a program would pass. For sparse
 * data, returns a table.
 */
async function rowsOf(model: AnyPredictor, data: string, options: Options): Promise<SparseTable | readonly object[]> {
  if (model.kind === "factorisation") {
    const columns = columnsOf(model, options, "measure");
    const table = await readTable(data, { ...formatOptions(options), ...namesAsTexts(columns) });
    const { user, item } = model.columns;
    // Uses the model's column names, because `predict` expects these names. The columns of this table can have other
    // names.
    const pairs = pairsOf(table, namesOf(table, { user: columns.user, item: columns.item }));
    return pairs.map((pair) => ({ [user]: pair.user, [item]: pair.item }));
  }
  const raw = await rawRows(data, model.pipeline, options);
  if (!("columns" in raw)) return raw;
  const apart = Math.ceil(raw.rowCount / MOST_ROWS);
  return Array.from({ length: Math.ceil(raw.rowCount / apart) }, (_, i) =>
    Object.fromEntries(raw.columns.map((column) => [column.name, cellOf(column, i * apart)])),
  );
}

function cellOf(column: Column, row: number): number | string | null {
  if (column.kind === "number") return column.values[row];
  return column.codes[row] < 0 ? null : column.levels[column.codes[row]];
}

/**
 * Returns a function that writes numeric predictions into an existing array, as a server does. Returns undefined for
 * pairs and for sparse rows.
 */
function callOf(model: AnyPredictor, rows: SparseTable | readonly object[], batch: number): MeasureOptions["call"] {
  if (model.kind === "factorisation" || "rowStart" in rows) return undefined;
  const known: OutputPredictor = model;
  const out = new Float64Array(batch * known.width);
  return (given: Row | readonly Row[]) => known.predictInto(Array.isArray(given) ? given : [given as Row], out);
}
