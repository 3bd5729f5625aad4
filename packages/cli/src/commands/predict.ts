/**
 * `ergodic predict MODEL DATA`: CSV with a row for each row of DATA: the prediction, then each class's probability where the model has them, then of a
 * calibrated model 1 for each class of the row's set and 0 for the others, or the two ends of its interval. For a factorisation DATA has a pair of user
 * and item in each row.
 *
 * Files are read and answered in blocks, so they may be larger than memory; standard input is read whole. A file of --out appears whole
 * or not at all.
 */
import { blocks, readTable, rowBlocks, sparseBlocks, takesSparse } from "@ergodic/ingest";
import type { Command } from "commander";
import {
  type AnyPredictor,
  newLevels,
  type OutputPredictor,
  type Prediction,
  predictor,
  type SparseTable,
  type Table,
  writeWhole,
} from "ergodic";
import { rawRows, readingOf, refuseNewLevels } from "../data.ts";
import { given } from "../options/given.ts";
import { addFormatOptions, type FormatOptions, formatOptions } from "../options/reading.ts";
import { addModelOptions, addRatingOptions, addUnknownOption } from "../options/training.ts";
import { checkOutputs } from "../outputs.ts";
import { columnsOf, namesAsTexts, pairsOf, type RatingColumns } from "../ratings.ts";
import { json } from "../report/numbers.ts";
import { Remarks } from "../report/remarks.ts";
import type { Terminal } from "../terminal.ts";

type PredictOptions = FormatOptions &
  Partial<RatingColumns> & { maxWork?: number; unknown?: "zero" | "refuse"; out?: string; json?: boolean };

export function addPredict(program: Command, terminal: Terminal): void {
  const command = program
    .command("predict")
    .description("predict with a saved model")
    .argument("<MODEL>", "a file that train, path or recommend wrote")
    .argument("<DATA>", "rows with the model's columns: a file, a folder of images, or - for standard input");
  addUnknownOption(addModelOptions(addFormatOptions(command)))
    .option("--out <file>", "write here, not on standard output")
    .option("--json", "one JSON object in the place of CSV");
  addRatingOptions(command);
  command.action((model: string, data: string, options: PredictOptions) => predict(model, data, options, terminal));
}

async function predict(file: string, data: string, options: PredictOptions, terminal: Terminal): Promise<void> {
  const inputs = [
    { flag: "MODEL", path: file },
    { flag: "DATA", path: data },
  ];
  await checkOutputs("predict", [{ flag: "--out", path: options.out }], inputs);
  const model = await predictor<AnyPredictor>(file, given({ maxWork: options.maxWork }));
  const remarks = new Remarks();
  const asked = { ...options, remarks };
  const text = options.json ? jsonOf(model, file, data, asked) : csvOf(model, data, asked);
  if (options.out === undefined) for await (const part of text) terminal.out(part);
  else await writeWhole(options.out, text);
  for (const { message } of remarks.all) terminal.note(`${data}: ${message}`);
  if (options.out !== undefined) terminal.note(`predictions written to ${options.out}`);
}

type Asked = PredictOptions & { readonly remarks: Remarks };

async function* predictions(model: AnyPredictor, data: string, options: Asked): AsyncGenerator<Prediction[]> {
  if (model.kind !== "factorisation") {
    const known: OutputPredictor = model;
    for await (const rows of readBlocks(model, data, options)) {
      const remarks = [...((rows as Table).remarks ?? []), ...newLevels(model.pipeline, rows)];
      refuseNewLevels(data, remarks, options);
      options.remarks.add(rows.rowCount, remarks);
      yield known.predict(rows);
    }
    return;
  }
  const columns = columnsOf(model, options, "predict");
  const given = { ...formatOptions(options), ...namesAsTexts(columns) };
  const tables = data === "-" ? [await readTable(data, given)] : blocks(data, given);
  for await (const table of tables) {
    options.remarks.add(table.rowCount, table.remarks ?? []);
    yield model.predict(pairsOf(table, columns));
  }
}

async function* readBlocks(model: OutputPredictor, data: string, options: FormatOptions): AsyncGenerator<Table | SparseTable> {
  const { pipeline } = model;
  if (data === "-") yield await rawRows(data, pipeline, options);
  else if (takesSparse(pipeline)) yield* sparseBlocks(data, { ...formatOptions(options), target: false });
  else yield* rowBlocks(data, { ...(await readingOf(data, pipeline, options)), target: false });
}

async function* csvOf(model: AnyPredictor, data: string, options: Asked): AsyncGenerator<string> {
  let header = false;
  for await (const rows of predictions(model, data, options)) {
    const columns = columnsOfCsv(rows[0], model.kind === "factorisation" ? [] : (model.classes ?? []));
    if (!header) yield `${columns.map(({ name }) => cell(name)).join(",")}\n`;
    header = true;
    yield rows.map((row) => `${columns.map(({ of }) => of(row)).join(",")}\n`).join("");
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
  for await (const rows of predictions(model, data, options)) {
    yield (first ? "" : ",") + rows.map((row) => json(row)).join(",");
    first = false;
  }
  yield `],"remarks":${json(options.remarks.all)}}\n`;
}

/** A CSV field: quoted where it must be. */
function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
