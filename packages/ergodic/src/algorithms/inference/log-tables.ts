import { log } from "../../base/log.ts";
import type { Component } from "./reduction.ts";

/** ln φ by the states of the scope, the last variable fastest; −∞ where φ is 0. */
export interface LogTable {
  readonly scope: readonly number[];
  /** By variable of the scope, its number of states. */
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** What knows a variable: the table's number, the variable's place in its scope, and the distance between entries of neighbouring states. */
export interface Touching {
  readonly table: number;
  readonly axis: number;
  readonly stride: number;
}

/** The tables of a connected part as logarithms, and by variable which of them know it. */
export class LogTables {
  readonly cardinalities: readonly number[];
  readonly tables: readonly LogTable[];
  /** Of all tables, one after another; and by table where its own begin. */
  readonly values: Float64Array;
  readonly first: Int32Array;
  readonly touching: readonly (readonly Touching[])[];
  /** Whether any entry is −∞. */
  readonly zeros: boolean;

  constructor({ cardinalities, tables }: Pick<Component, "cardinalities" | "tables">) {
    this.cardinalities = cardinalities;
    this.values = new Float64Array(tables.reduce((sum, { values }) => sum + values.length, 0));
    this.first = new Int32Array(tables.length);
    let end = 0;
    this.tables = tables.map(({ scope, shape, values, logs, scale }, table) => {
      this.first[table] = end;
      const own = this.values.subarray(end, (end += values.length));
      for (let i = 0; i < own.length; i++) own[i] = (logs ? values[i] : log(values[i])) + scale;
      return { scope, shape, values: own };
    });
    this.zeros = this.values.includes(-Infinity);
    const touching: Touching[][] = cardinalities.map(() => []);
    this.tables.forEach(({ scope, shape }, table) => {
      let stride = 1;
      for (let axis = scope.length - 1; axis >= 0; stride *= shape[axis--]) touching[scope[axis]].push({ table, axis, stride });
    });
    this.touching = touching;
  }

  /** ln of the number of joint states. */
  get logStates(): number {
    return this.cardinalities.reduce((sum, count) => sum + log(count), 0);
  }
}
