/**
 * Data for training, from a path or "-" (standard input): read, and cut into rows to train on, to validate and to test with.
 *
 * A target of numbers is taken as classes when the loss is one of classes; without a loss, when it takes 2 to 20 different whole
 * values, each of five rows or more on average. `--classes` and `--no-classes` decide it instead.
 */
import { type ReadOptions, type ReadTableOptions, read, readSparseTable, readTable } from "@ergodic/ingest";
import type { Dataset, Loss, Pipeline, SparseTable, Table } from "ergodic";
import { UsageError } from "./errors.ts";
import { given } from "./options/given.ts";

export interface TrainingData {
  data: Dataset;
  /** True where numbers were taken as classes without being asked. */
  guessed: boolean;
}

/** What says how a file is read, for every command. */
export interface FormatOptions {
  format?: string;
  /** False for --no-header. */
  header: boolean;
  delimiter?: string;
}

/** Those of rows to train on. */
export interface ReadingOptions extends FormatOptions {
  target?: string;
  weights?: string;
  drop?: string;
  impute?: string;
  hash?: number;
  classes?: boolean;
  precision?: string;
}

export interface SplitOptions {
  seed: number;
  test?: string;
  testShare?: number;
  validate?: string;
  validateShare?: number;
}

export interface Parts {
  train: Dataset;
  validate?: Dataset;
  test?: Dataset;
}

/** `command`: who complains where options are missing. */
export async function readTraining(
  path: string,
  options: ReadingOptions,
  loss: Loss | undefined,
  command = "train",
): Promise<TrainingData> {
  const { target, weights, drop, impute, hash, precision } = options;
  const asked = {
    ...formatOptions(options),
    ...given({ target: columnKey(target), weights: columnKey(weights), impute, hash }),
    ...(drop === undefined ? {} : { drop: drop.split(",").map((key) => columnKey(key)!) }),
    ...(precision?.startsWith("f64") ? { type: "f64" } : {}),
  };
  const data = await read(path, asked as ReadOptions).catch((error: unknown) => {
    const { code, message } = error as { code?: string; message: string };
    if (code !== "OPTION_MISSING" || target !== undefined) throw error;
    throw new UsageError(
      command,
      `--target is missing; name the column to predict${/: one of .*(?= \[)/.exec(message)?.[0] ?? ""}`,
    );
  });
  if (data.target.kind === "category" || !wantsClasses(data, options.classes, loss)) return { data, guessed: false };
  return { data: data.asClasses(), guessed: options.classes === undefined && loss === undefined };
}

function wantsClasses(data: Dataset, decided: boolean | undefined, loss: Loss | undefined): boolean {
  if (decided !== undefined) return decided;
  if (loss) return loss.task === "binary" || loss.task === "multiclass";
  const distinct = new Set(data.target.values);
  return distinct.size >= 2 && distinct.size <= 20 && [...distinct].every(Number.isInteger) && data.rowCount >= 5 * distinct.size;
}

/** Test rows are taken first, then validation rows from what is left, so that a run with and one without validation meet the same test. */
export async function cut(data: Dataset, options: SplitOptions & FormatOptions, command = "train"): Promise<Parts> {
  const { seed, test, testShare, validate, validateShare } = options;
  if (test !== undefined && testShare !== undefined)
    throw new UsageError(command, "both --test and --test-share were given; leave one out");
  if (validate !== undefined && validateShare !== undefined) {
    throw new UsageError(command, "both --validate and --validate-share were given; leave one out");
  }
  const parts: Parts = { train: data };
  const stratify = data.target.kind === "category";
  if (test !== undefined) parts.test = await readHeldOut(test, data.pipeline, options);
  if (testShare !== undefined) Object.assign(parts, parts.train.split(1 - testShare, { seed, stratify }));
  if (validate !== undefined) parts.validate = await readHeldOut(validate, data.pipeline, options);
  if (validateShare !== undefined) {
    const { train, test: held } = parts.train.split(1 - validateShare, { seed, stratify });
    Object.assign(parts, { train, validate: held });
  }
  return parts;
}

/** Rows with their target, through the steps that training rows went. */
export async function readHeldOut(path: string, pipeline: Pipeline, options: FormatOptions): Promise<Dataset> {
  return pipeline.apply(await rawRows(path, pipeline, options, true), { target: true });
}

/** Raw rows as a model's pipeline takes them; `labelled`: sparse lines must bring their target. */
export function rawRows(
  path: string,
  pipeline: Pipeline,
  options: FormatOptions,
  labelled: boolean,
): Promise<Table | SparseTable> {
  if (takesSparse(pipeline))
    return readSparseTable(path, { ...formatOptions(options), ...(labelled ? {} : { target: false as const }) });
  return readTable(path, { ...formatOptions(options), ...typesOf(pipeline) });
}

export function takesSparse(pipeline: Pipeline): boolean {
  const first = pipeline.steps[0] as { kind: string; format?: string };
  return first.kind === "numbers" && first.format === "sparse";
}

/** Categories stay text, even where a file of new rows shows numbers alone. */
export function typesOf(pipeline: Pipeline): { types: Record<string, "category"> } {
  const categories = (pipeline.inputs ?? []).filter(({ kind }) => kind === "category");
  return { types: Object.fromEntries(categories.map(({ name }) => [name, "category"])) };
}

export function formatOptions({
  format,
  header,
  delimiter,
}: FormatOptions): Pick<ReadTableOptions, "format" | "header" | "delimiter"> {
  return given({ format, header: header ? undefined : false, delimiter: delimiter === "\\t" ? "\t" : delimiter }) as Pick<
    ReadTableOptions,
    "format" | "header" | "delimiter"
  >;
}

/** A position where the text is a whole number, else a name. */
function columnKey(text: string | undefined): string | number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : text;
}
