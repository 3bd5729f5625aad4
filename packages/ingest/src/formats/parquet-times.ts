/**
 * Converts dates, timestamps and times in Parquet to ISO strings, as in a CSV file: 2024-03-05, 2024-03-05T14:30:00,
 * 14:30:00.
 *
 * Fractions of seconds have as many digits as needed, at most six. Digits beyond microseconds are cut off, as DuckDB
 * does for INT96 and for nanoseconds adjusted to UTC. Timestamps have no time zone. Timestamps that Parquet marks as
 * adjusted to UTC are given in UTC.
 */
import type { SchemaElement } from "hyparquet";
import type { ColumnBuilder } from "../column.ts";
import { fault, show } from "../fault.ts";

/**
 * Unit of a number: days, or fractions of a second, since 1970 or since midnight. "int96": nanoseconds of a separate
 * type.
 */
export interface Times {
  readonly what: "date" | "timestamp" | "time";
  readonly unit: "days" | "millis" | "micros" | "nanos" | "int96";
}

/**
 * Parsers that return the stored numbers unchanged. The decoder's own parsers would convert them to dates with a
 * precision of milliseconds.
 */
export const asCounted = {
  dateFromDays: (days: number) => days,
  timestampFromMilliseconds: (millis: bigint) => millis,
  timestampFromMicroseconds: (micros: bigint) => micros,
  timestampFromNanoseconds: (nanos: bigint) => nanos,
};

const microsOfDay = 86_400_000_000n;
/**
 * Range of the years 1 to 9999, in days since 1970. The limits exist because ISO strings and the option `dates` have
 * years of four digits.
 */
const [firstDay, lastDay] = [-719_162, 2_932_896];
/** DuckDB's infinity. In every unit except nanoseconds, this value lies beyond the year 9999. */
const infinite = 2n ** 63n - 1n;

/**
 * Returns the unit of a column. Returns undefined if the column is not a date or time, or if its annotations contradict
 * each other.
 */
export function timesOf({ type, converted_type: converted, logical_type: logical }: SchemaElement): Times | undefined {
  if (logical?.type === "DATE" || (logical === undefined && converted === "DATE"))
    return type === "INT32" && (converted ?? "DATE") === "DATE" ? { what: "date", unit: "days" } : undefined;
  if (logical === undefined && converted === undefined)
    return type === "INT96" ? { what: "timestamp", unit: "int96" } : undefined;
  const [, word, said] = /^(TIMESTAMP|TIME)_(MILLIS|MICROS)$/.exec(converted ?? "") ?? [];
  if (converted !== undefined && word === undefined) return undefined;
  if (logical !== undefined && logical.type !== "TIMESTAMP" && logical.type !== "TIME") return undefined;
  if (logical !== undefined && word !== undefined && word !== logical.type) return undefined;
  const what = (logical?.type ?? word) === "TIME" ? "time" : "timestamp";
  const unit = (logical?.unit ?? said).toLowerCase() as Times["unit"];
  const wanted = what === "time" && unit === "millis" ? "INT32" : "INT64";
  return type === wanted ? { what, unit } : undefined;
}

/**
 * Adds the ISO string of a number. @throws DataError DATA_TYPE for dates beyond the years 1 to 9999, and times beyond a
 * day
 */
export function putTime(file: string, column: ColumnBuilder, times: Times, counted: number | bigint, row: number): void {
  const { what, unit } = times;
  const [day, micros] = unit === "days" ? [Number(counted), 0] : split(microsOf(BigInt(counted), times));
  const endless = unit === "nanos" && (counted === infinite || counted === -infinite);
  if (what === "time" ? day !== 0 : !(day >= firstDay && day <= lastDay) || endless)
    throw outOfRange(file, column, what, endless ? Infinity : day, row);
  column.put(isoText(what, day, micros), row);
}

/** Splits a time into whole days and the remaining microseconds. */
function split(micros: bigint): [day: number, micros: number] {
  const ofDay = Number(micros % microsOfDay);
  const day = Number(micros / microsOfDay);
  return ofDay < 0 ? [day - 1, ofDay + Number(microsOfDay)] : [day, ofDay];
}

function microsOf(count: bigint, { what, unit }: Times): bigint {
  if (unit === "millis") return count * 1000n;
  if (unit === "micros") return count;
  // DuckDB truncates nanoseconds towards 1970. Nanoseconds of INT96 are counted within a day, so DuckDB rounds them
  // down.
  const isBelow = count % 1000n < 0n && (what === "time" || unit === "int96");
  return count / 1000n - (isBelow ? 1n : 0n);
}

function isoText(what: Times["what"], day: number, micros: number): string {
  const iso = new Date(86_400_000 * day + Math.floor(micros / 1000)).toISOString();
  if (what === "date") return iso.slice(0, 10);
  const seconds = what === "time" ? iso.slice(11, 19) : iso.slice(0, 19);
  const fraction = micros % 1_000_000;
  return fraction === 0 ? seconds : `${seconds}.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
}

function outOfRange(file: string, column: ColumnBuilder, what: Times["what"], day: number, row: number): Error {
  const held =
    what === "time"
      ? "is not within a day"
      : `is ${Number.isFinite(day) ? `${Math.abs(day)} days ${day < 0 ? "before" : "after"} 1970-01-01` : "infinite"}, but must be in the years 1 to 9999`;
  const message = `the ${what} in column ${show(column.name)} ${held}; correct it, or drop the column: drop: [${show(column.name)}]`;
  return fault(file, row, column.position, message, "DATA_TYPE");
}
