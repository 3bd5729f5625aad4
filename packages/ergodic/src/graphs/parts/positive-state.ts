import type { Draws } from "../../engine/random/stream.ts";
import type { LogTables } from "./log-tables.ts";

/**
 * Result of a search for a state of positive product: the state, a proof that there is none, or undefined if the limit
 * was reached.
 */
export type PositiveState = Int32Array | "impossible" | undefined;

/** Largest total number of table entries visited: a few seconds of work. */
const MOST_ENTRIES = 1e9;
/** Number of entries visited between two yields: a few milliseconds of work. */
const PAUSE_ENTRIES = 1e6;
/** Number of dead ends before the first restart with other choices. The number doubles for each further restart. */
const FIRST_FAILURES = 64;

/**
 * Searches for a random state in which no table is 0. Depth-first search assigns the variable with the fewest remaining
 * states first, and tries its states in random order. After each choice, states without a positive entry in some table
 * are removed (generalised arc consistency). The search restarts after a number of dead ends that increases each time.
 * A search that visits everything without a restart proves that there is no such state. Yields every few milliseconds.
 *
 * `beliefs` gives the probabilities of each variable's states. If `beliefs` is given, more probable states are tried
 * first.
 */
export function* positiveState(
  tables: LogTables,
  draws: Draws,
  beliefs?: readonly Float64Array[],
): Generator<void, PositiveState> {
  if (!tables.zeros) return Int32Array.from(tables.cardinalities, (count) => draws.integer(count));
  const search = new Search(tables, draws, beliefs);
  let shown = 0;
  for (let failures = FIRST_FAILURES; ; failures *= 2) {
    for (const step of search.run(failures)) {
      if (step !== undefined) return step;
      if (search.looked > MOST_ENTRIES) return undefined;
      const done = search.looked + search.compared;
      if (done < shown + PAUSE_ENTRIES) continue;
      shown = done;
      yield;
    }
  }
}

/**
 * A choice: the variable, its states that remain to be tried, and the number of states that had been removed before the
 * choice.
 */
interface Choice {
  readonly variable: number;
  readonly states: number[];
  readonly removed: number;
}

class Search {
  /** Number of table entries visited plus number of variables compared. */
  looked = 0;
  compared = 0;
  private readonly tables: LogTables;
  private readonly draws: Draws;
  private readonly beliefs: readonly Float64Array[] | undefined;
  /** For each variable and state, whether it remains possible. */
  private readonly alive: Uint8Array[];
  private readonly counts: Int32Array;
  /** Removed states, in order of removal. */
  private readonly trail: { readonly variable: number; readonly state: number }[] = [];

  constructor(tables: LogTables, draws: Draws, beliefs?: readonly Float64Array[]) {
    this.tables = tables;
    this.draws = draws;
    this.beliefs = beliefs;
    this.alive = tables.cardinalities.map((count) => new Uint8Array(count).fill(1));
    this.counts = Int32Array.from(tables.cardinalities);
  }

  /** Yields undefined after each choice, and finally the result. Returns without a result after this many dead ends. */
  *run(failures: number): Generator<PositiveState> {
    this.undo(0);
    if (!this.propagate(this.tables.tables.keys())) return yield "impossible";
    const choices: Choice[] = [];
    for (;;) {
      const variable = this.next();
      if (variable < 0) return yield Int32Array.from(this.alive, (live) => live.indexOf(1));
      choices.push({ variable, states: this.toTry(variable), removed: this.trail.length });
      for (;;) {
        const choice = choices.at(-1);
        if (!choice) return yield "impossible";
        this.undo(choice.removed);
        const state = choice.states.pop();
        if (state === undefined) {
          choices.pop();
          continue;
        }
        const live = this.alive[choice.variable];
        for (let other = 0; other < live.length; other++) if (other !== state && live[other]) this.remove(choice.variable, other);
        const fits = this.propagate(this.tables.touching[choice.variable].map(({ table }) => table));
        yield undefined;
        if (fits) break;
        if (--failures < 0) return;
      }
    }
  }

  private next(): number {
    this.compared += this.counts.length;
    let found = -1;
    for (let variable = 0; variable < this.counts.length; variable++) {
      const count = this.counts[variable];
      if (count > 1 && (found < 0 || count < this.counts[found])) found = variable;
    }
    return found;
  }

  /** Returns the remaining states in reverse order: the last state is tried first. */
  private toTry(variable: number): number[] {
    const live = this.alive[variable];
    const states = [...live.keys()].filter((state) => live[state]);
    const belief = this.beliefs?.[variable];
    if (belief) return states.sort((a, b) => belief[a] - belief[b]);
    for (let i = states.length - 1; i > 0; i--) {
      const j = this.draws.integer(i + 1);
      [states[i], states[j]] = [states[j], states[i]];
    }
    return states;
  }

  private remove(variable: number, state: number): void {
    this.alive[variable][state] = 0;
    this.counts[variable]--;
    this.trail.push({ variable, state });
  }

  private undo(length: number): void {
    while (this.trail.length > length) {
      const { variable, state } = this.trail.pop()!;
      this.alive[variable][state] = 1;
      this.counts[variable]++;
    }
  }

  /** Removes unsupported states. Returns whether every variable has a state left. */
  private propagate(tables: Iterable<number>): boolean {
    const waiting = new Set(tables);
    for (const number of waiting) {
      waiting.delete(number);
      const { scope } = this.tables.tables[number];
      const supported = this.support(number);
      for (let k = 0; k < scope.length; k++) {
        const variable = scope[k];
        const live = this.alive[variable];
        const before = this.counts[variable];
        for (let state = 0; state < live.length; state++) if (live[state] && !supported[k][state]) this.remove(variable, state);
        if (this.counts[variable] === 0) return false;
        if (this.counts[variable] === before) continue;
        for (const { table } of this.tables.touching[variable]) if (table !== number) waiting.add(table);
      }
    }
    return true;
  }

  /**
   * Returns the supported states of a table's variables. A state is supported if some positive entry has this state and
   * only remaining states of the other variables.
   */
  private support(number: number): Uint8Array[] {
    const { scope, shape, values } = this.tables.tables[number];
    const live = scope.map((variable) => this.alive[variable]);
    const supported = shape.map((count) => new Uint8Array(count));
    const digits = new Int32Array(shape.length);
    this.looked += values.length;
    for (let index = 0; index < values.length; index++) {
      if (values[index] > -Infinity) {
        let k = 0;
        while (k < digits.length && live[k][digits[k]]) k++;
        if (k === digits.length) for (k = 0; k < digits.length; k++) supported[k][digits[k]] = 1;
      }
      for (let k = shape.length - 1; k >= 0; k--) {
        if (++digits[k] < shape[k]) break;
        digits[k] = 0;
      }
    }
    return supported;
  }
}
