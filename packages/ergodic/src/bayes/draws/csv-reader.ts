/**
 * Reads draws from CSV files of CmdStan, rstan and `toCmdStanCsv`, one string per chain.
 *
 * Comments may appear anywhere. Columns that end in "__" are transition statistics; all others are numbers of
 * quantities. Indices after dots or in brackets determine the shape.
 *
 * Saved warm-up rows are dropped. Warm-up rows are the rows above the comment "Adaptation terminated", or as many rows
 * as the comments declare. For a variational approximation, the first row is its mean and is also dropped.
 *
 * Stan's files do not store kinds, so every quantity is called a parameter, and parts of tuples and complex numbers
 * stay separate numbers.
 *
 * Settings are stored in `description`, under Ergodic's names for them if there are any.
 *
 * @throws DataError [DATA_PARSE] with file and line; [DRAWS_COLUMNS], [DRAWS_SHAPE] for files that do not match each
 *   other
 */

import type { JsonObject } from "../../engine/contract/index.ts";
import { refuse } from "../../engine/errors/checks.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import type { DrawsContent } from "./content.ts";
import { ERGODIC_KEY, fieldOfLabel, labelOfField } from "./csv.ts";
import { Draws } from "./draws.ts";
import { type DrawsHeader, headerFromJson } from "./json.ts";
import { sizeOf } from "./series.ts";
import { type DrawsColumn, headed, quantitiesOf } from "./stan-columns.ts";
import { DEEPEST_TREE, isDepth } from "./trajectories.ts";

export interface ChainFile {
  readonly name: string;
  readonly labels: readonly string[];
  readonly rows: readonly Float64Array[];
  /** `key = value` settings in the comments. If a key occurs more than once, its first value is used. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Reads draws from the text of each chain's CSV file. `names`: file names for error messages. */
export function fromCmdStanCsv(
  texts: readonly string[],
  names: readonly string[] = Array.from(texts ?? [], (_, c) => `chain ${c + 1}`),
): Draws {
  checkTexts("texts", texts);
  checkTexts("names", names);
  if (names.length !== texts.length)
    throw new OptionError(
      "fromCmdStanCsv",
      `there are ${names.length} names for ${texts.length} texts; give one name per text`,
      "OPTION_RANGE",
    );
  if (texts.length === 0) throw new DataError("fromCmdStanCsv", "there are no files; give one text per chain", "DRAWS_EMPTY");
  return fromChainFiles(texts.map((text, c) => parse(names[c], text)));
}

function checkTexts(name: string, value: unknown): void {
  if (!Array.isArray(value)) refuse("fromCmdStanCsv", name, value, "a list of strings, one per chain", "[text]");
  const wrong = value.findIndex((text) => typeof text !== "string");
  if (wrong >= 0) refuse("fromCmdStanCsv", `${name}[${wrong}]`, value[wrong], "a text", "[text]");
}

/** Builds draws from parsed files, one per chain. */
export function fromChainFiles(files: readonly ChainFile[]): Draws {
  checkAlike(files);
  const [first] = files;
  const comment = first.settings.get(ERGODIC_KEY);
  const header = comment === undefined ? undefined : headerOf(first.name, comment);
  const isField = first.labels.map(fieldOfLabel);
  const labels = first.labels.filter((_, j) => isField[j] === undefined);
  const { quantities, columns } = quantitiesOf(first.name, labels);
  const own = header && headed(header.quantities);
  if (header && own) checkHeader(first, { ...header, quantities: own.quantities }, quantities);
  const fields = header?.fields ?? isField.filter((field) => field !== undefined);
  const { values, transitions } = gathered(files, own?.quantities ?? quantities, columns, fields);
  return new Draws({
    chains: files.length,
    count: first.rows.length,
    quantities: header?.quantities ?? quantities,
    fields,
    transitions,
    values: own ? Object.fromEntries(Object.entries(values).map(([name, series]) => [own.names.get(name)!, series])) : values,
    description: header?.description ?? describe(files),
    report: header?.report ?? {},
  });
}

function parse(name: string, text: string): ChainFile {
  const reader = new ChainReader(name);
  reader.add(text);
  return reader.end();
}

/** Incremental parser of a file that arrives in blocks of text. */
export class ChainReader {
  readonly #name: string;
  readonly #settings = new Map<string, string>();
  readonly #rows: Float64Array[] = [];
  #labels: string[] | undefined;
  #adapted: number | undefined;
  /** Pieces of the current line, which is not complete yet. */
  readonly #begun: string[] = [];
  #lines = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(text: string): void {
    const lines = text.split("\n");
    for (const [i, part] of lines.entries()) {
      this.#begun.push(part);
      if (i < lines.length - 1) this.#line(this.#begun.splice(0).join(""));
    }
  }

  end(): ChainFile {
    this.#line(this.#begun.splice(0).join(""));
    const name = this.#name;
    const [settings, labels] = [this.#settings, this.#labels];
    if (!labels) throw new DataError(name, "there is no table: no line without #; give a CSV file of draws", "DATA_PARSE");
    return { name, labels, settings, rows: this.#rows.slice(leftOut(settings, this.#adapted)) };
  }

  #line(raw: string): void {
    this.#lines++;
    const line = raw.trim();
    if (line === "") return;
    if (line.startsWith("#")) {
      if (/Adaptation terminated/.test(line)) this.#adapted = this.#rows.length;
      const setting = /^#+\s*([^=\s][^=]*?)\s*=\s*(.*?)\s*(?:\(Default\))?$/.exec(line);
      if (setting && !this.#settings.has(setting[1])) this.#settings.set(setting[1], setting[2]);
    } else if (!this.#labels) this.#labels = line.split(",").map((label) => label.trim().replace(/^"(.*)"$/, "$1"));
    else this.#rows.push(numbersOf(`${this.#name}:${this.#lines}`, line, this.#labels));
  }
}

function numbersOf(where: string, line: string, labels: readonly string[]): Float64Array {
  const parts = line.split(",");
  if (parts.length !== labels.length)
    throw new DataError(
      where,
      `the row has ${parts.length} numbers, but there are ${labels.length} columns; the file may have been cut: remove the row, or make the file again`,
      "DATA_PARSE",
    );
  return Float64Array.from(parts, (part, j) => {
    const value = numberOf(part.trim());
    if (value !== undefined) {
      if (fieldOfLabel(labels[j]) !== "treeDepth" || isDepth(value)) return value;
      const message = `"${part}" in column "${labels[j]}" is not the depth of a tree, which is a whole number from 0 to ${DEEPEST_TREE}`;
      throw new DataError(where, `${message}; make the file again, or remove the column`, "DATA_PARSE");
    }
    throw new DataError(where, `"${part}" in column "${labels[j]}" is not a number; write nan for a missing one`, "DATA_PARSE");
  });
}

function numberOf(text: string): number | undefined {
  const value = Number(text);
  if (text !== "" && !Number.isNaN(value)) return value;
  if (/^[+-]?(nan|na)$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  return infinite ? (infinite[1] === "-" ? -Infinity : Infinity) : undefined;
}

/** Returns the number of leading rows that are not draws. */
function leftOut(settings: ReadonlyMap<string, string>, adapted: number | undefined): number {
  if (settings.has("output_samples")) return 1;
  if (adapted !== undefined) return adapted;
  const saved = ["1", "true"].includes(settings.get("save_warmup") ?? "") && settings.get("algorithm") !== "fixed_param";
  return saved ? Math.ceil(Number(warmupOf(settings) ?? 0) / Number(settings.get("thin") ?? 1)) : 0;
}

const warmupOf = (settings: ReadonlyMap<string, string>): string | undefined =>
  settings.get("num_warmup") ?? settings.get("warmup");

function checkAlike(files: readonly ChainFile[]): void {
  const [first, ...others] = files;
  for (const { name, labels, rows } of others) {
    if (labels.join() !== first.labels.join())
      throw new DataError(name, `its columns differ from those of ${first.name}; give the chains of one run`, "DRAWS_COLUMNS");
    if (rows.length !== first.rows.length)
      throw new DataError(
        name,
        `it has ${rows.length} draws, but ${first.name} has ${first.rows.length}; cut the longer to the shorter`,
        "DRAWS_SHAPE",
      );
  }
}

function headerOf(name: string, text: string): DrawsHeader {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(name, `the comment "${ERGODIC_KEY}" is not JSON; remove it, or make the file again`, "DATA_PARSE", {
      cause,
    });
  }
  return headerFromJson(json, `${name}: the comment "${ERGODIC_KEY}"`);
}

/** Checks that the columns match the header in the comment. Quantities of size 0 have no columns. */
function checkHeader({ name, labels }: ChainFile, header: DrawsHeader, found: DrawsContent["quantities"]): void {
  const lost = header.fields.map(labelOfField).find((label) => !labels.includes(label));
  if (lost !== undefined)
    throw new DataError(
      name,
      `its comment "${ERGODIC_KEY}" names a column "${lost}", but there is none; make the file again`,
      "DRAWS_COLUMNS",
    );
  const text = (quantities: DrawsContent["quantities"]): string =>
    quantities
      .filter(({ shape }) => sizeOf(shape) > 0)
      .map((quantity) => `${quantity.name}[${quantity.shape}]`)
      .sort()
      .join();
  if (text(header.quantities) === text(found)) return;
  const message = `its columns hold ${text(found) || "nothing"}, but its comment "${ERGODIC_KEY}" names ${text(header.quantities)}`;
  throw new DataError(name, `${message}; remove the comment if columns were changed on purpose`, "DRAWS_COLUMNS");
}

function gathered(
  files: readonly ChainFile[],
  quantities: DrawsContent["quantities"],
  columns: readonly DrawsColumn[],
  fields: readonly string[],
): Pick<DrawsContent, "values" | "transitions"> {
  const [
    {
      labels,
      rows: { length: count },
    },
  ] = files;
  const sizes = new Map(quantities.map(({ name, shape }) => [name, sizeOf(shape)]));
  const values = Object.fromEntries(
    quantities.map(({ name }) => [name, new Float64Array(files.length * count * sizes.get(name)!)]),
  );
  const transitions = new Float64Array(files.length * count * fields.length);
  const byLabel = new Map(columns.map((column) => [column.label, column]));
  const places = labels.map((label) => {
    const column = byLabel.get(label);
    if (column) return { array: values[column.name], width: sizes.get(column.name)!, offset: column.offset };
    return { array: transitions, width: fields.length, offset: fields.indexOf(fieldOfLabel(label)!) };
  });
  files.forEach(({ rows }, c) => {
    rows.forEach((row, i) => {
      places.forEach(({ array, width, offset }, j) => {
        if (offset >= 0) array[(c * count + i) * width + offset] = row[j];
      });
    });
  });
  return { values, transitions };
}

function describe(files: readonly ChainFile[]): JsonObject {
  const [{ settings, rows }] = files;
  const given = (...keys: string[]): string | undefined =>
    keys.map((key) => settings.get(key)).find((value) => value !== undefined);
  const numeric = (name: string, ...keys: string[]): JsonObject => {
    // Number("") would be 0.
    const value = Number(given(...keys) || Number.NaN);
    return Number.isFinite(value) ? { [name]: value } : {};
  };
  const engine = given("engine") ?? /^[A-Z]+/.exec(given("sampler_t") ?? "")?.[0].toLowerCase() ?? given("algorithm");
  const algorithm = {
    ...(engine === undefined ? {} : { algorithm: engine === "static" ? "hmc" : engine }),
    ...numeric("maxTreeDepth", "max_depth", "max_treedepth"),
    ...numeric("targetAcceptance", "delta", "adapt_delta"),
  };
  return {
    source: "Stan",
    ...(given("model") === undefined ? {} : { model: given("model")! }),
    algorithm,
    plan: {
      chains: files.length,
      draws: rows.length,
      ...numeric("warmup", "num_warmup", "warmup"),
      ...numeric("seed", "seed"),
    },
    settings: Object.fromEntries(settings),
  };
}
