import type { Machine } from "./functions.ts";
import { refuseWide, type TableList } from "./table-list.ts";

/** A factor of literals, together with the machine that evaluates it. */
export interface MachineFactor {
  readonly factor: number;
  readonly kind: string;
  readonly machine: Machine;
  readonly variables: ArrayLike<number>;
  /** State that satisfies the literal of each variable. */
  readonly states: ArrayLike<number>;
  /** Maps a value of the machine to ln φ. */
  readonly log: (value: number) => number;
}

/** Largest total number of entries in the tables of one chain. */
const MOST_CHAIN = 2 ** 24;

/** Returns a table of ln φ, indexed by the states of the factor's variables. */
export function machineTable(list: TableList, { machine, variables, states, log }: MachineFactor): Float64Array {
  const head = variables.length - 1;
  return list.fill(variables, (of) => {
    let state = machine.start;
    for (let i = 0; i < head; i++) {
      state = machine.next(state, of[i] === states[i] ? 1 : 0);
      if (state < 0) return -Infinity;
    }
    return log(machine.value(state, of[head] === states[head] ? 1 : 0, head));
  });
}

/**
 * Replaces a factor of at least three variables with a chain of small tables. Each auxiliary variable holds the
 * machine's state after one more literal. This state is determined by the previous auxiliary variable and the literal.
 * Each joint state of the factor's variables is therefore consistent with exactly one state of the auxiliary variables,
 * or with none if φ is 0. Hence both the sum and the maximum over the auxiliary variables equal φ.
 */
export function addChain(list: TableList, given: MachineFactor): void {
  const { factor, kind, machine, variables, states, log } = given;
  const head = variables.length - 1;
  let entries = 0;
  for (let i = 0; i <= head; i++)
    entries += machine.states(Math.max(1, i)) * list.count(variables[i]) * (i < head ? machine.states(i + 1) : 1);
  if (entries > MOST_CHAIN) refuseWide(factor, kind, variables.length, entries, MOST_CHAIN);
  const holds = (i: number, state: number): number => (state === states[i] ? 1 : 0);
  /**
   * Variable that encodes the machine's state so far. If the first variable has two states, it serves as its own
   * encoding.
   */
  let before: number[] = [];
  let behind = (_: number): number => machine.start;
  for (let i = 0; i < head; i++) {
    const reached = behind;
    const scope = [...before, variables[i]];
    const next = (of: ArrayLike<number>): number => {
      const state = reached(of[0]);
      return state < 0 ? -1 : machine.next(state, holds(i, of[scope.length - 1]));
    };
    if (i === 0 && list.count(variables[0]) === 2) {
      before = [variables[0]];
      behind = (state) => next([state]);
      continue;
    }
    const auxiliary = list.auxiliary(machine.states(i + 1), factor);
    const whole = [...scope, auxiliary];
    list.add(
      whole,
      list.fill(whole, (of) => (next(of) === of[scope.length] ? 1 : 0)),
    );
    before = [auxiliary];
    behind = (state) => state;
  }
  const last = [...before, variables[head]];
  list.addLogs(
    last,
    list.fill(last, (of) => {
      const state = behind(of[0]);
      return state < 0 ? -Infinity : log(machine.value(state, holds(head, of[1]), head));
    }),
  );
}
