/**
 * Reads training data from a path or "-" (standard input) and splits the rows into training, validation and test rows.
 * A path can be a folder of images with one sub-folder per class, or MNIST's images next to their labels.
 *
 * A numeric target of two whole numbers is treated as classes, as in the library (withMeantTarget).
 * `--classes` and `--no-classes` override this. If the target has only a few different whole values, which might be
 * classes, the result mentions `--classes`.
 */
import {
  labelsBeside,
  likeFault,
  type ReadOptions,
  type ReadTableOptions,
  read,
  readingLike,
  readRows,
  readSparseTable,
  takesSparse,
} from "@ergodic/ingest";
import { DataError, type Dataset, OptionError, type Pipeline, type Remark, type SparseTable, type Table } from "ergodic";
import { type Impute, products } from "ergodic/data";
import { type Loss, withMeantTarget } from "ergodic/losses";
import { UsageError } from "./errors.ts";
import { given } from "./options/given.ts";
import { type FormatOptions, formatOptions } from "./options/reading.ts";
import { treesWord } from "./options/trees-word.ts";
import type { Place } from "./outputs.ts";
import { told } from "./report/remarks.ts";

export interface TrainingData {
  data: Dataset;
  /**
   * Interpretation that was assumed for a target of whole numbers. Undefined if only one interpretation was possible or
   * the user chose one.
   */
  taken?: "classes" | "numbers";
}

/** Largest number of different whole values for which a target is suspected to contain classes. */
const MOST_OFFERED = 20;

/** Options for reading the rows to train on. */
export interface ReadingOptions extends FormatOptions {
  target?: string;
  weights?: string;
  offset?: string;
  drop?: string;
  impute?: Impute;
  indicator?: boolean;
  dates?: string;
  hash?: number;
  dense?: boolean;
  unknown?: "zero" | "refuse";
  /** "a:b,a:c": columns whose products are added. */
  interactions?: string;
  degree?: number;
  classes?: boolean;
  precision?: string;
  /** Shape of the array in a row of a table, such as 8x8x1: height, width, channels. */
  rowShape?: string;
  /** Size to which images are scaled, such as 28x28: height and width. */
  size?: string;
  /** Channels of images: 1 = grey, 3 = colours. */
  channels?: number;
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

/** Whether a table for trees is read without encoding its categories and gaps. */
function keepsCells(path: string, options: ReadingOptions): boolean {
  const { model, impute, indicator, hash, rowShape, interactions, degree, format } = options as ReadingOptions & {
    model?: string;
  };
  const encodes = [impute, indicator, hash, rowShape, interactions, degree].some((value) => value !== undefined);
  const isTable = format === undefined ? /\.(csv|tsv|jsonl?|ndjson|parquet)$/i.test(path) : TABLES.includes(format);
  return treesWord({ model }) !== undefined && isTable && !encodes;
}

/** Formats whose columns can hold categories and gaps. */
const TABLES = ["csv", "tsv", "jsonl", "parquet"];

/** Columns that define folds and are therefore not inputs. */
interface FoldColumns {
  group?: string | undefined;
  time?: string | undefined;
}

/** Reads the training data. `command`: name for error messages about missing options. */
export async function readTraining(
  path: string,
  options: ReadingOptions & FoldColumns,
  loss: Loss | undefined,
  command = "train",
): Promise<TrainingData> {
  const { target, weights, offset, group, time, drop, impute, hash, labels, precision, rowShape, size, channels } = options;
  const dropped = [...(drop?.split(",") ?? []), ...[group, time].filter((key) => key !== undefined)];
  const asked = {
    ...formatOptions(options),
    ...given({
      target: columnKey(target),
      weights: columnKey(weights),
      offset: columnKey(offset),
      impute,
      encode: keepsCells(path, options) ? "none" : undefined,
      indicator: options.indicator,
      dates: options.dates?.split(","),
      hash,
      unknown: options.unknown,
      layout: options.dense ? "dense" : undefined,
      labels,
      channels,
    }),
    ...given({ rowShape: sizes("--row-shape", rowShape), size: sizes("--size", size) }),
    ...(dropped.length === 0 ? {} : { drop: dropped.map(columnKey) }),
    ...(precision?.startsWith("f64") ? { type: "f64" } : {}),
  };
  const plain = await read(path, asked as ReadOptions).catch((error: unknown) => {
    const { code, message } = error as { code?: string; message: string };
    if (code === "OPTION_CONFLICT") throw foldFault(error as OptionError, { group, time, drop });
    if (code !== "OPTION_MISSING" || target !== undefined)
      throw columnFault(error, { target, weights, offset, group, time, drop });
    throw new UsageError(
      command,
      `--target is missing; name the column to predict${/: one of .*(?= \[)/.exec(message)?.[0] ?? ""}`,
    );
  });
  const data = withProducts(plain, options);
  if (data.target.kind === "category") {
    const text = data.target.levels?.find((level) => !Number.isFinite(Number(level)));
    if (options.classes === false && text !== undefined)
      throw new UsageError(
        "--no-classes",
        `the target ${data.target.name} holds texts, like ${JSON.stringify(text.slice(0, 60))}, which are classes; leave the option out, or name a column of numbers`,
      );
    return { data };
  }
  if (options.classes === false && (loss?.task === "binary" || loss?.task === "multiclass"))
    throw new UsageError("--no-classes", `the loss "${loss.name}" needs classes; leave one of the options out`);
  if (options.classes !== undefined) return { data: options.classes ? data.asClasses() : data };
  const meant = withMeantTarget(command, loss, data);
  if (meant !== data) return loss ? { data: meant } : { data: meant, taken: "classes" };
  const distinct = new Set(data.target.values);
  if (loss || distinct.size < 3 || distinct.size > MOST_OFFERED || ![...distinct].every(Number.isInteger)) return { data };
  return data.rowCount >= 5 * distinct.size ? { data, taken: "numbers" } : { data };
}

/** Adds products of columns. A column in --interactions that the file does not have is an error of the command line. */
function withProducts(data: Dataset, { interactions, degree }: ReadingOptions): Dataset {
  if (interactions === undefined && (degree ?? 1) === 1) return data;
  const factors = interactions?.split(",").map((term) => term.split(":"));
  const alone = factors?.find((names) => names.length < 2);
  if (alone)
    throw new UsageError(
      "--interactions",
      `"${alone[0]}" is one column; write the columns of a product with colons: age:work,age:hours`,
    );
  try {
    return data.map(products(given({ interactions: factors, degree })));
  } catch (error) {
    if (!(error instanceof OptionError) || error.code !== "DATA_COLUMN") throw error;
    throw new OptionError(data.source, error.said.replace(/^interactions name/, "--interactions names"), error.code, {
      cause: error,
    });
  }
}

/** Explains how whole numbers were interpreted and how to change it; "" if there is no ambiguity. */
export function takenText({ data: { target }, taken }: TrainingData): string {
  if (taken === undefined) return "";
  if (taken === "classes") return `${target.levels!.length} whole numbers, read as classes; --no-classes reads them as numbers`;
  return `${new Set(target.values).size} whole numbers, read as numbers; --classes reads them as classes`;
}

/** Returns the same text as a line of the result, if it is a suggestion. */
export function offerText(read: TrainingData): string {
  return read.taken === "numbers" ? `target ${read.data.target.name}: ${takenText(read)}\n` : "";
}

/**
 * Turns a missing column that the command line names into a usage error. `typed`: the options that name columns,
 * undefined if not given.
 */
export function columnFault(error: unknown, typed: Readonly<Record<string, string | undefined>>): unknown {
  if (!(error instanceof DataError) || error.code !== "DATA_COLUMN") return error;
  const named = Object.keys(typed).find(
    (option) =>
      typed[option] !== undefined &&
      (new RegExp(`^(${option} asks for|has no ${option} column)`).test(error.said) ||
        new RegExp(`^(types|categories|drop) asks for (a )?column ${shownColumn(typed[option])}[ ,]`).test(error.said)),
  );
  if (named === undefined) return error;
  const said = error.said
    .replace(/^\w+ asks for/, `--${named} asks for`)
    .replace(/^has no \w+ column/, `--${named}: there is no column`);
  return new OptionError(error.where, said, error.code, { cause: error });
}

/** Blames --group or --time instead of --drop if the column that defines the folds has another role too. */
function foldFault(error: OptionError, { group, time, drop }: FoldColumns & Pick<ReadingOptions, "drop">): OptionError {
  const column = group ?? time;
  const role = /^(column .*) is both (\w+) and dropped;/s.exec(error.said);
  if (column === undefined || !role) return error;
  if (drop !== undefined && !new RegExp(`^column ${shownColumn(column)}$`).test(role[1])) return error;
  const said = `${role[1]} is both --${role[2]} and --${group === undefined ? "time" : "group"}; give different columns`;
  return new OptionError(error.where, said, error.code, { cause: error });
}

/** Returns a pattern for a position or a name as messages show it: quoted, with visible control characters, and cut. */
function shownColumn(text: string): string {
  const short = text.length > 40 ? text.slice(0, 37) : text;
  const visible = short.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  return `["']?${visible.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}…?["']?`;
}

/** Lists every file from which rows are read. */
export async function dataPlaces(
  path: string,
  { labels, test, validate }: FormatOptions & Partial<SplitOptions>,
): Promise<Place[]> {
  return [
    { flag: "DATA", path },
    { flag: "--labels", path: labels },
    { flag: "the labels", path: labels === undefined ? await labelsBeside(path) : undefined },
    { flag: "--test", path: test },
    { flag: "--validate", path: validate },
  ];
}

/**
 * Splits off test rows first and validation rows from the rest. Runs with and without validation therefore use the same
 * test rows.
 */
export async function cut(data: Dataset, options: SplitOptions & FormatOptions, command = "train"): Promise<Parts> {
  const { seed, test, testShare, validate, validateShare } = options;
  refuseTwice(options, command);
  const parts: Parts = { train: data };
  // The labels option applies only to the training rows.
  const reading = { ...options, labels: undefined };
  const stratify = data.target.kind === "category";
  if (test !== undefined) parts.test = await readHeldOut(test, data.pipeline, reading);
  if (testShare !== undefined) Object.assign(parts, parts.train.split(1 - testShare, { seed, stratify }));
  if (validate !== undefined) parts.validate = await readHeldOut(validate, data.pipeline, reading);
  if (validateShare !== undefined) {
    const { train, test: held } = parts.train.split(1 - validateShare, { seed, stratify });
    Object.assign(parts, { train, validate: held });
  }
  return parts;
}

/** Refuses options that give test or validation rows twice. Called before anything is read. */
export function refuseTwice({ test, testShare, validate, validateShare }: SplitOptions, command = "train"): void {
  if (test !== undefined && testShare !== undefined)
    throw new UsageError(command, "both --test and --test-share were given; leave one out");
  if (validate !== undefined && validateShare !== undefined) {
    throw new UsageError(command, "both --validate and --validate-share were given; leave one out");
  }
}

/** Reads rows with their target and applies the pipeline of the training rows to them. */
export function readHeldOut(path: string, pipeline: Pipeline, options: FormatOptions): Promise<Dataset> {
  return read(path, { ...formatOptions(options), ...given({ labels: options.labels }), like: { pipeline } });
}

/**
 * Refuses new category levels if `--unknown refuse` is given. A model trained with that option refuses such rows
 * itself.
 */
export function refuseNewLevels(path: string, remarks: readonly Remark[], { unknown }: { unknown?: string }): void {
  const found = told(remarks).find(({ kind }) => kind === "new level");
  if (unknown !== "refuse" || !found) return;
  throw new DataError(
    path,
    `${found.message}; correct them, or leave --unknown refuse out to predict without them`,
    "DATA_LEVEL",
  );
}

/**
 * Combines the user's reading options with the column types that the model requires. The model's categories stay
 * categories.
 */
export async function readingOf(path: string, pipeline: Pipeline, options: FormatOptions): Promise<ReadTableOptions> {
  const [own, like] = [formatOptions(options), await readingLike("data", path, pipeline)];
  return { ...own, ...like, ...given({ types: like.types && { ...own.types, ...like.types } }) };
}

/** Reads raw rows for a model's pipeline, without their target. */
export async function rawRows(path: string, pipeline: Pipeline, options: FormatOptions): Promise<Table | SparseTable> {
  try {
    if (takesSparse(pipeline)) return await readSparseTable(path, { ...formatOptions(options), target: false });
    return await readRows(path, { ...(await readingOf(path, pipeline, options)), target: false });
  } catch (error) {
    throw likeFault(error, pipeline, options.types);
  }
}

function sizes(option: string, text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(x\d+)*$/i.test(text)) return text.split(/x/i).map(Number);
  throw new UsageError(option, `"${text}" is not a list of sizes; separate sizes with x, like 28x28`);
}

/** Returns a position if the text is a whole number, otherwise a name. */
export function columnKey<T extends string | undefined>(text: T): T | string | number {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : text;
}
