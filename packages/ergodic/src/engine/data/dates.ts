/**
 * Converts date strings to the numeric parts that option `dates` requests. Dates are read as written, without time
 * zones: 2024-03-05, 2024-03-05 14:30, 2024-03-05T14:30:00Z.
 *
 * Year and day of the month are numbers. Month (1 to 12) and weekday (1 = Monday to 7) are categories rather than
 * numbers, because January follows December. The hour, with minutes as a fraction, is a number. The hour is only
 * included if at least one training date has a time.
 *
 * @throws DataError [DATA_VALUE] naming row and column if a string is not a date
 */
import { DataError } from "../errors/errors.ts";
import type { DateParts } from "./from-table.ts";
import { told } from "./number-cells.ts";
import type { RawColumn } from "./rows.ts";
import { readPartsBy } from "./transformations/columns.ts";

const form = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)?)?$/;
const names = ["year", "month", "day", "weekday", "hour"] as const;
const levelsOf = { month: 12, weekday: 7 } as const;

/**
 * Declares date columns, for the option `dates` of `Dataset.fromTable`. Year, month, day and weekday become separate
 * columns, and so does the hour if there are times.
 *
 *   Dataset.fromTable(table, { target: "left", dates: dateParts("signup", "born") });
 */
export function dateParts(...columns: string[]): DateParts {
  addDates();
  return { columns, partsOf: (name, texts) => partColumns(name, texts) };
}

/** Returns the columns that replace a date column. `texts`: all strings in the column. */
function partColumns(name: string, texts: readonly string[]): RawColumn[] {
  const timed = texts.some((text) => form.exec(text)?.[4] !== undefined);
  return names
    .filter((part) => part !== "hour" || timed)
    .map((part) => {
      const column = { name: `${name}.${part}`, of: name, part };
      if (part !== "month" && part !== "weekday") return { ...column, kind: "number" };
      return { ...column, kind: "category", levels: Array.from({ length: levelsOf[part] }, (_, k) => String(k + 1)) };
    });
}

function parts(text: string): Record<string, number> | undefined {
  const [found, ...groups] = form.exec(text.trim()) ?? [];
  if (found === undefined) return undefined;
  const [year, month, day, hour = 0, minute = 0, second = 0] = groups.map((digits) =>
    digits === undefined ? undefined : Number(digits),
  );
  const date = new Date(Date.UTC(2000, month! - 1, day));
  date.setUTCFullYear(year!, month! - 1, day);
  // JavaScript converts 31 February to a day in March.
  if (date.getUTCMonth() !== month! - 1 || hour > 23 || minute > 59 || second > 60) return undefined;
  return { year: year!, month: month!, day: day!, weekday: date.getUTCDay() || 7, hour: hour + minute / 60 + second / 3600 };
}

/**
 * Returns a function that reads a date part in row i: a number, or the level index of a category. NaN if the date is
 * missing.
 */
function reader(texts: (i: number) => string | null, { of, part, kind }: RawColumn, where: string): (i: number) => number {
  const known = new Map<string, number>();
  return (i) => {
    const text = texts(i);
    if (text === null) return NaN;
    let value = known.get(text);
    if (value !== undefined) return value;
    const found = parts(text);
    if (!found)
      throw new DataError(
        where,
        `row ${i + 1}: ${told(text)} in column "${of}" is not a date; write dates as 2024-03-05, or 2024-03-05 14:30`,
        "DATA_VALUE",
      );
    value = kind === "category" ? found[part!] - 1 : found[part!];
    if (known.size < 100_000) known.set(text, value);
    return value;
  };
}

/** Registers the reader of dates. */
export function addDates(): void {
  readPartsBy(reader);
}
