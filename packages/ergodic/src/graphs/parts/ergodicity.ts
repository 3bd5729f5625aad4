import { stream } from "../../engine/random/stream.ts";
import { sizeOf } from "./factor-table.ts";
import { LogTables } from "./log-tables.ts";
import { positiveState } from "./positive-state.ts";
import type { Component } from "./reduction.ts";

/**
 * Whether changes of single variables, or of blocks, lead from every state of positive product to every other such
 * state. "unknown" if neither was proved.
 */
export interface Ergodicity {
  readonly ergodic: boolean | "unknown";
  /** Reason, as part of a sentence. */
  readonly reason: string;
}

/** Options of `ergodicity`. */
interface ErgodicityOptions {
  /** Largest number of joint states that are enumerated. Default 2^16. */
  readonly mostStates?: number;
  /** Partition into sets of variables that change together. Default: each variable separately. */
  readonly blocks?: readonly (readonly number[])[];
}

/** Default largest number of joint states that are enumerated. */
const MOST_STATES = 2 ** 16;

/**
 * Determines whether a chain can reach every possible state of a part. The chain changes one variable at a time, or one
 * of `blocks` (a partition of the variables). The result is "unknown" if no proof is found.
 *
 * The chain is ergodic in these cases:
 *
 * - No factor has a zero, except factors within a single block.
 * - Every variable of the other factors has a state that is possible regardless of the others, so that all states lead
 *   to one.
 * - An enumeration of at most 2^16 joint states shows it.
 *
 * The chain is not ergodic if that enumeration shows islands. The chain is also not ergodic if the positive entries of
 * one factor form islands, and at least two of these islands contain possible states of the whole part. Yields every
 * few milliseconds.
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
      : { ergodic: false, reason: `the possible states form ${count} islands, which ${changes} do not leave` };
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
        return { ergodic: false, reason: `a factor's zeros split the states into islands, which ${changes} do not leave` };
    }
  }
  return { ergodic: "unknown", reason: "factors have zeros, and whether every possible state can be reached is unknown" };
}

/**
 * Returns whether every variable has a refuge: a state that never turns a positive entry into 0 in any table of several
 * blocks. If all variables move to their refuges one by one, every joint state ends in the same joint state. Zeros of a
 * table within the block could prevent the move. A variable of such a table therefore counts as having no refuge. A
 * variable that has zeros only in tables within its block needs no refuge. A block without such tables can take any of
 * its joint states.
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

/** Returns for each joint state whether no table is 0. The last variable varies fastest. */
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

/**
 * Finds the sets of marked entries that are connected by changes within one block. Returns the count of sets, and the
 * label of each entry: the index of its set (from 1), or 0 if unmarked.
 */
function islands(
  shape: readonly number[],
  marked: ArrayLike<number>,
  blocks: readonly (readonly number[])[],
): { count: number; island: Int32Array } {
  const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
  /** Parent of each entry in a union-find forest; roots have the smallest index. */
  const nearer = Int32Array.from(marked, (_, i) => i);
  const first = (entry: number): number => {
    for (let at = entry; ; at = nearer[at] = nearer[nearer[at]]) if (nearer[at] === at) return at;
  };
  /** First marked entry found for each combination of states outside the block. */
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
