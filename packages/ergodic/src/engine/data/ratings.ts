import { made } from "../errors/checks.ts";
import { checkKeys, DataError, ErgodicError, OptionError } from "../errors/errors.ts";
import { type Allocation, engineMemory, own } from "../memory/memory.ts";
import { checkRaw } from "./check-table.ts";
import { place } from "./layout.ts";
import { ratingsMark } from "./marks.ts";
import { type Name, NameIndex } from "./name-index.ts";
import { isList, numbersGiven, told } from "./number-cells.ts";
import { requireColumn } from "./raw.ts";
import { splitRows } from "./sampling.ts";
import type { Column, Table } from "./table.ts";

/** Handling of pairs of user and item that occur repeatedly: refuse them, sum their values, or use the last value. */
export type Duplicates = "refuse" | "sum" | "last";

/** Ratings in three lists of equal length. */
export interface TriplesOptions {
  /** User name of each rating. */
  users: ArrayLike<Name>;
  /** Item name of each rating. */
  items: ArrayLike<Name>;
  /** Values of the ratings. Any finite numbers are allowed. Default: all 1, for events. */
  values?: ArrayLike<number>;
  /** Handling of repeated pairs. Default: "refuse" if there are `values`, otherwise "sum". */
  duplicates?: Duplicates;
  /** Name of the data in errors. Default "ratings". */
  source?: string;
}

/** Names of the table columns for users, items and values. */
export interface RatingColumns {
  /** Column of the users. */
  readonly user: string;
  /** Column of the items. */
  readonly item: string;
  /** Column of the values. Absent if the ratings have no values. */
  readonly value?: string;
}

/** Compressed rows. All members are byte addresses, which are valid until dispose(). */
export interface CompressedRatings {
  /** u32[rows + 1]. */
  readonly start: number;
  /** u32[count]: column of each entry. Columns are items if rows are users, and vice versa. Ascending within a row. */
  readonly index: number;
  /** f64[count]. */
  readonly values: number;
}

export interface RatingsLayout {
  readonly byUser: CompressedRatings;
  readonly byItem: CompressedRatings;
}

export interface PortableRatings {
  readonly entries: Entries;
  readonly users: readonly Name[];
  readonly items: readonly Name[];
  readonly source: string;
  readonly columns?: RatingColumns | undefined;
}

/** Entries as arrays, sorted by user, then by item. */
interface Entries {
  users: Uint32Array;
  items: Uint32Array;
  values: Float64Array;
}

/**
 * Ratings: an immutable sparse matrix of users × items in engine memory, stored by user and by item.
 *
 * values: float64, any finite number. Without values, each pair of user and item is an event that counts 1.
 * `duplicates` sets how repeated pairs of user and item are handled: "refuse" (default with values), "sum" (default for
 * events) or "last" (the last value in the given order). Users and items are identified by name (name-index.ts).
 * Entries are sorted by user, then by item, regardless of the input order. Memory is freed at `dispose()`, at the end
 * of a `using` block, or when the object is garbage collected.
 *
 * @throws DataError for missing names or values, and for repeated pairs; OptionError; MemoryLimitError
 */
export class Ratings implements Disposable {
  protected static readonly typeName: string = "Ratings";
  /** User names. */
  readonly users: NameIndex;
  /** Item names. */
  readonly items: NameIndex;
  /** Number of rated pairs. */
  readonly count: number;
  /** Name of the data in errors. */
  readonly source: string;
  /** Names of the table columns from which the ratings were made. Undefined for ratings made from lists. */
  readonly columns: RatingColumns | undefined;
  #layout: RatingsLayout;
  #allocation: Allocation | null;

  /** @internal */
  get [ratingsMark](): true {
    return true;
  }

  private constructor(entries: Entries, users: NameIndex, items: NameIndex, source: string, columns?: RatingColumns) {
    made("Ratings", entries, "items", "the entries of ratings", "Ratings.fromTriples(…) or Ratings.fromTable(…)");
    const { allocation, layout } = store(entries, users.size, items.size, source);
    this.users = users;
    this.items = items;
    this.count = entries.values.length;
    this.source = source;
    this.columns = columns;
    this.#layout = layout;
    this.#allocation = allocation;
    own(this, allocation);
  }

  /** Makes ratings from three lists: users, items and values. @throws DataError; OptionError */
  static fromTriples(options: TriplesOptions): Ratings {
    return Ratings.#from(options);
  }

  static #from(options: TriplesOptions, columns?: RatingColumns): Ratings {
    if (typeof options !== "object" || options === null)
      throw new OptionError("fromTriples", `the options are ${told(options)}, but must be an object`, "OPTION_TYPE");
    checkKeys("fromTriples", options, ["users", "items", "values", "duplicates", "source"], {
      nullable: ["users", "items", "values"],
    });
    const { users, items, values, source = "ratings", duplicates = values ? "refuse" : "sum" } = options;
    for (const [name, list] of Object.entries({ users, items, ...(values === undefined ? {} : { values }) }))
      if (!isList(list)) throw new OptionError("fromTriples", `${name} is ${told(list)}, but must be a list`, "OPTION_TYPE");
    if (typeof source !== "string")
      throw new OptionError("fromTriples", `source is ${told(source)}, but must be a string`, "OPTION_TYPE");
    if (!["refuse", "sum", "last"].includes(duplicates))
      throw new OptionError(
        "fromTriples",
        `duplicates is ${told(duplicates)}, but must be "refuse", "sum" or "last"`,
        "OPTION_RANGE",
      );
    const count = users.length;
    if (items.length !== count || (values && values.length !== count))
      throw new DataError(
        source,
        `there are ${count} users, ${items.length} items${values ? ` and ${values.length} values` : ""}, but there must be equally many of each`,
        "DATA_SHAPE",
      );
    if (count === 0) throw new DataError(source, "holds 0 ratings, but at least 1 is needed", "DATA_EMPTY");
    const byUser = NameIndex.of(users, "user", source);
    const byItem = NameIndex.of(items, "item", source);
    const numbers = values ? numbersGiven(values, source, "the value") : new Float64Array(count).fill(1);
    const bad = numbers.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0)
      throw new DataError(
        source,
        `row ${bad + 1}: the value is ${numbers[bad]}, but must be a finite number; drop the row`,
        "DATA_VALUE",
      );
    const size = Math.max(byUser.index.size, byItem.index.size);
    const order = sortedBy(byUser.codes, sortedBy(byItem.codes, undefined, size), size);
    const entries = merge(
      { users: pick(byUser.codes, order), items: pick(byItem.codes, order), values: pickValues(numbers, order) },
      duplicates,
      (e) => `${JSON.stringify(users[order[e]])} and item ${JSON.stringify(items[order[e]])}`,
      source,
    );
    return new Ratings(entries, byUser.index, byItem.index, source, columns);
  }

  /** Makes ratings from the named columns of a table. Without `value`, each row is an event that counts 1. */
  static fromTable(
    table: Table,
    options: {
      /** Column of the users. */
      user: string;
      /** Column of the items. */
      item: string;
      /** Column of the values. Default: none, so that each row is an event that counts 1. */
      value?: string;
      /** Handling of repeated pairs. Default: "refuse" if there are values, otherwise "sum". */
      duplicates?: Duplicates;
    },
  ): Ratings {
    made("fromTable", table, "columns", "a table of named columns", "await readTable(file)");
    checkKeys("fromTable", options, ["user", "item", "value", "duplicates"]);
    checkRaw(table);
    const { user, item, value, duplicates } = options;
    const values = value === undefined ? undefined : requireColumn(table, value, "value column");
    if (values?.kind === "category")
      throw new DataError(
        table.source,
        `column "${value}" holds text, but values must be numbers; leave value out if rows are events`,
        "DATA_COLUMN",
      );
    const triples = {
      users: namesOf(requireColumn(table, user, "user column")),
      items: namesOf(requireColumn(table, item, "item column")),
      ...(values ? { values: values.values } : {}),
      ...(duplicates ? { duplicates } : {}),
      source: table.source,
    };
    return Ratings.#from(triples, Object.freeze({ user, item, ...(value === undefined ? {} : { value }) }));
  }

  /** Pointers for kernels. Callers must keep this object reachable while they use them. */
  get layout(): RatingsLayout {
    if (this.#allocation) return this.#layout;
    throw new ErgodicError(this.source, "the ratings were used after dispose()", "DATASET_DISPOSED");
  }

  /** Whether the memory has been freed. */
  get disposed(): boolean {
    return this.#allocation === null;
  }

  /** Returns a line with the source and the numbers of ratings, items and users. */
  toString(): string {
    return `ratings ${JSON.stringify(this.source)}: ${this.count} ratings of ${this.items.size} items by ${this.users.size} users`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Returns copies of all ratings of the user or item with this `index`. `others`: indices of the items or users,
   * ascending.
   */
  of(side: "user" | "item", index: number): { others: Uint32Array; values: Float64Array } {
    const names = side === "user" ? this.users : this.items;
    if (!(Number.isInteger(index) && index >= 0 && index < names.size))
      throw new OptionError("of", `${side} ${index} was asked for, but the numbers are 0 to ${names.size - 1}`, "OPTION_RANGE");
    const at = side === "user" ? this.layout.byUser : this.layout.byItem;
    const memory = engineMemory();
    const [from, to] = memory.u32(at.start + 4 * index, 2);
    return {
      others: memory.u32(at.index + 4 * from, to - from).slice(),
      values: memory.f64(at.values + 8 * from, to - from).slice(),
    };
  }

  /** Returns the ratings as plain data, for a thread with separate memory. */
  portable(): PortableRatings {
    const { source, columns } = this;
    return { entries: this.triples(), users: this.users.names, items: this.items.names, source, columns };
  }

  /** Makes the same ratings, with the same indices, from plain data. */
  static fromPortable(portable: PortableRatings): Ratings {
    made("fromPortable", portable, "users", "the result of portable()", "Ratings.fromPortable(ratings.portable())");
    const { entries, users, items, source, columns } = portable;
    return new Ratings(entries, new NameIndex(users), new NameIndex(items), source, columns);
  }

  /** Returns a copy of all entries, sorted by user, then by item. */
  triples(): { users: Uint32Array; items: Uint32Array; values: Float64Array } {
    const { byUser } = this.layout;
    const memory = engineMemory();
    const start = memory.u32(byUser.start, this.users.size + 1);
    const users = new Uint32Array(this.count);
    for (let u = 0; u < this.users.size; u++) users.fill(u, start[u], start[u + 1]);
    return {
      users,
      items: memory.u32(byUser.index, this.count).slice(),
      values: memory.f64(byUser.values, this.count).slice(),
    };
  }

  /**
   * Splits the ratings at random into two parts, with the shares `share` and 1 − share. Both parts retain the complete
   * lists of users and items.
   */
  split(share: number, options: { seed: number }): { train: Ratings; test: Ratings } {
    checkKeys("split", options, ["seed"]);
    const { train, test } = splitRows(this.count, share, options.seed);
    return { train: this.select(train), test: this.select(test) };
  }

  /**
   * Returns a copy of the entries at the given indices, which must be in ascending order. All users and items are kept.
   */
  select(entries: ArrayLike<number>): Ratings {
    const chosen = Uint32Array.from(entries);
    if (chosen.length === 0) throw new OptionError("select", "no entry is given, but at least 1 is needed", "OPTION_RANGE");
    for (let k = 0; k < chosen.length; k++) {
      if (entries[k] === chosen[k] && chosen[k] < this.count && (k === 0 || chosen[k] > chosen[k - 1])) continue;
      throw new OptionError(
        "select",
        `entry ${k} is ${entries[k]}, but entries must be ascending integers from 0 to ${this.count - 1}`,
        "OPTION_RANGE",
      );
    }
    const { users, items, values } = this.triples();
    const part = { users: pick(users, chosen), items: pick(items, chosen), values: pickValues(values, chosen) };
    return new Ratings(part, this.users, this.items, this.source, this.columns);
  }

  /** Frees the memory. The ratings cannot be used afterwards. */
  dispose(): void {
    this.#allocation?.dispose();
    this.#allocation = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function namesOf(column: Column): ArrayLike<Name> {
  if (column.kind === "number") return column.values;
  return Array.from(column.codes, (code) => (code < 0 ? "" : column.levels[code]));
}

const pick = (from: Uint32Array, order: Uint32Array): Uint32Array => order.map((e) => from[e]);

function pickValues(from: Float64Array, order: Uint32Array): Float64Array {
  const picked = new Float64Array(order.length);
  for (let k = 0; k < order.length; k++) picked[k] = from[order[k]];
  return picked;
}

/**
 * Sorts entries by their codes, which are below `size`, and returns the indices of the entries. Entries with equal
 * codes keep the order in `order` (default: as given).
 */
function sortedBy(codes: Uint32Array, order: Uint32Array | undefined, size: number): Uint32Array {
  const next = startsOf(codes, size);
  const sorted = new Uint32Array(codes.length);
  for (let k = 0; k < codes.length; k++) {
    const e = order ? order[k] : k;
    sorted[next[codes[e]]++] = e;
  }
  return sorted;
}

/** For each k = 0, 1, …, size, returns the number of codes that are less than k. */
function startsOf(codes: Uint32Array, size: number): Uint32Array {
  const start = new Uint32Array(size + 1);
  for (const code of codes) start[code + 1]++;
  for (let k = 0; k < size; k++) start[k + 1] += start[k];
  return start;
}

/**
 * Merges entries so that each pair occurs once. Entries are sorted, so equal pairs are adjacent and in the given order.
 */
function merge(entries: Entries, duplicates: Duplicates, pair: (e: number) => string, source: string): Entries {
  const { users, items, values } = entries;
  let count = 0;
  for (let e = 0; e < values.length; e++) {
    const again = count > 0 && users[count - 1] === users[e] && items[count - 1] === items[e];
    if (again && duplicates === "refuse")
      throw new DataError(
        source,
        `the pair of user ${pair(e)} occurs twice; use duplicates: "sum" for counts, or "last" for the latest opinion`,
        "DATA_DUPLICATE",
      );
    const at = again ? count - 1 : count++;
    values[at] = again && duplicates === "sum" ? values[at] + values[e] : values[e];
    users[at] = users[e];
    items[at] = items[e];
  }
  return { users: users.slice(0, count), items: items.slice(0, count), values: values.slice(0, count) };
}

function store(
  entries: Entries,
  userCount: number,
  itemCount: number,
  source: string,
): { allocation: Allocation; layout: RatingsLayout } {
  const { users, items, values } = entries;
  const count = values.length;
  const sizes = [userCount + 1, itemCount + 1].flatMap((starts) => [starts * 4, count * 4, count * 8]);
  const { offsets, bytes } = place(sizes);
  const memory = engineMemory();
  const allocation = memory.allocate(bytes, `ratings ${source}`);
  const [byUser, byItem] = [0, 3].map((k) => {
    const [start, index, at] = offsets.slice(k, k + 3).map((offset) => allocation.pointer + offset);
    return { start, index, values: at };
  });
  memory.u32(byUser.start, userCount + 1).set(startsOf(users, userCount));
  memory.u32(byUser.index, count).set(items);
  memory.f64(byUser.values, count).set(values);
  const order = sortedBy(items, undefined, itemCount);
  memory.u32(byItem.start, itemCount + 1).set(startsOf(items, itemCount));
  memory.u32(byItem.index, count).set(pick(users, order));
  memory.f64(byItem.values, count).set(pickValues(values, order));
  return { allocation, layout: Object.freeze({ byUser: Object.freeze(byUser), byItem: Object.freeze(byItem) }) };
}
