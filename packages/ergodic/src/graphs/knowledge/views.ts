import { type Cell, checkDistinct, type FactColumn, type Facts } from "./facts.ts";
import { Ints } from "./ints.ts";
import { HashIndex } from "./tuples.ts";

/** Values that occur in columns of any relation, by the one number that each has in all of them. */
export class Dictionary {
  readonly values: Cell[] = [];
  readonly #numbers = new Map<Cell, number>();

  /** −1: it occurs nowhere. */
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

/** A column in the numbers of the dictionary. */
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

/** Facts as joins go through them: shared numbers, and indexes by sets of columns. */
export class FactsView {
  readonly facts: Facts;
  /** Rows that are in the graph already. */
  grounded = 0;
  /** Rows when `update` was called last. */
  rowCount = 0;
  /** Of unknowns, by row the variable of the graph. */
  readonly variables = new Ints();
  readonly #columns: readonly ColumnView[];
  readonly #indexes = new Map<string, HashIndex>();

  constructor(facts: Facts) {
    this.facts = facts;
    this.#columns = facts.columns.map((column) => new ColumnView(column));
  }

  /** Takes in the rows that were added since. */
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

  /** About how many rows have given values in these columns. */
  matches(columns: readonly number[]): number {
    let distinct = 1;
    for (const column of columns) distinct *= Math.max(1, this.facts.columns[column].levels.length);
    return this.rowCount / Math.min(distinct, Math.max(1, this.rowCount));
  }
}
