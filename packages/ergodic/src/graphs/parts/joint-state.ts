import type { LogTables } from "./log-tables.ts";

/**
 * A joint state of all variables of a part. The current entry of each table is tracked. The cost of evaluating a
 * variable's states is therefore the number of states times the number of tables.
 */
export class JointState {
  readonly states: Int32Array;
  /** Buffer for the result of `worths`: a number per state of one variable. */
  readonly weights: Float64Array;
  readonly cardinalities: readonly number[];
  private readonly lists: ReturnType<typeof listsOf>;
  private readonly values: Float64Array;
  /** Start of each table's values. */
  private readonly begins: Int32Array;
  /** Start of each variable's entries (`first`) in the lists `tables` and `strides`. */
  private readonly first: Int32Array;
  private readonly tables: Int32Array;
  private readonly strides: Int32Array;
  /** Index of each table's current entry among all values. */
  private readonly places: Int32Array;

  /** `like`: the tables, or another state with which to share lists. */
  constructor(like: LogTables | JointState, states: ArrayLike<number> = new Int32Array(like.cardinalities.length)) {
    this.cardinalities = like.cardinalities;
    this.states = Int32Array.from(states);
    this.lists = like instanceof JointState ? like.lists : listsOf(like);
    this.values = this.lists.values;
    this.begins = this.lists.begins;
    this.first = this.lists.first;
    this.tables = this.lists.tables;
    this.strides = this.lists.strides;
    this.weights = new Float64Array(this.cardinalities.reduce((most, count) => Math.max(most, count), 1));
    this.places = this.begins.slice();
    this.set(this.states);
  }

  set(states: ArrayLike<number>): void {
    this.states.set(states);
    this.places.set(this.begins);
    for (let variable = 0; variable < this.states.length; variable++) this.shift(variable, this.states[variable]);
  }

  /** ln of the tables' product. */
  get value(): number {
    let sum = 0;
    for (let table = 0; table < this.places.length; table++) sum += this.values[this.places[table]];
    return sum;
  }

  /**
   * For each state of `variable`, computes the sum of ln of the variable's tables. All other variables keep their
   * states.
   */
  worths(variable: number, into: Float64Array): void {
    const { first, tables, strides, places, values } = this;
    const state = this.states[variable];
    const count = this.cardinalities[variable];
    for (let s = 0; s < count; s++) into[s] = 0;
    for (let e = first[variable]; e < first[variable + 1]; e++) {
      const stride = strides[e];
      let at = places[tables[e]] - state * stride;
      for (let s = 0; s < count; s++, at += stride) into[s] += values[at];
    }
  }

  move(variable: number, state: number): void {
    this.shift(variable, state - this.states[variable]);
    this.states[variable] = state;
  }

  private shift(variable: number, by: number): void {
    for (let e = this.first[variable]; e < this.first[variable + 1]; e++) this.places[this.tables[e]] += by * this.strides[e];
  }
}

function listsOf({ values, first: begins, touching }: LogTables) {
  const first = new Int32Array(touching.length + 1);
  for (const [variable, of] of touching.entries()) first[variable + 1] = first[variable] + of.length;
  const tables = new Int32Array(first[touching.length]);
  const strides = new Int32Array(tables.length);
  let e = 0;
  for (const of of touching)
    for (const { table, stride } of of) {
      tables[e] = table;
      strides[e++] = stride;
    }
  return { values, begins, first, tables, strides };
}
