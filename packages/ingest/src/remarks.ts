/**
 * Remarks on columns that a model should probably not learn from directly: identifiers, dates, free text. The columns
 * are never changed.
 *
 * String columns: dates are recognised by their form. Most rows have their own level if more than half of at least 20
 * rows do. In this case, strings of several words are free text, and other strings are identifiers. A column of whole
 * numbers gets a remark if its values are consecutive row numbers, in any order. Such a column also gets a remark if it
 * has more than two values and its name suggests that they are codes.
 *
 * Numeric columns also get a remark if their values are large compared with their spread. For example, times in seconds
 * since 1970 have this property if all of them lie within ten minutes. By default numbers are stored as 32-bit floats,
 * which round such values.
 */
import type { Column, Remark, Table } from "ergodic/data";
import { show } from "./fault.ts";

const fewestRows = 20;
/** Largest number of levels that are examined. */
const sample = 1000;
const date = /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d))([T ]\d{1,2}:\d\d\S*)?$/;
/** Dates that the option `dates` can read. */
const readable = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)/;

/** Matches a number with a unit or with separators: $1,234.56, 12.3%, 5 €. */
const measured = /^[+-]?(?:[$€£¥]\s?[+-]?\d[\d.,]*|\d[\d.,]*\s?[%$€£¥]|\d{1,3}(?:,\d{3})+(?:\.\d+)?)$/;

/**
 * Matches names that are, or whose last word is, a word for codes: zip, postal_code, id, user_id, userId, customer ID.
 */
const code = /(?:^|[\s_.-])(?:ids?|zip|zip[\s_-]?code|post[\s_-]?code|postal[\s_-]?code|phone)$/i;
const inCamelCase = /[a-z](?:Id|ID|Zip|ZipCode|PostCode|PostalCode|Postcode|Zipcode)$/;

/** Returns remarks on all columns except those in `others`. */
export function columnRemarks(table: Table, others: ReadonlySet<string>): Remark[] {
  if (table.rowCount < fewestRows) return [];
  return table.columns
    .filter(({ name }) => !others.has(name))
    .flatMap((column) => (column.kind === "number" ? ofNumbers(column, table.rowCount) : ofTexts(column, table.rowCount)) ?? []);
}

function ofTexts({ name, codes, levels }: Column & { kind: "category" }, of: number): Remark | undefined {
  const present = codes.reduce((sum, code) => sum + (code < 0 ? 0 : 1), 0);
  const about = { column: name, rows: present, of };
  const some = levels.slice(0, sample);
  const share = (test: (level: string) => boolean): number => some.filter(test).length / some.length;
  if (some.length > 1 && share((level) => date.test(level.trim())) > 0.9) {
    const advice =
      share((level) => readable.test(level.trim())) > 0.9
        ? `split them into parts with dates: [${show(name)}]`
        : `write them as 2024-03-05, which dates: [${show(name)}] splits into parts`;
    return {
      kind: "date",
      ...about,
      message: `${present} of ${of} rows hold dates in ${show(name)}, taken as ${levels.length} levels; ${advice}`,
    };
  }
  if (some.length > 1 && share((level) => measured.test(level.trim())) > 0.9) {
    const message = `${present} of ${of} rows hold numbers with a sign or commas in ${show(name)}, like ${show(some[0])}, taken as ${levels.length} levels; write plain numbers, like 1234.56, to get a column of numbers`;
    return { kind: "text", ...about, message };
  }
  if (levels.length <= present / 2 || present < fewestRows) return undefined;
  const isText = share((level) => (level.match(/\s+\S/g)?.length ?? 0) > 1) > 0.5;
  const seen = `${present} of ${of} rows hold ${levels.length} different texts in ${show(name)}`;
  const [kind, what] = isText
    ? (["text", "which looks like free text"] as const)
    : (["identifier", "which looks like an identifier"] as const);
  return {
    kind,
    ...about,
    message: `${seen}, ${what}: levels that rarely repeat teach nothing; drop it: drop: [${show(name)}]`,
  };
}

function ofNumbers({ name, values }: Column & { kind: "number" }, of: number): Remark | undefined {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isInteger(value)) return undefined;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const about = { kind: "identifier", column: name, rows: of, of } as const;
  const different = new Set(values).size;
  const counts = high - low === of - 1 && different === of;
  if (!counts && different > 2 && (code.test(name) || inCamelCase.test(name))) {
    const message = `${of} of ${of} rows hold whole numbers in ${show(name)}, taken as amounts, but the name suggests codes; make each a level, types: { ${show(name)}: "category" }, or drop it: drop: [${show(name)}]`;
    return { ...about, message };
  }
  if (!counts) return undefined;
  const message = `${of} of ${of} rows are numbered from ${low} to ${high} in ${show(name)}, which looks like an identifier; drop it, unless the order of rows matters: drop: [${show(name)}]`;
  return { ...about, message };
}

/**
 * Largest rounding error that gets no remark, as a share of the column's standard deviation. If the values are within a
 * thousand deviations of 0, the error is below a thousandth.
 */
const mostRounding = 0.01;

/**
 * Returns remarks on numeric columns with values that 32-bit floats cannot distinguish, except for columns in `others`.
 */
export function precisionRemarks(table: Table, others: ReadonlySet<string>): Remark[] {
  return table.columns.flatMap((column) => {
    if (column.kind !== "number" || others.has(column.name)) return [];
    return roundingRemark(column, table.rowCount) ?? [];
  });
}

class Spread {
  #count = 0;
  #sum = 0;
  #squares = 0;

  add(value: number): void {
    this.#count++;
    this.#sum += value;
    this.#squares += value * value;
  }

  get deviation(): number {
    return Math.sqrt(Math.max(0, this.#squares / this.#count - (this.#sum / this.#count) ** 2));
  }
}

function roundingRemark({ name, values }: Column & { kind: "number" }, of: number): Remark | undefined {
  const first = values.find((value) => !Number.isNaN(value));
  if (first === undefined) return undefined;
  const rounding = (value: number): number => Math.fround(value) - value;
  // Both spreads are measured from the first value, so that they are exactly 0 if the column is constant. Rounding that
  // shifts all values equally loses nothing.
  const shift = rounding(first);
  const [spread, lost] = [new Spread(), new Spread()];
  let rows = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    const error = rounding(value);
    spread.add(value - first);
    lost.add(error - shift);
    if (error !== 0) rows++;
  }
  const [deviation, error] = [spread.deviation, lost.deviation];
  // NaN if values exceed the largest 32-bit float. Such values are refused when they are stored.
  if (!(error > mostRounding * deviation)) return undefined;
  const share = Math.min(100, Math.round((100 * error) / deviation));
  const message = `${rows} of ${of} rows of ${show(name)} are rounded to 32-bit floats, by ${Number(error.toPrecision(2))} on average, which is ${share} % of the column's standard deviation; pass type: "f64", or subtract a constant from the column, such as its mean`;
  return { kind: "precision", column: name, rows, of, message };
}
