import { stream } from "../../base/stream.ts";
import { LogTables } from "./log-tables.ts";
import { positiveState } from "./positive-state.ts";
import type { Component } from "./reduction.ts";
import { sizeOf } from "./table.ts";

/** Whether changes of single variables lead from every state of a positive product to every other; "unknown": neither was proved. */
export interface Ergodicity {
  readonly ergodic: boolean | "unknown";
  /** Why, as part of a sentence. */
  readonly reason: string;
}

/** Joint states that are gone through. */
const MOST_STATES = 2 ** 16;

/**
 * Whether the chain that changes one variable at a time can reach every possible state of a part. Sound, but incomplete: "unknown" where no proof is
 * found.
 *
 * It can where no factor is 0 anywhere; where every variable has a state that is possible whatever the others do, so that all states lead to one; and
 * where that is seen by going through all joint states, if there are at most `mostStates` (2^16). It cannot where that shows islands, or where a
 * factor's own entries above 0 form islands, two of which have possible states of the whole part. A generator: it yields every few milliseconds.
 */
export function* ergodicity(part: Component, mostStates = MOST_STATES): Generator<void, Ergodicity> {
  const tables = new LogTables(part);
  if (!tables.zeros) return { ergodic: true, reason: "no factor is 0" };
  if (hasRefuge(tables)) return { ergodic: true, reason: "every variable has a state that is possible whatever the others do" };
  if (sizeOf(part.cardinalities) <= mostStates) {
    const shape = part.cardinalities;
    const count = islands(shape, yield* possible(tables)).count;
    return count <= 1
      ? { ergodic: true, reason: "every possible state can be reached" }
      : { ergodic: false, reason: `the possible states are ${count} islands, which changes of one variable do not leave` };
  }
  for (const [number, { shape, values }] of tables.tables.entries()) {
    const { count, island } = islands(
      shape,
      values.map((value) => (value > -Infinity ? 1 : 0)),
    );
    if (count < 2) continue;
    let inhabited = 0;
    for (let one = 1; one <= count; one++) {
      const only = part.tables.map((table, t) => {
        if (t !== number) return table;
        return { ...table, values: table.values.map((value, i) => (island[i] === one ? value : table.logs ? -Infinity : 0)) };
      });
      const found = yield* positiveState(new LogTables({ ...part, tables: only }), stream(0, "islands", number).at(one));
      if (found instanceof Int32Array) inhabited++;
      if (inhabited === 2)
        return { ergodic: false, reason: "a factor's zeros leave islands of states, which changes of one variable do not leave" };
    }
  }
  return { ergodic: "unknown", reason: "factors have zeros, and whether every possible state can be reached is not known" };
}

/** By variable a state that never turns an entry above 0 into 0, in any table: going there one by one, all states meet. */
function hasRefuge({ cardinalities, tables, touching }: LogTables): boolean {
  return cardinalities.every((count, variable) => {
    for (let refuge = 0; refuge < count; refuge++) {
      const safe = touching[variable].every(({ table, stride }) => {
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

/** Sets of marked entries that are connected by changes of one axis: how many, and by entry its number from 1, or 0. */
function islands(shape: readonly number[], marked: ArrayLike<number>): { count: number; island: Int32Array } {
  const island = new Int32Array(marked.length);
  const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
  let count = 0;
  for (let first = 0; first < marked.length; first++) {
    if (!marked[first] || island[first]) continue;
    count++;
    island[first] = count;
    const waiting = [first];
    for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
      for (const [k, stride] of strides.entries()) {
        const base = from - (Math.floor(from / stride) % shape[k]) * stride;
        for (let s = 0; s < shape[k]; s++) {
          const to = base + s * stride;
          if (!marked[to] || island[to]) continue;
          island[to] = count;
          waiting.push(to);
        }
      }
    }
  }
  return { count, island };
}
