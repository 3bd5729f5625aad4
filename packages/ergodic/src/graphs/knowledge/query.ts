import type { Table } from "../../engine/data/table.ts";
import { checkBoolean, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, DataError, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { murmur3 } from "../../engine/random/murmur3.ts";
import { boolean as booleanDomain, type Domain, domainOf, stateOf } from "../model/domains.ts";
import { Atom } from "./atom.ts";
import {
  type Cell,
  type ColumnLists,
  type ColumnTypes,
  columnsFor,
  type FactColumn,
  Facts,
  type GivenRows,
  givenRows,
} from "./facts.ts";
import { Ints } from "./ints.ts";
import { callable, checkName } from "./relation.ts";
import { DistinctTuples } from "./tuples.ts";
import type { Bindings, Bound, KnownColumns, Shape, ShapeOfLists, ShapeOfRow, ShapeOfTypes } from "./types.ts";

/** Options of `query()`. */
export interface QueryOptions<C extends string = string, K extends C = C, N extends string = string> {
  /** Columns that identify an unknown. */
  key: readonly K[];
  /**
   * Column with the known values: true or false (or 1 and 0) for Booleans, else the state. Missing values are unknown.
   * For Booleans, a number between 0 and 1 is the probability of being true. Such an unknown is not observed. The given
   * probability serves as its truthiness when weights are learned.
   */
  label?: C;
  /** Names of the states. Default: false and true. */
  states?: readonly N[];
  /** Whether rows with the same key are merged into one unknown. Default: false; they are then an error. */
  distinct?: boolean;
  /**
   * Labels to hold out for measuring calibration. If a number is given, this share of the labels is held out. The
   * labels are chosen by a hash of the key. A function selects labels by their key. Default: none.
   */
  holdOut?: number | ((key: Readonly<Record<K, Cell>>) => boolean);
  /** Types of the columns. Required for tables, and if there are no rows yet. */
  types?: ColumnTypes;
}

type KindOf<S, B> = [Exclude<keyof S, keyof B>] extends [never] ? "query" : "partial";

/**
 * A set of unknowns, one per row. The unknowns are Booleans or have named states. Calling the query creates a literal
 * of a rule.
 */
export interface Query<S = Shape, N extends string = never> {
  /**
   * Creates a literal that holds if an unknown is true, or has a given state. In a head, all key columns must be bound.
   */
  <const B extends Bindings<S>>(
    bindings: B & KnownColumns<S, B>,
    ...state: [N] extends [never] ? [] : [state: N]
  ): Atom<Bound<S, B>, KindOf<S, B>>;
  /**
   * Creates a literal that holds if an unknown is false, or does not have a given state. Such a literal is not
   * available for more than two states.
   */
  not<const B extends Bindings<S>>(
    bindings: B & KnownColumns<S, B>,
    ...state: [N] extends [never] ? [] : [state: N]
  ): Atom<Bound<S, B>, KindOf<S, B>>;
  /**
   * Creates an atom that matches unknowns regardless of their state. Such an atom binds variables in the same way as a
   * relation.
   */
  exists<const B extends Bindings<S>>(bindings: B & KnownColumns<S, B>): Atom<Bound<S, B>, "relation">;
  /** Name of the query. */
  readonly name: string;
  /** Number of unknowns. */
  readonly rowCount: number;
  /** Adds unknowns. The next `ground()` of a knowledge base grounds the new unknowns. */
  add(rows: readonly object[] | ColumnLists | Table): this;
  /** Rows of the query. */
  readonly facts: Unknowns;
}

/**
 * Declares unknowns of a knowledge base, one for each row, identified by their `key` columns.
 *
 * `label` names the column with known values; unknowns with a label are observed. `holdOut` keeps some labels back so
 * that `calibration()` can use them.
 *
 * @param name name of the query in rules, errors and results
 * @param rows one object per unknown
 * @param options `key`: columns that identify an unknown. `label`, `states`, `distinct`, `holdOut`, `types`
 * @param table rows as a table from a reader
 * @param columns rows as one list of values per column
 * @throws DataError with the rows if a key occurs twice
 */
export function query<R extends object, const K extends keyof R & string, const N extends string = never>(
  name: string,
  rows: readonly R[],
  options: QueryOptions<keyof R & string, K, N> & { types?: undefined },
): Query<Pick<ShapeOfRow<R>, K>, N>;
export function query<const T extends ColumnTypes, const K extends keyof T & string, const N extends string = never>(
  name: string,
  rows: readonly object[] | ColumnLists | Table,
  options: QueryOptions<keyof T & string, K, N> & { types: T },
): Query<Pick<ShapeOfTypes<T>, K>, N>;
export function query<const K extends string, const N extends string = never>(
  name: string,
  table: Table,
  options: QueryOptions<string, K, N>,
): Query<Readonly<Record<K, Cell>>, N>;
export function query<L extends ColumnLists, const K extends keyof L & string, const N extends string = never>(
  name: string,
  columns: L,
  options: QueryOptions<keyof L & string, K, N>,
): Query<Pick<ShapeOfLists<L>, K>, N>;
export function query(name: string, given: unknown, options: QueryOptions): Query<Shape, string> {
  checkName("query", name);
  const where = `query "${name}"`;
  const rows = givenRows(where, given);
  const facts = new Unknowns(where, name, rows, options);
  const { count } = facts.domain;
  const literal = (negated: boolean, bindings: object, given: string | undefined) => {
    if (options.states === undefined ? given !== undefined : given === undefined)
      throw new OptionError(
        name,
        options.states === undefined
          ? `the state ${shown(given)} was given, but this unknown is true or false: leave the state out`
          : "no state was given; say which one is meant",
        "OPTION_MEANING",
      );
    const state = given === undefined ? 1 : stateOf(name, facts.domain, given);
    if (negated && count !== 2)
      throw new OptionError(name, `it has ${count} states, of which not() names none; say which one`, "OPTION_MEANING");
    const text = options.states === undefined ? (negated ? " is false" : "") : ` is ${negated ? "not " : ""}${given}`;
    const kind = Object.keys(bindings ?? {}).length === facts.columns.length ? "query" : "partial";
    return new Atom(kind, facts, bindings, negated ? 1 - state : state, text);
  };
  return callable((bindings: object, state?: string) => literal(false, bindings, state), facts, {
    not: (bindings: object, state?: string) => literal(true, bindings, state),
    exists: (bindings: object) => new Atom("relation", facts, bindings),
    add(more: unknown) {
      facts.take(givenRows(where, more));
      return this;
    },
  }) as unknown as Query<Shape, string>;
}

/** Rows of a query: keys, labels and held-out flags. */
export class Unknowns extends Facts {
  protected static override readonly typeName: string = "Unknowns";
  readonly domain: Domain;
  /**
   * Label of each row: the index of the known state, or −1 if there is none. For Booleans, 2 + i refers to entry i of
   * `chances`.
   */
  readonly labels = new Ints();
  /** Labels that are probabilities of being true. */
  readonly chances: number[] = [];
  readonly #places = new Map<number, number>();
  /** For each row, 1 if its label is held out, else 0. */
  readonly heldOut = new Ints();
  readonly #options: QueryOptions;
  readonly #label: FactColumn | undefined;
  readonly #keys: DistinctTuples;

  constructor(where: string, name: string, rows: GivenRows, options: QueryOptions) {
    checkKeys(where, options, ["key", "label", "states", "distinct", "holdOut", "types"]);
    const { key, label, states, distinct, holdOut, types } = options;
    if (!Array.isArray(key) || key.length === 0) refuse(where, "key", key, "a list of columns", 'key: ["city"]');
    if (distinct !== undefined) checkBoolean(where, "distinct", distinct);
    const share = typeof holdOut === "number" && holdOut >= 0 && holdOut <= 1;
    if (holdOut !== undefined && typeof holdOut !== "function" && !share)
      refuse(where, "holdOut", holdOut, "a share between 0 and 1, or a function of the key", "holdOut: 0.2");
    const all = new Facts("query", name, columnsFor(where, rows, types));
    super(
      "query",
      name,
      key.map((column) => all.columns[all.columnNumber(where, column)]),
    );
    if (states !== undefined && !Array.isArray(states))
      refuse(where, "states", states, "a list of names", 'states: ["low", "high"]');
    if (new Set(key).size < key.length) throw new OptionError(where, "key has a column twice; name each once", "OPTION_RANGE");
    if (label !== undefined && key.includes(label))
      throw new OptionError(
        where,
        `the label "${label}" is also a key column, which rules can see; name another column`,
        "OPTION_CONFLICT",
      );
    this.#label = label === undefined ? undefined : all.columns[all.columnNumber(where, label)];
    this.domain = states === undefined ? booleanDomain : domainOf(where, states);
    this.#options = options;
    this.#keys = new DistinctTuples(this.columns.map(({ codes }) => codes));
    this.take(rows);
  }

  /** Adds new rows. If any row is invalid, no row is added. */
  take(rows: GivenRows): void {
    const codes = this.encode(rows);
    const given = this.#labelsOf(rows);
    const fresh = this.columns.map(() => new Ints());
    const known = new DistinctTuples(fresh);
    const rowsOf = new Ints();
    const labels = new Ints();
    const tuple = new Int32Array(codes.length);
    for (let row = 0; row < rows.count; row++) {
      for (let k = 0; k < tuple.length; k++) {
        tuple[k] = codes[k][row];
        if (tuple[k] < 0)
          throw new DataError(
            this.place,
            `row ${row + 1}: the key column "${this.columns[k].name}" is missing; drop the row, or give it a value`,
            "DATA_MISSING",
          );
      }
      const label = given === undefined ? -1 : given[row];
      const old = this.#keys.find(tuple);
      const same = old >= 0 ? old : known.find(tuple);
      if (same < 0) {
        for (let k = 0; k < tuple.length; k++) fresh[k].push(tuple[k]);
        known.add(rowsOf.length);
        rowsOf.push(row);
        labels.push(label);
        continue;
      }
      const before = old >= 0 ? this.labels.data[old] : labels.data[same];
      const first = old >= 0 ? `the existing unknown ${old + 1}` : `row ${rowsOf.data[same] + 1}`;
      if (!this.#options.distinct) throw this.#twice(row, first, tuple, "drop one, or set distinct: true, which merges them");
      if (label < 0 || label === before) continue;
      if (before >= 0) throw this.#twice(row, first, tuple, "but another label; correct one of the two");
      if (old >= 0)
        throw this.#twice(row, first, tuple, "that unknown has no label; tell the graph: graph.observe(kb.variable(…), true)");
      labels.data[same] = label;
    }
    const heldOut = new Ints(labels.length);
    for (let k = 0; k < labels.length; k++) heldOut.push(labels.data[k] >= 0 && this.#isHeldOut(k, fresh) ? 1 : 0);
    const from = this.rowCount;
    this.append(fresh.map(({ data, length }) => data.subarray(0, length)));
    this.labels.append(labels.data.subarray(0, labels.length));
    this.heldOut.append(heldOut.data.subarray(0, heldOut.length));
    for (let row = from; row < this.rowCount; row++) this.#keys.add(row);
  }

  /** Returns the row of a key. @throws OptionError if there is none */
  rowOf(key: Readonly<Record<string, unknown>>): number {
    for (const name of Object.keys(key)) this.columnNumber(this.place, name);
    const codes = this.columns.map((column) => column.numbers.get(key[column.name] as Cell) ?? -1);
    const row = codes.includes(-1) ? -1 : this.#keys.find(codes);
    if (row >= 0) return row;
    const asked = this.columns.map(({ name }) => `${name}: ${shown(key[name])}`).join(", ");
    throw new OptionError(this.place, `there is no unknown { ${asked} }; use a key that was given as a row`, "OPTION_UNKNOWN");
  }

  /** Returns the key of a row. `codes` gives the columns of rows that are not yet part of the query. */
  keyOf(row: number, codes: readonly Ints[] = this.columns.map((column) => column.codes)): Record<string, Cell> {
    return Object.fromEntries(this.columns.map(({ name, levels }, k) => [name, levels[codes[k].data[row]]]));
  }

  /** Returns a row's label if it is a probability of being true; otherwise undefined. */
  chanceOf(row: number): number | undefined {
    return this.domain.boolean ? this.chances[this.labels.data[row] - 2] : undefined;
  }

  /** Returns the name of an unknown in a graph, such as holds("Rome", 2.8). */
  title(row: number): string {
    return `${this.name}(${textOf(this.keyOf(row))})`;
  }

  /** The choice depends only on the key, so that added rows do not change it. */
  #isHeldOut(row: number, codes: readonly Ints[]): boolean {
    const { holdOut } = this.#options;
    if (holdOut === undefined) return false;
    const key = this.keyOf(row, codes);
    if (typeof holdOut === "function") {
      const found: unknown = holdOut(key);
      if (typeof found === "boolean") return found;
      throw new OptionError(
        this.place,
        `holdOut returned ${shown(found)} for ${textOf(key)}, but must return true or false`,
        "OPTION_TYPE",
      );
    }
    const bytes = new TextEncoder().encode(textOf(key));
    return murmur3(bytes, 0, bytes.length, 0) < holdOut * 2 ** 32;
  }

  #twice(row: number, first: string, tuple: Int32Array, what: string): DataError {
    const key = this.columns.map(({ name, levels }, k) => `${name}: ${JSON.stringify(levels[tuple[k]])}`).join(", ");
    return new DataError(this.place, `row ${row + 1} has the key { ${key} } of ${first}: ${what}`, "DATA_DUPLICATE");
  }

  /** Returns the index of a probability in `chances`. */
  #chance(p: number): number {
    const known = this.#places.get(p) ?? this.chances.push(p) - 1;
    this.#places.set(p, known);
    return known;
  }

  #labelsOf(rows: GivenRows): Int32Array | undefined {
    const column = this.#label;
    if (column === undefined) return undefined;
    const codes = new Facts("query", this.name, [column]).encode(rows)[0];
    const { domain, place } = this;
    const states = new Map([[-1, -1]]);
    return codes.map((code, row) => {
      let state = states.get(code);
      if (state === undefined) {
        const level = column.levels[code];
        const value = domain.boolean && (level === 0 || level === 1) ? level === 1 : level;
        const isChance = domain.boolean && typeof level === "number" && level > 0 && level < 1;
        state = isChance ? 2 + this.#chance(level) : stateOf(`${place}: row ${row + 1}: column "${column.name}"`, domain, value);
        states.set(code, state);
      }
      return state;
    });
  }
}

const textOf = (key: Readonly<Record<string, Cell>>): string =>
  Object.values(key)
    .map((value) => JSON.stringify(value))
    .join(", ");
