import type { TableFactor } from "../../engine/contract/index.ts";
import { CapabilityError, DataError } from "../../engine/errors/errors.ts";
import { checkRoom, MOST_OBJECTS } from "../../engine/memory/room.ts";
import { exp } from "../../engine/numbers/exp.ts";

/** Largest |ln φ| at which a table stores φ itself. Products of a few such values are within the range of float64. */
const MOST_PLAIN = 300;

/** Tables of a graph under construction, with the auxiliary variables that keep them small. */
export class TableList {
  readonly factors: TableFactor[] = [];
  /** For each auxiliary variable, its number of states and the factor to which it belongs. */
  readonly auxiliaries: { readonly count: number; readonly factor: number }[] = [];
  private readonly cardinality: (variable: number) => number;
  private readonly variableCount: number;

  /** `variableCount` and `cardinality` describe the graph's own variables. */
  constructor(variableCount: number, cardinality: (variable: number) => number) {
    this.variableCount = variableCount;
    this.cardinality = cardinality;
  }

  count(variable: number): number {
    return variable < this.variableCount ? this.cardinality(variable) : this.auxiliaries[variable - this.variableCount].count;
  }

  auxiliary(count: number, factor: number): number {
    return this.variableCount + this.auxiliaries.push({ count, factor }) - 1;
  }

  /** Returns the number of entries of a table over these variables. */
  size(scope: ArrayLike<number>): number {
    let size = 1;
    for (let k = 0; k < scope.length; k++) size *= this.count(scope[k]);
    return size;
  }

  /**
   * Returns a table of `value` over all states of the scope. The last variable varies fastest. The `states` array is
   * reused between calls.
   */
  fill(scope: ArrayLike<number>, value: (states: Int32Array) => number): Float64Array {
    const size = this.size(scope);
    checkRoom(
      "factor graph",
      `a table of ${size} entries`,
      8 * size,
      MOST_OBJECTS,
      "split the factor, or give its variables fewer states",
    );
    const values = new Float64Array(size);
    const states = new Int32Array(scope.length);
    for (let i = 0; i < values.length; i++) {
      values[i] = value(states);
      for (let k = scope.length - 1; k >= 0 && ++states[k] === this.count(scope[k]); k--) states[k] = 0;
    }
    return values;
  }

  add(scope: ArrayLike<number>, values: Float64Array): void {
    this.factors.push({ scope: Array.from(scope), values });
  }

  /**
   * Adds a table of logarithms. The table is stored as plain values unless the exponentials of the logarithms are too
   * large or too small.
   *
   * @throws DataError if a sum of potentials is not finite
   */
  addLogs(scope: ArrayLike<number>, logs: Float64Array): void {
    if (!logs.every((value) => value < Infinity))
      throw new DataError(
        "factor graph",
        "the sum of the potentials of a variable overflows; make weights smaller",
        "GRAPH_OVERFLOW",
      );
    const plain = logs.every((value) => Math.abs(value) <= MOST_PLAIN || value === -Infinity);
    if (plain) this.add(scope, logs.map(exp));
    else this.factors.push({ scope: Array.from(scope), values: logs, logs: true });
  }
}

/** @throws CapabilityError because a factor needs more table entries than allowed */
export function refuseWide(factor: number, kind: string, arity: number, entries: number, most: number): never {
  throw new CapabilityError(
    "factor graph",
    `factor ${factor} (${kind} of ${arity} variables) needs tables of ${entries.toLocaleString("en")} entries, but at most ${most.toLocaleString("en")} are allowed; split it into smaller ones, or sample`,
    "GRAPH_WIDE",
  );
}
