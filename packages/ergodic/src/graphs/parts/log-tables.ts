import { log } from "../../engine/numbers/log.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";
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

/** What a logarithm takes, in numbers that are gone through. */
const LOGARITHM = 8;

/** What they are made of. */
type LoggedPart = Pick<Component, "cardinalities" | "tables">;
type Filled = Pick<LogTables, "tables" | "values" | "first" | "touching">;

const known = new WeakMap<LoggedPart, LogTables>();

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

  private constructor(cardinalities: readonly number[], filled: Filled) {
    this.cardinalities = cardinalities;
    this.tables = filled.tables;
    this.values = filled.values;
    this.first = filled.first;
    this.touching = filled.touching;
    this.zeros = this.values.includes(-Infinity);
  }

  /** Of this part: made once, and shared by all who ask. It yields every few milliseconds. */
  static *making(part: LoggedPart): Generator<void, LogTables> {
    const before = known.get(part);
    if (before) return before;
    const made = new LogTables(part.cardinalities, yield* fill(part));
    known.set(part, made);
    return made;
  }

  /** The same, at once. */
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
