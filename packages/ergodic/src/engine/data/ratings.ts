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

/** What happens to a pair of user and item that comes twice: it is refused, summed, or the last counts. */
export type Duplicates = "refuse" | "sum" | "last";

/** Ratings as three lists of one length. */
export interface TriplesOptions {
  /** The user of each rating, by name. */
  users: ArrayLike<Name>;
  /** The item of each rating, by name. */
  items: ArrayLike<Name>;
  /** The ratings, any finite numbers. Default: all 1, as events. */
  values?: ArrayLike<number>;
  /** What happens to a pair that comes twice. Default "refuse" with `values`, else "sum". */
  duplicates?: Duplicates;
  /** Names the data in errors; default "ratings". */
  source?: string;
}

/** Names of the columns of a table that users, items and values come from. */
export interface RatingColumns {
  /** Column of the users. */
  readonly user: string;
  /** Column of the items. */
  readonly item: string;
  /** Column of the values. Absent for ratings without values. */
  readonly value?: string;
}

/** Compressed rows: byte addresses, valid until dispose(). */
export interface CompressedRatings {
  /** u32[rows + 1]. */
  readonly start: number;
  /** u32[count]: the other side's number, ascending within a row. */
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

/** Entries as arrays, by user, then by item. */
interface Entries {
  users: Uint32Array;
  items: Uint32Array;
  values: Float64Array;
}

/**
 * Ratings: an immutable sparse matrix of users × items in engine memory, kept by user and by item.
 *
 * values: float64, any finite number; by default each triple is an event that counts 1. A pair of user and item that comes twice: `duplicates`
 * "refuse" (the default with values), "sum" (the default for events) or "last" (in the order given). Users and items are known by their names
 * (name-index.ts); entries are ordered by user, then by item, whatever order they came in. Memory comes back at `dispose()`, at the end of a
 * `using` block, or when the object is collected.
 *
 * @throws DataError for names or values that are missing, for pairs that come twice; OptionError; MemoryLimitError
 */
export class Ratings implements Disposable {
  /** Names of the users. */
  readonly users: NameIndex;
  /** Names of the items. */
  readonly items: NameIndex;
  /** Rated pairs. */
  readonly count: number;
  /** Names the data in errors. */
  readonly source: string;
  /** Names of the columns of the table that they come from; undefined if they come from lists. */
  readonly columns: RatingColumns | undefined;
  #layout: RatingsLayout;
  #allocation: Allocation | null;

  /** @internal */
  get [ratingsMark](): true {
    return true;
  }

  private constructor(entries: Entries, users: NameIndex, items: NameIndex, source: string, columns?: RatingColumns) {
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

  /** Ratings from three lists: users, items and values. @throws DataError; OptionError */
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
      throw new OptionError("fromTriples", `source is ${told(source)}, but must be a text`, "OPTION_TYPE");
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
        `there are ${count} users, ${items.length} items${values ? ` and ${values.length} values` : ""}, but must be as many of each`,
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

  /** From columns of a table, by name; without `value`, each row is an event that counts 1. */
  static fromTable(table: Table, options: { user: string; item: string; value?: string; duplicates?: Duplicates }): Ratings {
    checkKeys("fromTable", options, ["user", "item", "value", "duplicates"]);
    checkRaw(table);
    const { user, item, value, duplicates } = options;
    const values = value === undefined ? undefined : requireColumn(table, value, "value column");
    if (values?.kind === "category")
      throw new DataError(
        table.source,
        `column "${value}" holds texts, but values must be numbers; leave value out where rows are events`,
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

  /** Pointers for kernels; whoever uses them keeps this object reachable. */
  get layout(): RatingsLayout {
    if (this.#allocation) return this.#layout;
    throw new ErgodicError(this.source, "the ratings were used after dispose()", "DATASET_DISPOSED");
  }

  /** Whether memory has been given back. */
  get disposed(): boolean {
    return this.#allocation === null;
  }

  /** Copies: the ratings of user or item `index`. `others`: numbers of items or users, ascending. */
  of(side: "user" | "item", index: number): { others: Uint32Array; values: Float64Array } {
    const names = side === "user" ? this.users : this.items;
    if (!(Number.isInteger(index) && index >= 0 && index < names.size))
      throw new OptionError("of", `${side} ${index} was asked for, but there are 0 to ${names.size - 1}`, "OPTION_RANGE");
    const at = side === "user" ? this.layout.byUser : this.layout.byItem;
    const memory = engineMemory();
    const [from, to] = memory.u32(at.start + 4 * index, 2);
    return {
      others: memory.u32(at.index + 4 * from, to - from).slice(),
      values: memory.f64(at.values + 8 * from, to - from).slice(),
    };
  }

  /** As plain data, for a thread with a memory of its own. */
  portable(): PortableRatings {
    const { source, columns } = this;
    return { entries: this.triples(), users: this.users.names, items: this.items.names, source, columns };
  }

  /** The same ratings, numbered as they were. */
  static fromPortable({ entries, users, items, source, columns }: PortableRatings): Ratings {
    return new Ratings(entries, new NameIndex(users), new NameIndex(items), source, columns);
  }

  /** Copies: every entry, by user, then by item. */
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

  /** Random parts of `share` and 1 − share of the ratings; both keep all users and items. */
  split(share: number, options: { seed: number }): { train: Ratings; test: Ratings } {
    checkKeys("split", options, ["seed"]);
    const { train, test } = splitRows(this.count, share, options.seed);
    return { train: this.select(train), test: this.select(test) };
  }

  /** A copy of the entries with the given numbers, ascending, among all users and items. */
  select(entries: ArrayLike<number>): Ratings {
    const chosen = Uint32Array.from(entries);
    if (chosen.length === 0) throw new OptionError("select", "no entry is given, but at least 1 is needed", "OPTION_RANGE");
    for (let k = 0; k < chosen.length; k++) {
      if (entries[k] === chosen[k] && chosen[k] < this.count && (k === 0 || chosen[k] > chosen[k - 1])) continue;
      throw new OptionError(
        "select",
        `entry ${entries[k]} stands at ${k}, but entries are integers from 0 to ${this.count - 1}, ascending`,
        "OPTION_RANGE",
      );
    }
    const { users, items, values } = this.triples();
    const part = { users: pick(users, chosen), items: pick(items, chosen), values: pickValues(values, chosen) };
    return new Ratings(part, this.users, this.items, this.source, this.columns);
  }

  /** Gives memory back; the ratings cannot be used afterwards. */
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

/** Numbers of entries by their codes below `size`; entries of one code stay in `order` (default: as they come). */
function sortedBy(codes: Uint32Array, order: Uint32Array | undefined, size: number): Uint32Array {
  const next = startsOf(codes, size);
  const sorted = new Uint32Array(codes.length);
  for (let k = 0; k < codes.length; k++) {
    const e = order ? order[k] : k;
    sorted[next[codes[e]]++] = e;
  }
  return sorted;
}

/** How many codes are below 0, 1, … size. */
function startsOf(codes: Uint32Array, size: number): Uint32Array {
  const start = new Uint32Array(size + 1);
  for (const code of codes) start[code + 1]++;
  for (let k = 0; k < size; k++) start[k + 1] += start[k];
  return start;
}

/** One entry a pair. Sorted entries of a pair are neighbours, in the order given. */
function merge(entries: Entries, duplicates: Duplicates, pair: (e: number) => string, source: string): Entries {
  const { users, items, values } = entries;
  let count = 0;
  for (let e = 0; e < values.length; e++) {
    const again = count > 0 && users[count - 1] === users[e] && items[count - 1] === items[e];
    if (again && duplicates === "refuse")
      throw new DataError(
        source,
        `the pair of user ${pair(e)} comes twice; take duplicates: "sum" for counts, or "last" for the latest opinion`,
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
