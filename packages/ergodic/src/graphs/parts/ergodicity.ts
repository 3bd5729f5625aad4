import { stream } from "../../engine/random/stream.ts";
import { sizeOf } from "./factor-table.ts";
import { LogTables } from "./log-tables.ts";
import { positiveState } from "./positive-state.ts";
import type { Component } from "./reduction.ts";

/** Whether changes of single variables, or of blocks, lead from every state of a positive product to every other; "unknown": neither was proved. */
export interface Ergodicity {
  readonly ergodic: boolean | "unknown";
  /** Why, as part of a sentence. */
  readonly reason: string;
}

/** Options of `ergodicity`. */
interface ErgodicityOptions {
  /** Joint states that are gone through, at most. Default 2^16. */
  readonly mostStates?: number;
  /** Variables that change together: a partition. Default: each by itself. */
  readonly blocks?: readonly (readonly number[])[];
}

/** Joint states that are gone through. */
const MOST_STATES = 2 ** 16;

/**
 * Whether the chain that changes one variable at a time, or one of `blocks` of them (which partition the variables), can reach every possible state of a part.
 * Sound, but incomplete: "unknown" where no proof is found.
 *
 * It can where no factor is 0 anywhere, or only factors whose variables are of one block; where every variable of other factors has a state that is possible
 * whatever the others do, so that all states lead to one; and where that is seen by going through all joint states, if there are at most 2^16. It cannot where
 * that shows islands, or where a factor's own entries above 0 form islands, two of which have possible states of the whole part. A generator: it
 * yields every few milliseconds.
 */
export function* ergodicity(
  part: Component,
  { mostStates = MOST_STATES, blocks }: ErgodicityOptions = {},
): Generator<void, Ergodicity> {
  const tables = LogTables.of(part);
  if (!tables.zeros) return { ergodic: true, reason: "no factor is 0" };
  const sets = blocks ?? part.cardinalities.map((_, variable) => [variable]);
  const changes = blocks ? "changes of one block" : "changes of one variable";
  const blockOf = new Int32Array(part.cardinalities.length);
  sets.forEach((set, block) => {
    for (const variable of set) blockOf[variable] = block;
  });
  if (hasRefuge(tables, blockOf))
    return { ergodic: true, reason: "every variable has a state that is possible whatever the others do" };
  if (sizeOf(part.cardinalities) <= mostStates) {
    const shape = part.cardinalities;
    const count = islands(shape, yield* possible(tables), sets).count;
    return count <= 1
      ? { ergodic: true, reason: "every possible state can be reached" }
      : { ergodic: false, reason: `the possible states are ${count} islands, which ${changes} do not leave` };
  }
  for (const [number, { scope, shape, values }] of tables.tables.entries()) {
    const together = [...new Set(scope.map((variable) => blockOf[variable]))];
    const axes = together.map((block) => [...scope.keys()].filter((axis) => blockOf[scope[axis]] === block));
    const { count, island } = islands(
      shape,
      values.map((value) => (value > -Infinity ? 1 : 0)),
      axes,
    );
    if (count < 2) continue;
    let inhabited = 0;
    for (let one = 1; one <= count; one++) {
      const only = part.tables.map((table, t) => {
        if (t !== number) return table;
        return { ...table, values: table.values.map((value, i) => (island[i] === one ? value : table.logs ? -Infinity : 0)) };
      });
      const found = yield* positiveState(LogTables.of({ ...part, tables: only }), stream(0, "islands", number).at(one));
      if (found instanceof Int32Array) inhabited++;
      if (inhabited === 2)
        return { ergodic: false, reason: `a factor's zeros leave islands of states, which ${changes} do not leave` };
    }
  }
  return { ergodic: "unknown", reason: "factors have zeros, and whether every possible state can be reached is not known" };
}

/**
 * By variable a state that never turns an entry above 0 into 0, in any table of more than one block: going there one by one, all states meet. Where a table of
 * the block alone may be in the way there is none, unless nothing else has zeros for the variable; a block without such tables takes any of its states.
 */
function hasRefuge({ cardinalities, tables, touching }: LogTables, blockOf: Int32Array): boolean {
  const hard = tables.map(({ values }) => values.includes(-Infinity));
  const inner = tables.map(({ scope }) => scope.every((variable) => blockOf[variable] === blockOf[scope[0]]));
  const tied = new Set(
    tables.filter(({ scope }, t) => hard[t] && inner[t] && scope.length > 1).map(({ scope }) => blockOf[scope[0]]),
  );
  return cardinalities.every((count, variable) => {
    const crossing = touching[variable].filter(({ table }) => hard[table] && !inner[table]);
    if (crossing.length === 0) return true;
    if (tied.has(blockOf[variable])) return false;
    const own = touching[variable].filter(({ table }) => hard[table]);
    for (let refuge = 0; refuge < count; refuge++) {
      const safe = own.every(({ table, stride }) => {
        const { values } = tables[table];
        for (let i = 0; i < values.length; i++) {
          if (values[i] === -Infinity) continue;
          const state = Math.floor(i / stride) % count;
          if (values[i + (refuge - state) * stride] === -Infinity) return false;
        }
        return true;
      });
      if (safe) return true;
    }
    return false;
  });
}

/** By joint state, the last variable fastest, whether no table is 0. */
function* possible({ cardinalities, tables }: LogTables): Generator<void, Uint8Array> {
  const all = new Uint8Array(sizeOf(cardinalities)).fill(1);
  for (const { scope, shape, values } of tables) {
    const strides = new Int32Array(cardinalities.length);
    let stride = 1;
    for (let k = scope.length - 1; k >= 0; stride *= shape[k--]) strides[scope[k]] = stride;
    const digits = new Int32Array(cardinalities.length);
    for (let i = 0, at = 0; i < all.length; i++) {
      if (values[at] === -Infinity) all[i] = 0;
      for (let k = cardinalities.length - 1; k >= 0; k--) {
        at += strides[k];
        if (++digits[k] < cardinalities[k]) break;
        digits[k] = 0;
        at -= strides[k] * cardinalities[k];
      }
    }
    yield;
  }
  return all;
}

/** Sets of marked entries that are connected by changes of the axes of one block: how many, and by entry its number from 1, or 0. */
function islands(
  shape: readonly number[],
  marked: ArrayLike<number>,
  blocks: readonly (readonly number[])[],
): { count: number; island: Int32Array } {
  const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
  /** By entry, one that it is connected with, nearer to the first of all. */
  const nearer = Int32Array.from(marked, (_, i) => i);
  const first = (entry: number): number => {
    for (let at = entry; ; at = nearer[at] = nearer[nearer[at]]) if (nearer[at] === at) return at;
  };
  /** By entry without a block's states, the first one that has any. */
  const met = new Int32Array(marked.length);
  for (const axes of blocks) {
    met.fill(-1);
    for (let i = 0; i < marked.length; i++) {
      if (!marked[i]) continue;
      const base = axes.reduce((entry, k) => entry - (Math.floor(i / strides[k]) % shape[k]) * strides[k], i);
      if (met[base] < 0) met[base] = i;
      else {
        const [a, b] = [first(met[base]), first(i)];
        nearer[Math.max(a, b)] = Math.min(a, b);
      }
    }
  }
  const island = new Int32Array(marked.length);
  let count = 0;
  for (let i = 0; i < marked.length; i++) if (marked[i]) island[i] = first(i) === i ? ++count : island[first(i)];
  return { count, island };
}
