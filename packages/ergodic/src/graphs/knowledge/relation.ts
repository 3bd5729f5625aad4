import type { Table } from "../../engine/data/table.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { Atom } from "./atom.ts";
import { type ColumnLists, type ColumnTypes, columnsFor, Facts, givenRows } from "./facts.ts";
import type { Bindings, Bound, KnownColumns, Shape, ShapeOfLists, ShapeOfRow, ShapeOfTypes } from "./types.ts";

/** Rows that are to be added to what has columns of a shape. */
export type MoreRows<S> = readonly { readonly [K in keyof S]: S[K] | null | undefined }[] | ColumnLists | Table;

/** Facts that are known: rows with named columns. Called, it gives an atom of a rule. */
export interface Relation<S = Shape> {
  /** An atom: the row whose columns have these variables' values. `{ equals: value }` takes rows with this value alone. */
  <const B extends Bindings<S>>(bindings: B & KnownColumns<S, B>): Atom<Bound<S, B>, "relation">;
  /** As it was given. */
  readonly name: string;
  /** How many rows there are. */
  readonly rowCount: number;
  /** Adds rows; knowledge bases that use them ground what is new when `ground()` is called next. All are added, or where one is wrong, none. */
  add(rows: MoreRows<S>): this;
  /** Its rows. */
  readonly facts: Facts;
}

/**
 * Facts that are known, for rules of a knowledge base: rows that are objects, lists by column, or a table that a reader gave. Columns hold texts,
 * numbers or Booleans; null, undefined and NaN are missing, and a missing value equals none.
 *
 * `types`: what the columns hold, `{ city: "text" }`: for tables, of which TypeScript knows no more, and where there are no rows yet. Other columns
 * are not used.
 *
 * @throws DataError with the row, for values of two types in one column
 */
export function relation<R extends object>(name: string, rows: readonly R[]): Relation<ShapeOfRow<R>>;
export function relation<const T extends ColumnTypes>(
  name: string,
  rows: Table | readonly object[] | ColumnLists,
  types: T,
): Relation<ShapeOfTypes<T>>;
export function relation(name: string, table: Table): Relation<Shape>;
export function relation<L extends ColumnLists>(name: string, columns: L): Relation<ShapeOfLists<L>>;
export function relation(name: string, given: unknown, types?: ColumnTypes): Relation<Shape> {
  checkName("relation", name);
  const where = `relation "${name}"`;
  const rows = givenRows(where, given);
  const facts = new Facts("relation", name, columnsFor(where, rows, types));
  facts.append(facts.encode(rows));
  const atom = (bindings: object) => new Atom("relation", facts, bindings);
  return callable(atom, facts, {
    add(more: unknown) {
      facts.append(facts.encode(givenRows(where, more)));
      return this;
    },
  }) as unknown as Relation<Shape>;
}

/** A function with a name of its own, the count of its rows, and methods. */
export function callable<F extends (...given: never[]) => unknown, M extends object>(call: F, facts: Facts, methods: M): F & M {
  Object.defineProperty(call, "name", { value: facts.name });
  Object.defineProperty(call, "rowCount", { get: () => facts.rowCount });
  return Object.assign(call, methods, { facts });
}

export function checkName(where: string, name: unknown): asserts name is string {
  if (typeof name === "string" && name !== "") return;
  throw new OptionError(where, `the name is ${shown(name)}, but must be a text that is not empty`, "OPTION_TYPE");
}
