/**
 * Rows that the model has not seen. New rows have the same columns. Factor levels in new rows must be known. Unknown
 * groups are treated as new groups.
 */

import type { Remark } from "../../engine/data/table.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";
import { columnsBelow, evaluate } from "./expressions.ts";
import { isMissing } from "./formula-data.ts";
import type { GroupedRows, Plan } from "./plan.ts";
import type { Formula, Variable } from "./terms.ts";

type RawRow = Readonly<Record<string, unknown>>;

/** Returns the columns that a new row must have: all except the response. */
export function columnsOfFormula({ terms, smooths, offsets, trials, groups }: Formula): string[] {
  const variables = [...terms, ...groups.flatMap((group) => group.terms)].flatMap((term) => term.variables);
  const all = [...variables, ...smooths, ...offsets, ...(trials ? [trials] : [])];
  return [
    ...new Set([...all.flatMap(({ expression }) => columnsBelow(expression)), ...groups.flatMap(({ columns }) => columns)]),
  ];
}

/** Returns the numbers of one row by field. @throws DataError that names the column */
export function numbersOfRow(plan: Plan, row: unknown, where: string): Record<string, Float64Array> {
  if (typeof row !== "object" || row === null || Array.isArray(row) || ArrayBuffer.isView(row))
    throw new DataError(
      where,
      `the row is ${shown(row)}, but must be an object with ${columnsOfFormula(plan.formula).join(", ")}`,
      "DATA_SHAPE",
    );
  return plan.numbersOf(new NewRow(row as RawRow, where));
}

/** Returns a remark per group of the formula whose name in some of the rows is not known. */
export function newGroupsOf({ groups }: Plan, rows: readonly RawRow[]): Remark[] {
  const known = new Map(groups.map(({ term, levels }) => [term.columns.join(":"), { columns: term.columns, levels }]));
  return [...known].flatMap(([column, { columns, levels }]) => {
    const names = rows
      .filter((row) => columns.every((name) => Object.hasOwn(row, name) && !isMissing(row[name])))
      .map((row) => columns.map((name) => String(row[name])).join(":"))
      .filter((name) => !levels.includes(name));
    if (names.length === 0) return [];
    const list = [...new Set(names)].map((name) => JSON.stringify(name));
    const message = `${names.length} of ${rows.length} rows had a new group of "${column}" (${listed(list)}), so its effects were drawn from the population`;
    return [{ kind: "new level", column, rows: names.length, of: rows.length, message }];
  });
}

class NewRow implements GroupedRows {
  readonly rowCount = 1;
  readonly #row: RawRow;
  readonly #where: string;

  constructor(row: RawRow, where: string) {
    this.#row = row;
    this.#where = where;
  }

  numbers({ expression, label }: Variable): Float64Array {
    const value = evaluate(expression, (name) => {
      const cell = this.#cell(name, label);
      if (typeof cell === "number" && Number.isFinite(cell)) return cell;
      throw this.#wrong(`"${name}" is ${shown(cell)}, but must be a finite number`, "DATA_SHAPE");
    });
    if (Number.isFinite(value)) return Float64Array.of(value);
    throw this.#wrong(`"${label}" is ${value} for this row; give a row where it is a number`, "DATA_RANGE");
  }

  codes({ expression, label }: Variable, levels: readonly string[]): Int32Array {
    const [name] = columnsBelow(expression);
    const level = String(this.#cell(name, label));
    const code = levels.indexOf(level);
    if (code >= 0) return Int32Array.of(code);
    const near = nearest(level, levels);
    throw this.#wrong(
      `"${name}" is "${level}", which is not a level in the data that the model was sampled with (${listed(levels)}), so its effect is unknown; ${near === undefined ? "give one of these levels, or write the column as a group, (1 | " + name + "), which accepts new levels" : `did you mean "${near}"?`}`,
      "DATA_LEVEL",
    );
  }

  groups(columns: readonly string[], levels: readonly string[]): Float64Array {
    const of = columns.join(":");
    const advice =
      'add it: the name of a known group, or any other name, such as "new", for a new group drawn from the population';
    const place = levels.indexOf(columns.map((name) => String(this.#cell(name, of, advice))).join(":"));
    return Float64Array.of(place < 0 ? levels.length : place);
  }

  #cell(name: string, of: string, advice = "add it"): unknown {
    const cell = Object.hasOwn(this.#row, name) ? this.#row[name] : undefined;
    if (isMissing(cell))
      throw this.#wrong(`"${name}" is missing (${shown(cell)}), but the term "${of}" needs it; ${advice}`, "DATA_MISSING");
    return cell;
  }

  #wrong(message: string, code: string): DataError {
    return new DataError(this.#where, message, code);
  }
}

const listed = (levels: readonly string[]): string =>
  levels.length > 8 ? `${levels.slice(0, 8).join(", ")}, …` : levels.join(", ");
