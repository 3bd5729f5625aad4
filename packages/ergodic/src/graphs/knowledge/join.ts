import { OptionError } from "../../engine/errors/errors.ts";
import type { Atom } from "./atom.ts";
import type { WeightedRule } from "./rule.ts";
import type { HashIndex } from "./tuples.ts";
import type { Dictionary, FactsView } from "./views.ts";

/** Range of rows of one atom, from `from` (inclusive) to `to` (exclusive). */
export interface Range {
  from: number;
  to: number;
}

/** Largest number of rows that one atom may examine, about a minute of work. Only tests change it. */
export const joinLimits = { visited: 2 ** 33 };

/** One atom of a join. Atoms are processed in evaluation order. */
class Step {
  readonly atom: number;
  readonly view: FactsView;
  /** Absent if rows are scanned. */
  readonly index: HashIndex | undefined;
  readonly keyColumns: readonly number[];
  /** For each index column, the variable that supplies its value, or −1 if `key` already contains the value. */
  readonly keyVariables: Int32Array;
  readonly key: Int32Array;
  /** Variables that this step binds, and the code columns from which the variables get their values. */
  readonly binds: Int32Array;
  readonly bindCodes: readonly Int32Array[];
  /** Code columns to compare, either with bound variables or (if −1) with fixed values. */
  readonly checks: Int32Array;
  readonly checkCodes: readonly Int32Array[];
  readonly checkValues: Int32Array;
  /** Whether every row that the index returns matches. */
  readonly free: boolean;
  /** Numbers of lookups, examined rows and matching rows. */
  entered = 0;
  visited = 0;
  passed = 0;

  constructor(view: FactsView, atom: Atom, number: number, scan: boolean, known: Set<number>, numbers: Terms) {
    this.atom = number;
    this.view = view;
    const keyColumns: number[] = [];
    const keyVariables: number[] = [];
    const key: number[] = [];
    const binds: number[] = [];
    const bindCodes: Int32Array[] = [];
    const checks: number[] = [];
    const checkCodes: Int32Array[] = [];
    const checkValues: number[] = [];
    let gaps = false;
    const bound = new Set<number>();
    for (const term of atom.terms) {
      const variable = numbers.variable(term.variable);
      const value = term.equals === undefined ? -1 : numbers.dictionary.find(term.equals);
      if (!scan && (variable < 0 || known.has(variable))) {
        keyColumns.push(term.column);
        keyVariables.push(variable);
        // A value that occurs nowhere must not match any code, not even the code −1 of missing values.
        key.push(variable < 0 && value < 0 ? -2 : value);
      } else if (variable < 0 || bound.has(variable)) {
        checks.push(variable);
        checkCodes.push(view.codes(term.column));
        checkValues.push(variable < 0 && value < 0 ? -2 : value);
      } else {
        binds.push(variable);
        bindCodes.push(view.codes(term.column));
        bound.add(variable);
        gaps ||= view.gaps(term.column);
      }
    }
    for (const variable of bound) known.add(variable);
    this.keyColumns = keyColumns;
    this.index = keyColumns.length > 0 ? view.index(keyColumns) : undefined;
    this.keyVariables = Int32Array.from(keyVariables);
    this.key = Int32Array.from(key);
    this.binds = Int32Array.from(binds);
    this.bindCodes = bindCodes;
    this.checks = Int32Array.from(checks);
    this.checkCodes = checkCodes;
    this.checkValues = Int32Array.from(checkValues);
    this.free = checks.length === 0 && !gaps;
  }
}

interface Terms {
  readonly dictionary: Dictionary;
  /** Returns the index of a variable, or −1 if there is none. */
  variable(name: string | undefined): number;
}

/**
 * Finds all values of a rule's variables for which every atom has a row. Uses nested loops over hash indexes, beginning
 * with the atom with the fewest rows and continuing with the smallest fan-out. If `first` is given, the join begins
 * with a scan of that atom's range.
 */
export class Join {
  /** Code of the value of each of the rule's variables. */
  readonly bound: Int32Array;
  /** Row of each atom of the rule. */
  readonly rows: Int32Array;
  readonly steps: readonly Step[];
  readonly #rule: WeightedRule;
  #ranges: readonly Range[] = [];
  #visit: (() => boolean) | undefined;
  #limit = Infinity;

  /** Each grounding is written to `bound` and `rows` in turn. */
  constructor(
    rule: WeightedRule,
    views: readonly FactsView[],
    dictionary: Dictionary,
    bound: Int32Array,
    rows: Int32Array,
    first?: number,
  ) {
    this.#rule = rule;
    this.bound = bound;
    this.rows = rows;
    const byName = new Map(rule.variables.map((name, k) => [name, k]));
    const numbers: Terms = { dictionary, variable: (name) => (name === undefined ? -1 : byName.get(name)!) };
    const known = new Set<number>();
    this.steps = joinOrder(rule, views, first).map(
      (atom, k) => new Step(views[atom], rule.atoms[atom], atom, k === 0 && first !== undefined, known, numbers),
    );
  }

  /**
   * Visits every grounding whose rows lie in the ranges. `visit` reads `bound` and `rows`, and returns false to stop.
   */
  run(ranges: readonly Range[], visit: () => boolean): void {
    this.#start(ranges, visit, Infinity);
  }

  /** Counts the groundings. Returns Infinity if there are more than `limit` groundings. */
  count(ranges: readonly Range[], limit: number): number {
    this.#start(ranges, undefined, limit);
    const { passed } = this.steps.at(-1)!;
    return passed > limit ? Infinity : passed;
  }

  #start(ranges: readonly Range[], visit: (() => boolean) | undefined, limit: number): void {
    this.#ranges = ranges;
    this.#visit = visit;
    this.#limit = limit;
    for (const step of this.steps) step.entered = step.visited = step.passed = 0;
    this.#step(0);
  }

  /** @returns false to stop the search */
  #step(depth: number): boolean {
    const { steps, bound, rows } = this;
    const step = steps[depth];
    const { index, atom, binds, bindCodes, checks, checkCodes, checkValues } = step;
    const { from, to } = this.#ranges[atom];
    const last = depth + 1 === steps.length;
    let [begin, end] = [from, to];
    step.entered++;
    if (index !== undefined) {
      const { key, keyVariables } = step;
      for (let k = 0; k < key.length; k++) if (keyVariables[k] >= 0) key[k] = bound[keyVariables[k]];
      const group = index.find(key);
      if (group < 0) return true;
      begin = index.unique ? group : index.starts[group];
      end = index.unique ? group + 1 : index.starts[group + 1];
    }
    const order = index?.unique ? undefined : index?.rows;
    if (last && this.#visit === undefined && step.free && (index === undefined || (from === 0 && to === step.view.rowCount))) {
      step.visited += end - begin;
      step.passed += end - begin;
      return step.passed <= this.#limit;
    }
    step.visited += end - begin;
    if (step.visited > joinLimits.visited) throw this.#endless(step);
    candidates: for (let at = begin; at < end; at++) {
      const row = order === undefined ? at : order[at];
      if (index !== undefined) {
        if (row < from) continue;
        if (row >= to) break;
      }
      for (let k = 0; k < binds.length; k++) {
        const code = bindCodes[k][row];
        if (code < 0) continue candidates;
        bound[binds[k]] = code;
      }
      for (let k = 0; k < checks.length; k++)
        if (checkCodes[k][row] !== (checks[k] < 0 ? checkValues[k] : bound[checks[k]])) continue candidates;
      rows[atom] = row;
      step.passed++;
      if (last) {
        if (this.#visit ? !this.#visit() : step.passed > this.#limit) return false;
      } else if (!this.#step(depth + 1)) return false;
    }
    return true;
  }

  #endless(step: Step): OptionError {
    return new OptionError(
      this.#rule.place,
      `more than ${joinLimits.visited.toLocaleString("en")} rows would be visited for ${this.#rule.atoms[step.atom]}, because few variables join it to the other atoms; share more variables between atoms, or make a relation of the pairs that matter`,
      "MEMORY_LIMIT",
    );
  }
}

/**
 * Returns the evaluation order of the atoms, chosen greedily. The next atom is always the one with the fewest rows that
 * match the variables bound so far.
 */
export function joinOrder(rule: WeightedRule, views: readonly FactsView[], first: number | undefined): number[] {
  const { atoms } = rule;
  const bound = new Set<string>();
  const order: number[] = [];
  const left = new Set(atoms.keys());
  while (left.size > 0) {
    let best = -1;
    let least = Infinity;
    let joined = false;
    for (const atom of left) {
      const given = atoms[atom].terms.filter(({ variable }) => variable === undefined || bound.has(variable));
      const connected = given.some(({ variable }) => variable !== undefined);
      const rows = views[atom].matches(given.map(({ column }) => column));
      if (best >= 0 && (joined !== connected ? joined : rows >= least)) continue;
      best = atom;
      least = rows;
      joined = connected;
    }
    const next = order.length === 0 && first !== undefined ? first : best;
    order.push(next);
    left.delete(next);
    for (const { variable } of atoms[next].terms) if (variable !== undefined) bound.add(variable);
  }
  return order;
}
