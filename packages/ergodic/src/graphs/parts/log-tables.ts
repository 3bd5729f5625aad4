import { log } from "../../engine/numbers/log.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";
import type { Component } from "./reduction.ts";

/** ln φ, indexed by the states of the scope; −∞ if φ is 0. The last variable varies fastest. */
export interface LogTable {
  readonly scope: readonly number[];
  /** Number of states of each variable of the scope. */
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/**
 * A table that contains a variable: the table's index, the variable's axis in its scope, and the distance between
 * entries of neighbouring states.
 */
export interface Touching {
  readonly table: number;
  readonly axis: number;
  readonly stride: number;
}

/** Cost of a logarithm, relative to the cost of visiting a number. */
const LOGARITHM = 8;

/** Input from which the tables are made. */
type LoggedPart = Pick<Component, "cardinalities" | "tables">;
type Filled = Pick<LogTables, "tables" | "values" | "first" | "touching">;

const known = new WeakMap<LoggedPart, LogTables>();

/** Tables of a connected part as logarithms, with the tables that contain each variable. */
export class LogTables {
  readonly cardinalities: readonly number[];
  readonly tables: readonly LogTable[];
  /** Values of all tables in sequence (`values`), and start of each table's values (`first`). */
  readonly values: Float64Array;
  readonly first: Int32Array;
  readonly touching: readonly (readonly Touching[])[];
  /** Whether any entry is −∞. */
  readonly zeros: boolean;

  private constructor(cardinalities: readonly number[], filled: Filled) {
    this.cardinalities = cardinalities;
    this.tables = filled.tables;
    this.values = filled.values;
    this.first = filled.first;
    this.touching = filled.touching;
    this.zeros = this.values.includes(-Infinity);
  }

  /** Returns the tables of this part, which are computed once and shared. Yields every few milliseconds. */
  static *making(part: LoggedPart): Generator<void, LogTables> {
    const before = known.get(part);
    if (before) return before;
    const made = new LogTables(part.cardinalities, yield* fill(part));
    known.set(part, made);
    return made;
  }

  /** Same as `making`, but synchronous. */
  static of(part: LoggedPart): LogTables {
    return atOnce(LogTables.making(part));
  }

  /** ln of the number of joint states. */
  get logStates(): number {
    return this.cardinalities.reduce((sum, count) => sum + log(count), 0);
  }
}

function* fill({ cardinalities, tables }: LoggedPart): Generator<void, Filled> {
  const pauses = new Pauses();
  const all = new Float64Array(tables.reduce((sum, { values }) => sum + values.length, 0));
  const first = new Int32Array(tables.length);
  const touching: Touching[][] = cardinalities.map(() => []);
  const logged: LogTable[] = [];
  let end = 0;
  for (const [table, { scope, shape, values, logs, scale }] of tables.entries()) {
    if (pauses.due(LOGARITHM * values.length)) yield;
    first[table] = end;
    const own = all.subarray(end, (end += values.length));
    for (let i = 0; i < own.length; i++) own[i] = (logs ? values[i] : log(values[i])) + scale;
    logged.push({ scope, shape, values: own });
    let stride = 1;
    for (let axis = scope.length - 1; axis >= 0; stride *= shape[axis--]) touching[scope[axis]].push({ table, axis, stride });
  }
  return { tables: logged, values: all, first, touching };
}
