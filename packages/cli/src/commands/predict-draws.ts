/**
 * `ergodic predict DIR DATA`: predicts each row of DATA from the draws of a model. For each number that the model
 * predicts per row, it prints the mean, the standard deviation and an interval. For a response with levels, it prints
 * the probability of each level. The columns of DATA have the names of the model's data. A list x of K numbers is read
 * from the columns "x[1]" … "x[K]".
 */
import { blocks, readTable } from "@ergodic/ingest";
import { type Column, DataError, type Table } from "ergodic";
import type { PosteriorPrediction, PosteriorPredictor, PosteriorRow } from "ergodic/bayes";
import { writeWhole } from "ergodic/extend";
import { columnKey } from "../data.ts";
import { type DrawnFrom, readDrawn } from "../options/drawn-from.ts";
import { given } from "../options/given.ts";
import { type FormatOptions, formatOptions } from "../options/reading.ts";
import { checkOutputs, type Place } from "../outputs.ts";
import { json } from "../report/numbers.ts";
import { Remarks } from "../report/remarks.ts";
import type { Terminal } from "../terminal.ts";
import { cell, type KeptColumn, keptColumns } from "./kept-columns.ts";

export interface PredictDrawsOptions extends FormatOptions, DrawnFrom {
  level?: number;
  out?: string;
  json?: boolean;
  id?: string;
  keep?: string[];
}

type Asked = PredictDrawsOptions & { readonly remarks: Remarks };

interface Block {
  readonly predictions: readonly PosteriorPrediction[];
  readonly kept: readonly KeptColumn[];
}

export async function predictDraws(path: string, data: string, options: PredictDrawsOptions, terminal: Terminal): Promise<void> {
  const { level, model, data: modelData, out } = options;
  const look = (inputs: readonly Place[]) => checkOutputs("predict", [{ flag: "--out", path: out }], inputs);
  const posterior = await readDrawn(path, { model, data: modelData }, look);
  using predictor = await posterior.predictor(given({ level }));
  const remarks = new Remarks();
  const rows = predictions(predictor, data, { ...options, remarks });
  const text = options.json ? jsonOf(predictor, path, data, rows) : csvOf(predictor, rows);
  if (options.out === undefined) for await (const part of text) terminal.out(part);
  else await writeWhole(options.out, text);
  for (const { message } of remarks.all) terminal.note(`${data}: ${message}`);
  if (options.out !== undefined) terminal.note(`predictions written to ${options.out}`);
}

async function* predictions(predictor: PosteriorPredictor, data: string, options: Asked): AsyncGenerator<Block> {
  const wanted = [...(options.id === undefined ? [] : [options.id]), ...(options.keep ?? [])].map(columnKey);
  const { texts } = predictor;
  const categories = [...wanted.filter((key) => !predictor.columns.includes(String(key))), ...(texts ?? [])];
  const reading = { ...formatOptions(options), ...(categories.length > 0 ? { categories } : {}) };
  const tables = data === "-" ? [await readTable(data, reading)] : blocks(data, reading);
  for await (const table of tables) {
    const columns = predictor.columns.map((name) => [name, texts ? cellsOf(table, name) : numbersOf(table, name)] as const);
    const rows = Array.from({ length: table.rowCount }, (_, i) =>
      Object.fromEntries(columns.map(([name, read]) => [name, read(i)])),
    );
    options.remarks.add(rows.length, predictor.newGroups(rows as PosteriorRow<string>[]));
    yield { predictions: predictor.predict(rows as PosteriorRow<string>[]), kept: keptColumns(table, wanted) };
  }
}

/** Returns a function that reads a row's cell in the form that a formula expects. */
function cellsOf(table: Table, name: string): (row: number) => number | string | null {
  const column = table.columns.find((each) => each.name === name);
  if (!column) throw withoutColumn(table, `"${name}"`);
  if (column.kind === "number") return (row) => column.values[row];
  return (row) => column.levels[column.codes[row]] ?? null;
}

/** Returns a function that reads a row's numbers for a name: from one column, or from "x[1]", "x[2]" and so on. */
function numbersOf(table: Table, name: string): (row: number) => number | number[] {
  const one = table.columns.find((column) => column.name === name);
  if (one) {
    const values = numeric(table, one);
    return (row) => values[row];
  }
  const several: Float64Array[] = [];
  for (let k = 1; ; k++) {
    const column = table.columns.find((each) => each.name === `${name}[${k}]`);
    if (!column) break;
    several.push(numeric(table, column));
  }
  if (several.length > 0) return (row) => several.map((values) => values[row]);
  throw withoutColumn(table, `"${name}" (nor "${name}[1]", "${name}[2]" …)`);
}

const withoutColumn = (table: Table, column: string): DataError =>
  new DataError(
    table.source,
    `there is no column ${column}, which the model reads; it has ${table.columns.map(({ name }) => `"${name}"`).join(", ")}`,
    "DATA_COLUMN",
  );

function numeric(table: Table, column: Column): Float64Array {
  if (column.kind === "number") return Float64Array.from(column.values);
  throw new DataError(
    table.source,
    `column "${column.name}" holds texts, but the model takes numbers; number its categories as in the model's data, from 0`,
    "DATA_TYPE",
  );
}

const ends = { prediction: "mean", sd: "sd", low: "lower", high: "upper" } as const;

async function* csvOf({ outputs, levels }: PosteriorPredictor, rows: AsyncIterable<Block>): AsyncGenerator<string> {
  let header = false;
  const columns = outputs.flatMap((output) => {
    const called = (name: string): string => (outputs.length === 1 ? name : `${name}_${output}`);
    return [
      ...Object.entries(ends).map(([name, of]) => ({
        name: called(name),
        number: (row: PosteriorPrediction) => row[output][of],
      })),
      ...(levels[output] ?? []).map((level) => ({
        name: called(`p_${level}`),
        number: (row: PosteriorPrediction) => row[output].levels![level].probability,
      })),
    ];
  });
  for await (const { predictions, kept } of rows) {
    if (!header) yield `${[...kept, ...columns].map(({ name }) => cell(name)).join(",")}\n`;
    header = true;
    const line = (row: PosteriorPrediction, i: number): string =>
      `${[...kept.map(({ text }) => cell(text(i))), ...columns.map(({ number }) => String(number(row)))].join(",")}\n`;
    yield predictions.map(line).join("");
  }
}

async function* jsonOf(
  { outputs, level, drawCount }: PosteriorPredictor,
  path: string,
  data: string,
  rows: AsyncIterable<Block>,
): AsyncGenerator<string> {
  yield `${json({ command: "predict", model: path, data, outputs, level, draws: drawCount }).slice(0, -1)},"predictions":[`;
  let first = true;
  for await (const { predictions, kept } of rows) {
    const part = (row: PosteriorPrediction, i: number): object =>
      kept.length > 0 ? { kept: Object.fromEntries(kept.map(({ name, text }) => [name, text(i)])), ...row } : row;
    yield (first ? "" : ",") + predictions.map((row, i) => json(part(row, i))).join(",");
    first = false;
  }
  yield "]}\n";
}
