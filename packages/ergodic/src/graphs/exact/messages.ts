import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { logSumExp } from "../../engine/numbers/log-sum-exp.ts";
import { MOST_RANGE } from "../parts/factor-table.ts";
import type { LogTables } from "../parts/log-tables.ts";
import { Contraction } from "./contraction.ts";

/** Messages along one edge, stored as logarithms with a maximum of 0. */
interface Edge {
  readonly table: number;
  readonly axis: number;
  /** Message from the table to the variable. */
  readonly toVariable: Float64Array;
  /** Message from the variable to the table, which is the sum of the messages from the variable's other tables. */
  readonly toTable: Float64Array;
}

/** A table as plain numbers. The entries of the table are e^scale · values. Null if its range is too wide. */
interface Plain {
  readonly values: Float64Array;
  readonly scale: number;
  readonly range: number;
}

/**
 * Sum-product messages between the tables and the variables of a part, stored as logarithms. Sums use plain numbers if
 * no product can underflow, and logarithms otherwise.
 */
export class Messages {
  /** Whether the messages prove that no state is possible, because of contradicting zeros. */
  impossible = false;
  private readonly tables: LogTables;
  /** Each table as plain numbers, computed when the table is first summed. */
  private readonly plain: (Plain | null | undefined)[];
  /** Edges by variable (`ofVariable`), and by table and axis (`ofTable`). */
  private readonly ofVariable: readonly (readonly Edge[])[];
  private readonly ofTable: readonly (readonly Edge[])[];
  private readonly contraction = new Contraction();

  constructor(tables: LogTables) {
    this.tables = tables;
    this.plain = new Array(tables.tables.length);
    this.ofVariable = tables.touching.map((of, variable) =>
      of.map(({ table, axis }) => ({
        table,
        axis,
        toVariable: new Float64Array(tables.cardinalities[variable]),
        toTable: new Float64Array(tables.cardinalities[variable]),
      })),
    );
    const ofTable: Edge[][] = tables.tables.map(() => []);
    for (const edge of this.ofVariable.flat()) ofTable[edge.table][edge.axis] = edge;
    this.ofTable = ofTable;
  }

  /** Whether the graph of variables and tables is a tree. The graph is connected. */
  get tree(): boolean {
    const edges = this.ofTable.reduce((sum, { length }) => sum + length, 0);
    return edges === this.ofVariable.length + this.ofTable.length - 1;
  }

  /** Variables in breadth-first order from the first one. On a tree, one pass in each direction suffices. */
  get order(): number[] {
    const order = [0];
    const seen = new Uint8Array(this.ofVariable.length);
    seen[0] = 1;
    const seenTables = new Uint8Array(this.ofTable.length);
    for (const variable of order)
      for (const { table } of this.ofVariable[variable]) {
        if (seenTables[table]) continue;
        seenTables[table] = 1;
        for (const other of this.tables.tables[table].scope) {
          if (seen[other]) continue;
          seen[other] = 1;
          order.push(other);
        }
      }
    return order;
  }

  /**
   * Returns the cost of `update`, in entries. Each table counts twice, and the overhead of the calls is also counted.
   */
  work(variable: number): number {
    return this.ofVariable[variable].reduce((sum, { table }) => sum + 2 * this.tables.tables[table].values.length + 100, 0);
  }

  /**
   * Updates the messages from all tables of a variable, and then the messages from the variable. `damping` is the share
   * of the old logarithm that a new message keeps. Returns the largest change of a message, with messages scaled to a
   * maximum of 1.
   */
  update(variable: number, damping: number): number {
    let change = 0;
    for (const { table, axis, toVariable } of this.ofVariable[variable]) {
      const message = this.sums(table, axis);
      scaleLogs(message);
      for (let s = 0; s < message.length; s++)
        if (damping > 0 && message[s] > -Infinity) message[s] = (1 - damping) * message[s] + damping * toVariable[s];
      scaleLogs(message);
      for (let s = 0; s < message.length; s++) {
        if (message[s] !== toVariable[s]) change = Math.max(change, Math.abs(exp(message[s]) - exp(toVariable[s])));
        toVariable[s] = message[s];
      }
    }
    this.send(variable);
    return change;
  }

  /** Returns the probabilities of a variable's states. */
  marginal(variable: number): Float64Array {
    const belief = this.belief(variable);
    const total = logSumExp(belief);
    return belief.map((value) => exp(value - total));
  }

  /**
   * −(Bethe free energy), which is ln Z on a tree: Σ_f ln Σ φ_f Π μ_{j→f} + Σ_i ln Σ Π μ_{f→i} − Σ_{fi} ln Σ μ_{i→f}
   * μ_{f→i}.
   */
  get logPartition(): number {
    let sum = 0;
    for (let table = 0; table < this.ofTable.length; table++) sum += this.sums(table, -1)[0];
    for (let variable = 0; variable < this.ofVariable.length; variable++) {
      sum += logSumExp(this.belief(variable));
      for (const { toVariable, toTable } of this.ofVariable[variable])
        sum -= logSumExp(toVariable.map((value, s) => value + toTable[s]));
    }
    return sum;
  }

  /** Messages to variables, as accepted by `load`. Messages to tables follow from these messages. */
  get values(): Float64Array {
    return Float64Array.from(this.ofVariable.flatMap((edges) => edges.flatMap(({ toVariable }) => Array.from(toVariable))));
  }

  load(values: Float64Array): void {
    let at = 0;
    for (const edges of this.ofVariable)
      for (const { toVariable } of edges) {
        toVariable.set(values.subarray(at, at + toVariable.length));
        at += toVariable.length;
      }
    for (let variable = 0; variable < this.ofVariable.length; variable++) this.send(variable);
  }

  /**
   * Multiplies the table by the messages to the table. Sums the product over all variables, except the variable on
   * `axis` if `axis` is not −1. Returns ln of the sums.
   */
  private sums(table: number, axis: number): Float64Array {
    const { values, shape } = this.tables.tables[table];
    if (this.plain[table] === undefined) this.plain[table] = plainOf(values);
    const plain = this.plain[table];
    const weights = this.ofTable[table].map(({ toTable }) => toTable);
    if (plain && weights.reduce((sum, logs, k) => sum + (k === axis ? 0 : rangeOf(logs)), plain.range) <= MOST_RANGE) {
      const shares = weights.map((logs) => logs.map(exp));
      return this.contraction.sum(plain.values, shape, shares, axis).map((value) => log(value) + plain.scale);
    }
    return this.contraction.logSum(values, shape, weights, axis);
  }

  private belief(variable: number): Float64Array {
    const sum = new Float64Array(this.tables.cardinalities[variable]);
    for (const { toVariable } of this.ofVariable[variable]) for (let s = 0; s < sum.length; s++) sum[s] += toVariable[s];
    return sum;
  }

  /**
   * Sends each table the sum of the messages from the variable's other tables. These sums are computed from prefix and
   * suffix sums, which avoids subtraction.
   */
  private send(variable: number): void {
    const edges = this.ofVariable[variable];
    const sum = new Float64Array(this.tables.cardinalities[variable]);
    for (const { toVariable, toTable } of edges) {
      toTable.set(sum);
      for (let s = 0; s < sum.length; s++) sum[s] += toVariable[s];
    }
    if (edges.length > 0 && sum.every((value) => value === -Infinity)) this.impossible = true;
    sum.fill(0);
    for (let e = edges.length - 1; e >= 0; e--) {
      const { toVariable, toTable } = edges[e];
      for (let s = 0; s < sum.length; s++) {
        toTable[s] += sum[s];
        sum[s] += toVariable[s];
      }
      scaleLogs(toTable);
    }
  }
}

function plainOf(values: Float64Array): Plain | null {
  const scale = values.reduce((high, value) => Math.max(high, value), -Infinity);
  const range = scale - values.reduce((low, value) => (value > -Infinity ? Math.min(low, value) : low), scale);
  return range > MOST_RANGE ? null : { values: values.map((value) => exp(value - scale)), scale, range };
}

/** Returns the difference between the largest logarithm, 0, and the smallest one above −∞. */
function rangeOf(logs: Float64Array): number {
  let low = 0;
  for (const value of logs) if (value < low && value > -Infinity) low = value;
  return -low;
}

/** Shifts logarithms so that the largest is 0. */
function scaleLogs(logs: Float64Array): void {
  let high = -Infinity;
  for (const value of logs) high = Math.max(high, value);
  if (high === -Infinity) return;
  for (let s = 0; s < logs.length; s++) logs[s] -= high;
}
