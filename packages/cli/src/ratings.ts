/**
 * Ratings from a file: columns of users, items and values, by name or position. Names stay strings exactly as in the
 * file.
 *
 * A model that `recommend` saved knows its columns; for other models the options must name them.
 */
import { likeFault, readTable } from "@ergodic/ingest";
import { DataError, type FactorPredictor, Ratings, type Remark, type Table } from "ergodic";
import type { Duplicates } from "ergodic/data";
import type { Pair } from "ergodic/predict";
import { columnFault, columnKey } from "./data.ts";
import { UsageError } from "./errors.ts";
import { given } from "./options/given.ts";
import { type FormatOptions, formatOptions } from "./options/reading.ts";
import type { FactorsDescribed } from "./report/chosen.ts";

export interface RatingColumns {
  user: string;
  item: string;
  value?: string;
}

export async function readRatings(
  path: string,
  columns: RatingColumns,
  options: FormatOptions,
  duplicates?: Duplicates,
  /** The columns that the command line names, excluding columns from the model. */
  typed: Partial<RatingColumns> = {},
): Promise<Ratings> {
  try {
    const table = await readTable(path, { ...formatOptions(options), ...namesAsTexts(columns) });
    const named = namesOf(table, columns);
    return Ratings.fromTable(table, { ...named, ...given({ duplicates }) });
  } catch (error) {
    throw likeFault(columnFault(error, { ...typed }));
  }
}

export function namesAsTexts({ user, item }: RatingColumns): { categories: (string | number)[] } {
  return { categories: [columnKey(user), columnKey(item)] };
}

/** Returns the names of columns that the command line gives by position. */
export function namesOf(table: Table, columns: RatingColumns): RatingColumns {
  const named = Object.entries(columns).map(([option, text]) => [option, columnNamed(table, text, option)]);
  return Object.fromEntries(named) as unknown as RatingColumns;
}

/** Returns the name of a column given by its name or its position from 0 (-1 is the last). */
export function columnNamed(table: Table, given: string | number, option: string): string {
  const key = typeof given === "string" ? columnKey(given) : given;
  if (typeof key === "string") return key;
  const { columns } = table;
  const column = columns.at(key);
  if (column) return column.name;
  throw new DataError(
    table.source,
    `${option} asks for column ${key}, but columns are numbered 0 to ${columns.length - 1}; give a number in that range, or a name`,
    "DATA_COLUMN",
  );
}

/** Returns the columns of a saved model, overridden by the command line. */
export function columnsOf(
  { description }: FactorPredictor,
  { user, item, value }: Partial<RatingColumns>,
  command: string,
): RatingColumns {
  const merged = { ...(description as unknown as FactorsDescribed).columns, ...given({ user, item, value }) };
  const missing = (["user", "item"] as const).find((name) => merged[name] === undefined);
  if (missing) throw new UsageError(command, `the model file does not name the columns of its training data; give --${missing}`);
  return merged as RatingColumns;
}

/** Counts rows with a user or an item that has no rating in training. */
export function newNames(
  model: FactorPredictor,
  pairs: readonly Pair[],
  { user, item }: RatingColumns,
  what: "rows" | "ratings",
): Remark[] {
  return (
    [
      ["user", user],
      ["item", item],
    ] as const
  ).flatMap(([side, column]) => {
    const isKnown = new Map<Pair["user"], boolean>();
    let rows = 0;
    for (const { [side]: name } of pairs) {
      if (!isKnown.has(name)) isKnown.set(name, model.isKnown(side, name));
      if (!isKnown.get(name)) rows++;
    }
    if (rows === 0) return [];
    const strangers = [...isKnown].filter(([, known]) => !known).map(([name]) => String(name));
    const message = `${rows} of ${pairs.length} ${what} had ${strangers.length === 1 ? `a new ${side}` : `new ${side}s`} in "${column}", without a rating in training (${listed(strangers)})`;
    return [{ kind: "new level", column, rows, of: pairs.length, message }];
  });
}

const listed = (names: readonly string[]): string =>
  `${names
    .slice(0, 5)
    .map((name) => JSON.stringify(name))
    .join(", ")}${names.length > 5 ? `, … (${names.length} in all)` : ""}`;

/** Describes the items that ranking metrics evaluate. */
export const bestOf = ({ task }: FactorPredictor, count: number): string =>
  task === "preference" ? `, the best ${count} of each user` : "";

/** Returns pairs in the form that predictors expect. */
export function pairsOfRatings(ratings: Ratings): Pair[] {
  const { users, items } = ratings.triples();
  return Array.from(users, (u, e) => ({ user: ratings.users.names[u], item: ratings.items.names[items[e]] }));
}

/** Predicts the values of pairs, regardless of the column names that were used in training. */
export function valuesOf(model: FactorPredictor, pairs: readonly Pair[]): { value: number }[] {
  return pairs.map(({ user, item }) => ({ value: model.valueFor(user, item) }));
}

/** Returns the pairs in a table. The columns of the table have these names. */
export function pairsOf(table: Table, { user, item }: RatingColumns): Pair[] {
  const [users, items] = [texts(table, user), texts(table, item)];
  return Array.from({ length: table.rowCount }, (_, i) => ({ user: users(i), item: items(i) }));
}

function texts(table: Table, name: string): (row: number) => string {
  const column = table.columns.find((c) => c.name === name);
  if (!column)
    throw new DataError(
      table.source,
      `has no column "${name}"; it has ${table.columns.map((c) => `"${c.name}"`).join(", ")}`,
      "DATA_COLUMN",
    );
  if (column.kind === "number") return (row) => String(column.values[row]);
  return (row) => (column.codes[row] < 0 ? "" : column.levels[column.codes[row]]);
}
