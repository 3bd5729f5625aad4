import type { Draws } from "../../engine/random/stream.ts";
import type { LogTables } from "./log-tables.ts";

/** What a search for a state with a positive product ends with: one, the proof that there is none, or nothing within its limit. */
export type PositiveState = Int32Array | "impossible" | undefined;

/** Entries of tables that are looked at in all: a few seconds. */
const MOST_ENTRIES = 1e9;
/** Between two yields: a few milliseconds. */
const PAUSE_ENTRIES = 1e6;
/** Dead ends until the search begins anew with other choices; twice as many each time. */
const FIRST_FAILURES = 64;

/**
 * A state in which no table is 0, chosen at random: depth first, the variable with fewest states left first, its states in random order; after each
 * choice states without a positive entry in some table go (generalised arc consistency). It begins anew after ever more dead ends, so that a search
 * which comes to its end is a proof. A generator: it yields every few milliseconds.
 *
 * `beliefs`: by variable, probabilities of its states. The more probable ones are tried first, in place of a random order.
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

/** A variable whose states are tried, those that are left to try, and how much had been removed before. */
interface Choice {
  readonly variable: number;
  readonly states: number[];
  readonly removed: number;
}

class Search {
  /** Entries of tables that were looked at, and variables that were compared. */
  looked = 0;
  compared = 0;
  private readonly tables: LogTables;
  private readonly draws: Draws;
  private readonly beliefs: readonly Float64Array[] | undefined;
  /** By variable and state, whether it is left. */
  private readonly alive: Uint8Array[];
  private readonly counts: Int32Array;
  /** States that were removed, in order. */
  private readonly trail: { readonly variable: number; readonly state: number }[] = [];

  constructor(tables: LogTables, draws: Draws, beliefs?: readonly Float64Array[]) {
    this.tables = tables;
    this.draws = draws;
    this.beliefs = beliefs;
    this.alive = tables.cardinalities.map((count) => new Uint8Array(count).fill(1));
    this.counts = Int32Array.from(tables.cardinalities);
  }

  /** Yields nothing after each choice, and at last what was found; ends without it after so many dead ends. */
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

  /** The states that are left, the last one to be tried first. */
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

  /** Whether every variable has a state left. */
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

  /** By variable of a table's scope and state, whether an entry above 0 has it and otherwise states that are left. */
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
