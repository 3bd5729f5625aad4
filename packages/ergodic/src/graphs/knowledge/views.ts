import { type Cell, checkDistinct, type FactColumn, type Facts } from "./facts.ts";
import { Ints } from "./ints.ts";
import { HashIndex } from "./tuples.ts";

/** Dictionary of the values in all relations. Each distinct value has one code, which all columns share. */
export class Dictionary {
  readonly values: Cell[] = [];
  readonly #numbers = new Map<Cell, number>();

  /** Returns the code of a value, or −1 if it does not occur. */
  find(value: Cell): number {
    return this.#numbers.get(value) ?? -1;
  }

  code(value: Cell): number {
    let code = this.#numbers.get(value);
    if (code === undefined) {
      checkDistinct("all tables together", this.values.length);
      code = this.values.push(value) - 1;
      this.#numbers.set(value, code);
    }
    return code;
  }
}

/** A column encoded with the dictionary's codes. */
class ColumnView {
  readonly codes = new Ints();
  readonly #column: FactColumn;
  readonly #shared = new Ints();

  constructor(column: FactColumn) {
    this.#column = column;
  }

  update(dictionary: Dictionary, rowCount: number): void {
    const { levels, codes } = this.#column;
    for (let k = this.#shared.length; k < levels.length; k++) this.#shared.push(dictionary.code(levels[k]));
    const shared = this.#shared.data;
    for (let row = this.codes.length; row < rowCount; row++) {
      const code = codes.data[row];
      this.codes.push(code < 0 ? -1 : shared[code]);
    }
  }
}

/** Facts in the form used by joins: columns with shared codes, and indexes by sets of columns. */
export class FactsView {
  readonly facts: Facts;
  /** Number of rows already in the graph. */
  grounded = 0;
  /** Number of rows at the last `update` call. */
  rowCount = 0;
  /** For unknowns, the graph variable of each row. */
  readonly variables = new Ints();
  readonly #columns: readonly ColumnView[];
  readonly #indexes = new Map<string, HashIndex>();

  constructor(facts: Facts) {
    this.facts = facts;
    this.#columns = facts.columns.map((column) => new ColumnView(column));
  }

  /** Reads the rows added since the last call. */
  update(dictionary: Dictionary): void {
    if (this.rowCount === this.facts.rowCount) return;
    this.rowCount = this.facts.rowCount;
    this.#indexes.clear();
    for (const column of this.#columns) column.update(dictionary, this.rowCount);
  }

  codes(column: number): Int32Array {
    return this.#columns[column].codes.data;
  }

  gaps(column: number): boolean {
    return this.facts.columns[column].gaps;
  }

  index(columns: readonly number[]): HashIndex {
    const key = columns.join(" ");
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = new HashIndex(
        columns.map((column) => this.codes(column)),
        this.rowCount,
      );
      this.#indexes.set(key, index);
    }
    return index;
  }

  /** Estimates how many rows have given values in these columns. */
  matches(columns: readonly number[]): number {
    let distinct = 1;
    for (const column of columns) distinct *= Math.max(1, this.facts.columns[column].levels.length);
    return this.rowCount / Math.min(distinct, Math.max(1, this.rowCount));
  }
}
