import type { Table } from "../../engine/data/table.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { Atom } from "./atom.ts";
import { type ColumnLists, type ColumnTypes, columnsFor, Facts, givenRows } from "./facts.ts";
import type { Bindings, Bound, KnownColumns, Shape, ShapeOfLists, ShapeOfRow, ShapeOfTypes } from "./types.ts";

/** Rows that can be added to columns of the given types. */
export type MoreRows<S> = readonly { readonly [K in keyof S]: S[K] | null | undefined }[] | ColumnLists | Table;

/** Known facts: rows with named columns. Calling the relation creates an atom of a rule. */
export interface Relation<S = Shape> {
  /**
   * Creates an atom that matches rows with values equal to the given variables. `{ equals: value }` matches only rows
   * with this value.
   */
  <const B extends Bindings<S>>(bindings: B & KnownColumns<S, B>): Atom<Bound<S, B>, "relation">;
  /** Name of the relation. */
  readonly name: string;
  /** Number of rows. */
  readonly rowCount: number;
  /**
   * Adds rows. The next `ground()` of a knowledge base grounds the new rows. If one of the rows is invalid, none is
   * added.
   */
  add(rows: MoreRows<S>): this;
  /** Rows of the relation. */
  readonly facts: Facts;
}

/**
 * Declares known facts for the rules of a knowledge base. Columns hold strings, numbers or Booleans. null, undefined
 * and NaN are missing values, which equal nothing.
 *
 * @param name name of the relation in rules and errors
 * @param rows facts, one object per row
 * @param types types of the columns, { city: "text" }. Needed for tables, whose types TypeScript cannot infer, and if
 *   there are no rows yet. Columns that are not listed are ignored
 * @param table facts as a table from a reader
 * @param columns facts as one list of values per column
 * @throws DataError with the row if a column has values of two types
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

/** Adds a name, a row count and methods to a function. */
export function callable<F extends (...given: never[]) => unknown, M extends object>(call: F, facts: Facts, methods: M): F & M {
  Object.defineProperty(call, "name", { value: facts.name });
  Object.defineProperty(call, "rowCount", { get: () => facts.rowCount });
  return Object.assign(call, methods, { facts });
}

export function checkName(where: string, name: unknown): asserts name is string {
  if (typeof name === "string" && name !== "") return;
  throw new OptionError(where, `the name is ${shown(name)}, but must be a text that is not empty`, "OPTION_TYPE");
}
