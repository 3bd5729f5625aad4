/**
 * Texts of dates → numbers of a row: the parts that `dates` asks for. Read as written, without time zones: 2024-03-05, 2024-03-05 14:30, 2024-03-05T14:30:00Z.
 *
 * year and day of the month are numbers; month (1 to 12) and weekday (1 = Monday to 7) are categories, since December is next to January; the hour, with minutes
 * as its fraction, is a number, where any date of training has a time.
 *
 * @throws DataError [DATA_VALUE] naming row and column where a text is no date
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
 * Columns of dates, for the option `dates` of `Dataset.fromTable`: year, month, day, weekday and, where there are times, hour become columns of their own.
 *
 *   Dataset.fromTable(table, { target: "left", dates: dateParts("signup", "born") });
 */
export function dateParts(...columns: string[]): DateParts {
  addDates();
  return { columns, partsOf: (name, texts) => partColumns(name, texts) };
}

/** What a column of dates becomes. `texts`: all that there are. */
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
  // A 31st of February would be in March.
  if (date.getUTCMonth() !== month! - 1 || hour > 23 || minute > 59 || second > 60) return undefined;
  return { year: year!, month: month!, day: day!, weekday: date.getUTCDay() || 7, hour: hour + minute / 60 + second / 3600 };
}

/** The part of the date in row i: a number, or for categories the index of its level; NaN where there is none. */
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
        `row ${i + 1}: ${told(text)} in column "${of}" is no date; write dates as 2024-03-05, or 2024-03-05 14:30`,
        "DATA_VALUE",
      );
    value = kind === "category" ? found[part!] - 1 : found[part!];
    if (known.size < 100_000) known.set(text, value);
    return value;
  };
}

/** Makes dates known to pipelines. */
export function addDates(): void {
  readPartsBy(reader);
}
