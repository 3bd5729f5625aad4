import type { FactorTables } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { checkRoom, MOST_OBJECTS } from "../../engine/memory/room.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";
import { absorb, restrict, sizeOf, type Table, tableOf } from "./factor-table.ts";

/** Bytes per state of a variable, in lists and in the answer. */
const STATE_BYTES = 32;

/** A connected part of a graph, with variables numbered from 0. */
export interface Component {
  /** Graph variable of each local variable. */
  readonly variables: readonly number[];
  /** Remaining states of each local variable, as numbered in the graph; at least two. */
  readonly states: readonly (readonly number[])[];
  /** Number of remaining states of each local variable. */
  readonly cardinalities: readonly number[];
  /** Factors on local variables. No scope is contained in another. */
  readonly tables: readonly Table[];
}

/** A graph without the variables and states that could be determined in advance. */
export interface Reduction {
  /** ln of the factors that have no variables left; −∞ if the evidence has probability 0. */
  readonly scale: number;
  /** Possible states of each variable, according to each factor separately. */
  readonly states: readonly (readonly number[])[];
  /** Connected parts of the variables with more than one state. */
  readonly components: readonly Component[];
}

/**
 * Reduces a graph. Absorbs evidence and propagates zeros until every remaining state has a positive entry in each
 * factor (generalised arc consistency). Removes impossible states and determined variables. If a factor contains all
 * variables of another factor, the two are multiplied. The rest is split into connected components. The distribution
 * over the remaining states is unchanged.
 *
 * @throws DataError [GRAPH_TABLE] if a table does not fit its scope, or has negative or non-finite entries
 */
export const reduce = (graph: FactorTables): Reduction => atOnce(reducing(graph));

/** Same as `reduce`, but yields every few milliseconds. */
export function* reducing(graph: FactorTables): Generator<void, Reduction> {
  const { cardinalities, factors } = graph;
  const stateCount = cardinalities.reduce((sum, count) => sum + count, 0);
  checkRoom(
    "infer",
    `${stateCount} states of all variables`,
    STATE_BYTES * stateCount,
    MOST_OBJECTS,
    "give variables fewer states",
  );
  const pauses = new Pauses();
  const given: Table[] = [];
  for (const [f, { scope, values, logs }] of factors.entries()) {
    if (pauses.due(values.length)) yield;
    const variables = Array.from(scope);
    const shape = variables.map((variable) => cardinalities[variable]);
    if (values.length !== sizeOf(shape) || new Set(variables).size !== variables.length) refuseScope(graph, f);
    const wrong = values.findIndex((value) => !(logs ? value < Infinity : value >= 0 && value < Infinity));
    if (wrong >= 0) refuseEntry(graph, f, wrong);
    given.push(tableOf(variables, shape, values, logs));
  }
  const states = yield* propagate(graph, given, pauses);
  if (!states) return { scale: -Infinity, states: [], components: [] };
  let scale = 0;
  const left: Table[] = [];
  for (const table of given) {
    if (pauses.due(table.values.length)) yield;
    const rest = restrict(table, (variable) => states[variable]);
    scale += rest.scale;
    if (rest.range !== 0 || rest.values.some((value) => value === 0)) left.push({ ...rest, scale: 0 });
  }
  const merged = yield* absorbSubsets(yield* joinEqual(left, pauses), pauses);
  for (const table of merged) scale += table.scale;
  const tables = merged.map((table) => ({ ...table, scale: 0 }));
  return { scale, states, components: yield* split(states, tables, pauses) };
}

const factorName = ({ factors, name }: FactorTables, f: number): string =>
  `factor ${f} on (${Array.from(factors[f].scope).slice(0, 8).map(name).join(", ")})`;

function refuseScope(graph: FactorTables, f: number): never {
  const { scope, values } = graph.factors[f];
  const states = Array.from(scope).map((variable) => graph.cardinalities[variable] ?? "no");
  throw new DataError(
    "infer",
    `${factorName(graph, f)} has ${values.length} values, but its variables have ${states.join(" × ")} states; list different variables of the graph, and one value for each of their joint states, the last variable fastest`,
    "GRAPH_TABLE",
  );
}

function refuseEntry(graph: FactorTables, f: number, at: number): never {
  const { values, logs } = graph.factors[f];
  throw new DataError(
    "infer",
    `value ${at} of ${factorName(graph, f)} is ${values[at]}, but must be ${logs ? "a number or -Infinity, as it is a logarithm" : "finite and >= 0"}; correct the table`,
    "GRAPH_TABLE",
  );
}

/** Returns the remaining states of each variable, or undefined if a variable has none. */
function* propagate(graph: FactorTables, tables: readonly Table[], pauses: Pauses): Generator<void, number[][] | undefined> {
  const alive = Array.from(graph.cardinalities, (count, variable) => {
    const state = graph.observed[variable];
    return state < 0 ? new Uint8Array(count).fill(1) : new Uint8Array(count).fill(1, state, state + 1);
  });
  const factorsOf: number[][] = alive.map(() => []);
  tables.forEach(({ scope }, f) => {
    for (const variable of scope) factorsOf[variable].push(f);
  });
  const waiting = new Set(tables.keys());
  for (const f of waiting) {
    waiting.delete(f);
    const { scope, shape, values, logs } = tables[f];
    if (pauses.due(values.length)) yield;
    const supported = shape.map((count) => new Uint8Array(count));
    const digits = new Int32Array(shape.length);
    const zero = logs ? -Infinity : 0;
    for (let index = 0; index < values.length; index++) {
      if (values[index] > zero) {
        let k = 0;
        while (k < scope.length && alive[scope[k]][digits[k]]) k++;
        if (k === scope.length) for (k = 0; k < scope.length; k++) supported[k][digits[k]] = 1;
      }
      for (let k = shape.length - 1; k >= 0; k--) {
        if (++digits[k] < shape[k]) break;
        digits[k] = 0;
      }
    }
    if (shape.length === 0 && values[0] === 0) return undefined;
    for (let k = 0; k < scope.length; k++) {
      const live = alive[scope[k]];
      let lost = false;
      for (let state = 0; state < live.length; state++) {
        if (!live[state] || supported[k][state]) continue;
        live[state] = 0;
        lost = true;
      }
      if (!lost) continue;
      if (!live.includes(1)) return undefined;
      for (const other of factorsOf[scope[k]]) if (other !== f) waiting.add(other);
    }
  }
  return alive.map((live) => [...live.keys()].filter((state) => live[state]));
}

/** Multiplies tables on the same variables, regardless of the order of their scopes. */
function* joinEqual(tables: readonly Table[], pauses: Pauses): Generator<void, Table[]> {
  const joined = new Map<string, Table>();
  for (const table of tables) {
    if (pauses.due(table.values.length)) yield;
    const key = [...table.scope].sort((a, b) => a - b).join();
    const before = joined.get(key);
    joined.set(key, before ? absorb(before, table) : table);
  }
  return [...joined.values()];
}

/**
 * If the scope of a table is contained in another scope, merges the table into the smallest table that has all its
 * variables.
 */
function* absorbSubsets(tables: readonly Table[], pauses: Pauses): Generator<void, Table[]> {
  const order = [...tables.keys()].sort((a, b) => tables[a].scope.length - tables[b].scope.length || a - b);
  const made: (Table | undefined)[] = [...tables];
  const holders = new Map<number, Set<number>>();
  for (const [f, { scope }] of tables.entries())
    for (const variable of scope) holders.set(variable, (holders.get(variable) ?? new Set()).add(f));
  for (const f of order) {
    const table = made[f]!;
    if (pauses.due(table.values.length)) yield;
    const candidates = table.scope.map((variable) => holders.get(variable)!).sort((a, b) => a.size - b.size);
    let target = -1;
    for (const g of candidates[0] ?? []) {
      if (g === f || !candidates.every((of) => of.has(g))) continue;
      if (target < 0 || made[g]!.values.length < made[target]!.values.length) target = g;
    }
    if (target < 0) continue;
    made[target] = absorb(made[target]!, table);
    made[f] = undefined;
    for (const variable of table.scope) holders.get(variable)!.delete(f);
  }
  return made.filter((table) => table !== undefined);
}

/** Returns the connected components, ordered by their first variables. */
function* split(states: readonly (readonly number[])[], tables: readonly Table[], pauses: Pauses): Generator<void, Component[]> {
  const root = Int32Array.from(states.keys());
  const find = (variable: number): number => {
    while (root[variable] !== variable) variable = root[variable] = root[root[variable]];
    return variable;
  };
  for (const { scope } of tables) {
    if (pauses.due()) yield;
    for (const variable of scope) {
      const [a, b] = [find(scope[0]), find(variable)];
      root[Math.max(a, b)] = Math.min(a, b);
    }
  }
  const members = new Map<number, { variables: number[]; tables: Table[] }>();
  const local = new Int32Array(states.length);
  for (const [variable, left] of states.entries()) {
    if (pauses.due()) yield;
    if (left.length < 2) continue;
    const part = members.get(find(variable)) ?? { variables: [], tables: [] };
    members.set(find(variable), part);
    local[variable] = part.variables.push(variable) - 1;
  }
  for (const table of tables) {
    if (pauses.due()) yield;
    members.get(find(table.scope[0]))!.tables.push({ ...table, scope: table.scope.map((variable) => local[variable]) });
  }
  return [...members.values()].map(({ variables, tables }) => ({
    variables,
    states: variables.map((variable) => states[variable]),
    cardinalities: variables.map((variable) => states[variable].length),
    tables,
  }));
}
