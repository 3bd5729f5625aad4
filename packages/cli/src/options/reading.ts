/** Reading options for every command that reads a file: the flags and the reader options that they set. */
import type { ColumnType, ReadTableOptions } from "@ergodic/ingest";
import { type Command, InvalidArgumentError } from "commander";
import { given } from "./given.ts";
import { oneOf, whole } from "./number.ts";

export interface FormatOptions {
  format?: string;
  /** False for --no-header. */
  header: boolean;
  delimiter?: string;
  decimal?: string;
  missing?: string;
  types?: Record<string, ColumnType>;
  levels?: Record<string, ColumnType>;
  firstIndex?: number;
  bits?: number;
  comment?: string;
  ragged?: "refuse" | "skip";
  engine?: "own" | "duckdb";
  /** File of labels for IDX and NumPy arrays, if it does not have the default name next to the data. */
  labels?: string;
}

type Reading = Pick<
  ReadTableOptions,
  "format" | "header" | "delimiter" | "decimal" | "missing" | "types" | "firstIndex" | "bits" | "comment" | "ragged" | "engine"
>;

export function addFormatOptions(command: Command): Command {
  return command
    .option(
      "--format <name>",
      "file format: csv, tsv, jsonl, libsvm, vw, npy, idx or parquet; default: by extension, else by content",
    )
    .option("--no-header", "the first line contains data, not column names")
    .option("--delimiter <character>", "separator between fields; \\t for a tab; default: detected")
    .option("--decimal <mark>", "decimal mark: a point or a comma; default: detected")
    .option(
      "--missing <texts>",
      'strings that mean "no value", comma-separated; default ",NA,NaN,nan,null,?", and for numbers N/A, #N/A, NULL, None, - …',
    )
    .option("--types <column=type,…>", "types of columns by name: number or category", typesOf)
    .option("--levels <column=level,…>", "all levels of a categorical column; repeat the option for each column", levelsOf)
    .option("--first-index <n>", "index of the first column in a LIBSVM file: 0 or 1 (the default)", Number)
    .option("--bits <n>", "number of bits of the hash of names in a VW file, which gives 2^n columns; default 18", whole(1, 30))
    .option("--comment <text>", "start of comment lines, which are skipped, such as '#'")
    .option(
      "--ragged <how>",
      "treatment of rows with too many or too few fields: refuse (the default) or skip",
      oneOf("refuse", "skip"),
    )
    .option("--engine <name>", "reader of CSV and Parquet files: own (the default) or duckdb", oneOf("own", "duckdb"));
}

export function formatOptions(options: FormatOptions): Reading {
  const { format, header, delimiter, decimal, missing, types, levels, firstIndex, bits, comment, ragged, engine } = options;
  return given({
    format,
    header: header ? undefined : false,
    delimiter: delimiter === "\\t" ? "\t" : delimiter,
    decimal,
    missing: missing?.split(","),
    types: types || levels ? { ...types, ...levels } : undefined,
    firstIndex,
    bits,
    comment,
    ragged,
    engine,
  }) as Reading;
}

function typesOf(text: string, before: Record<string, ColumnType> = {}): Record<string, ColumnType> {
  const pairs = text.split(",").map((pair): [string, "number" | "category"] => {
    const [name, type] = pairOf(pair, "zip=category");
    if (type !== "number" && type !== "category")
      throw new InvalidArgumentError(`${JSON.stringify(pair)} has no type; write zip=category, or zip=number`);
    return [name, type];
  });
  return { ...before, ...Object.fromEntries(pairs) };
}

function levelsOf(text: string, before: Record<string, ColumnType> = {}): Record<string, ColumnType> {
  const [name, levels] = pairOf(text, "size=small,medium,large");
  return { ...before, [name]: levels.split(",") };
}

/** Splits at the last =, because names can contain one. */
function pairOf(text: string, example: string): [string, string] {
  const at = text.lastIndexOf("=");
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not column=…; write ${example}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
