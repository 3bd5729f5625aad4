/**
 * `ergodic predict MODEL DATA`: prints CSV with one line per row of DATA. A line contains the prediction, then each
 * class's probability if the model has them. For a calibrated model, a 0 or 1 per class follows (1 if the class is in
 * the row's prediction set), or the two ends of the row's interval. For a factorisation, each row of DATA holds a pair
 * of user and item. The columns of DATA given by --id and --keep come first, unchanged. Images have the columns file and,
 * in a folder with one sub-folder per class, y; their --id is file unless another is given.
 *
 * Files are read and predicted in blocks, so they can be larger than memory; standard input is read whole. The --out
 * file is written completely or not at all.
 */
import {
  blocks,
  holdsImages,
  likeFault,
  type ReadTableOptions,
  readTable,
  remarksLike,
  rowBlocks,
  sparseBlocks,
  takesSparse,
} from "@ergodic/ingest";
import type { Command } from "commander";
import { type Prediction, predictor, type SparseTable, type Table } from "ergodic";
import { newLevels } from "ergodic/data";
import { writeWhole } from "ergodic/extend";
import type { AnyPredictor, OutputPredictor } from "ergodic/predict";
import { columnFault, columnKey, rawRows, readingOf, refuseNewLevels } from "../data.ts";
import { isDraws } from "../draws-files.ts";
import { UsageError } from "../errors.ts";
import { addDrawnFrom, type DrawnFrom } from "../options/drawn-from.ts";
import { refuseOptions } from "../options/given.ts";
import { addLimitOptions, type LimitOptions, limitsOf } from "../options/limits.ts";
import { share } from "../options/number.ts";
import { addFormatOptions, type FormatOptions, formatOptions } from "../options/reading.ts";
import { addRatingOptions, addUnknownOption } from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { columnsOf, namesAsTexts, namesOf, newNames, pairsOf, type RatingColumns, valuesOf } from "../ratings.ts";
import { json } from "../report/numbers.ts";
import { Remarks } from "../report/remarks.ts";
import type { Terminal } from "../terminal.ts";
import { cell, type KeptColumn, keptColumns } from "./kept-columns.ts";

type PredictOptions = FormatOptions &
  Partial<RatingColumns> &
  LimitOptions & {
    unknown?: "zero" | "refuse";
    out?: string;
    json?: boolean;
    id?: string;
    keep?: string[];
    level?: number;
  } & DrawnFrom;

export function add(program: Command, terminal: Terminal): void {
  const command = program
    .command("predict")
    .description("predict with a saved model")
    .argument(
      "<MODEL>",
      "a model file written by train, path or recommend, a model of XGBoost or LightGBM, ONNX trees, or draws written by sample",
    )
    .argument("<DATA>", "rows with the model's columns: a file, a folder of images or one image, or - for standard input");
  addUnknownOption(addLimitOptions(addFormatOptions(command)), "category levels, users and items")
    .option("--out <file>", "write predictions to this file instead of standard output")
    .option(
      "--id <column>",
      "column of DATA that identifies the row, printed in front of each prediction; default for images: file",
    )
    .option("--keep <columns>", "more columns of DATA to print, separated by commas", (text) => text.split(","))
    .option("--json", "print one JSON object instead of CSV");
  addRatingOptions(command);
  addDrawnFrom(command.optionsGroup("For draws:")).option(
    "--level <share>",
    "probability of the prediction intervals; default 0.9",
    share,
  );
  command.action((model: string, data: string, options: PredictOptions) => predict(model, data, options, terminal));
}

async function predict(file: string, data: string, options: PredictOptions, terminal: Terminal): Promise<void> {
  const inputs = [
    { flag: "MODEL", path: file },
    { flag: "DATA", path: data },
  ];
  await checkOutputs("predict", [{ flag: "--out", path: options.out }], inputs);
  if (await isDraws(file)) {
    refuseOptions(options, ["maxWork", "maxMemory", "unknown", "user", "item", "value"], "saved models, but MODEL holds draws");
    const { predictDraws } = await import("./predict-draws.ts");
    return predictDraws(file, data, options, terminal);
  }
  refuseOptions(options, ["model", "data", "level"], "draws, but MODEL is a saved model");
  const model = await predictor<AnyPredictor>(file, limitsOf(options));
  const remarks = new Remarks();
  const asked = { ...options, remarks };
  const text = options.json ? jsonOf(model, file, data, asked) : csvOf(model, data, asked);
  if (options.out === undefined) for await (const part of text) terminal.out(part);
  else await writeWhole(options.out, text);
  for (const { message } of remarks.all) terminal.note(`${data}: ${message}`);
  if (options.out !== undefined) terminal.note(`predictions written to ${options.out}`);
}

type Asked = PredictOptions & { readonly remarks: Remarks };

/** Predictions of a block of rows, and the columns copied from the file. */
interface Block {
  readonly rows: Prediction[];
  readonly kept: readonly KeptColumn[];
}

async function* predictions(model: AnyPredictor, data: string, options: Asked): AsyncGenerator<Block> {
  try {
    yield* predicted(model, data, options);
  } catch (error) {
    const { id, keep = [], types, user, item } = options;
    const named = [{ id, user, item }, ...keep.map((name) => ({ keep: name }))].map((typed) => columnFault(error, typed));
    throw (
      named.find((fault) => fault !== error) ??
      likeFault(error, model.kind === "factorisation" ? undefined : model.pipeline, types)
    );
  }
}

async function* predicted(model: AnyPredictor, data: string, options: Asked): AsyncGenerator<Block> {
  const isImages = options.format === undefined && (await holdsImages(data));
  const wanted = keptOf(isImages ? { ...options, id: options.id ?? "file" } : options);
  if (model.kind !== "factorisation") {
    const known: OutputPredictor = model;
    for await (const rows of readBlocks(model, data, options, wanted, isImages)) {
      const remarks = [...remarksLike(model.pipeline, rows as Table), ...newLevels(model.pipeline, rows)];
      refuseNewLevels(data, remarks, options);
      options.remarks.add(rows.rowCount, remarks);
      const kept = "columns" in rows ? keptColumns(rows, wanted) : refuseSparse(wanted);
      yield { rows: known.predict(rows), kept };
    }
    return;
  }
  const columns = columnsOf(model, options, "predict");
  const { categories } = namesAsTexts(columns);
  const given = { ...formatOptions(options), categories: [...categories, ...wanted] };
  const tables = data === "-" ? [await readTable(data, given)] : blocks(data, given);
  for await (const table of tables) {
    const named = namesOf(table, { user: columns.user, item: columns.item });
    const pairs = pairsOf(table, named);
    const remarks = [...(table.remarks ?? []), ...newNames(model, pairs, named, "rows")];
    refuseNewLevels(data, remarks, options);
    options.remarks.add(table.rowCount, remarks);
    yield { rows: valuesOf(model, pairs), kept: keptColumns(table, wanted) };
  }
}

function keptOf({ id, keep = [] }: PredictOptions): (string | number)[] {
  return [...(id === undefined ? [] : [id]), ...keep].map(columnKey);
}

async function* readBlocks(
  model: OutputPredictor,
  data: string,
  options: FormatOptions,
  wanted: readonly (string | number)[],
  isImages: boolean,
): AsyncGenerator<Table | SparseTable> {
  const { pipeline } = model;
  if (takesSparse(pipeline)) {
    refuseSparse(wanted);
    if (data === "-") yield await rawRows(data, pipeline, options);
    else yield* sparseBlocks(data, { ...formatOptions(options), target: false });
    return;
  }
  if (isImages) {
    yield* rowBlocks(data, { ...(await readingOf(data, pipeline, options)), fileNames: true, target: false });
    return;
  }
  if (wanted.length === 0 && data === "-") {
    yield await rawRows(data, pipeline, options);
    return;
  }
  const reading = await readingOf(data, pipeline, options);
  // The model's numeric columns must be read as numbers.
  const numbers = new Set((pipeline.inputs ?? []).filter(({ kind }) => kind === "number").map(({ name }) => name));
  const categories = wanted.filter((key) => typeof key === "number" || !numbers.has(key));
  const asked = categories.length > 0 ? { ...reading, categories, types: typesOf(numbers, reading.types, wanted) } : reading;
  if (data === "-") yield await readTable(data, asked);
  else yield* rowBlocks(data, { ...asked, target: false });
}

/**
 * Adds the types of the model's numeric columns if any column is requested by its position. The position can refer to a
 * numeric column, which the model needs as numbers.
 */
function typesOf(numbers: ReadonlySet<string>, types: ReadTableOptions["types"], wanted: readonly (string | number)[]) {
  const byPosition = wanted.some((key) => typeof key === "number");
  return byPosition ? { ...Object.fromEntries([...numbers].map((name) => [name, "number" as const])), ...types } : types;
}

function refuseSparse(wanted: readonly (string | number)[]): [] {
  if (wanted.length === 0) return [];
  throw new UsageError(
    "predict",
    "--id and --keep name columns of a table, but the model takes sparse rows, which have none; leave them out",
  );
}

async function* csvOf(model: AnyPredictor, data: string, options: Asked): AsyncGenerator<string> {
  let header = false;
  for await (const { rows, kept } of predictions(model, data, options)) {
    const columns = columnsOfCsv(rows[0], model.kind === "factorisation" ? [] : (model.classes ?? []));
    const names = [...kept, ...columns].map(({ name }) => cell(name));
    if (!header) yield `${names.join(",")}\n`;
    header = true;
    const line = (row: Prediction, i: number): string =>
      `${[...kept.map(({ text }) => cell(text(i))), ...columns.map(({ of }) => of(row))].join(",")}\n`;
    yield rows.map(line).join("");
  }
}

interface CsvColumn {
  readonly name: string;
  readonly of: (row: Prediction) => string | number;
}

function columnsOfCsv({ probabilities, set, interval }: Prediction, classes: readonly string[]): CsvColumn[] {
  const columns: CsvColumn[] = [{ name: "prediction", of: ({ value }) => cell(value) }];
  if (probabilities) for (const name of classes) columns.push({ name: `p_${name}`, of: (row) => row.probabilities![name] });
  if (set) for (const name of classes) columns.push({ name: `in_${name}`, of: (row) => Number(row.set!.includes(name)) });
  for (const [end, name] of interval ? (["low", "high"] as const).entries() : [])
    columns.push({ name, of: (row) => row.interval![end] });
  return columns;
}

async function* jsonOf(model: AnyPredictor, file: string, data: string, options: Asked): AsyncGenerator<string> {
  const { task } = model;
  const { target, classes } =
    model.kind !== "factorisation"
      ? { target: model.targetName, classes: model.classes ?? null }
      : { target: columnsOf(model, options, "predict").value ?? null, classes: null };
  yield `${json({ command: "predict", model: file, data, task, target, classes }).slice(0, -1)},"predictions":[`;
  let first = true;
  for await (const { rows, kept } of predictions(model, data, options)) {
    const part = (row: Prediction, i: number): object =>
      kept.length > 0 ? { kept: Object.fromEntries(kept.map(({ name, text }) => [name, text(i)])), ...row } : row;
    yield (first ? "" : ",") + rows.map((row, i) => json(part(row, i))).join(",");
    first = false;
  }
  yield `],"remarks":${json(options.remarks.all)}}\n`;
}
