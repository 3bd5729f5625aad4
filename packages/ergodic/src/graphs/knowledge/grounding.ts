import { MemoryLimitError } from "../../engine/errors/errors.ts";
import { bytesText } from "../../engine/memory/room.ts";
import type { FactorGraph } from "../model/graph.ts";
import { BoundRow } from "./bound-row.ts";
import { type Election, elected, electionsOf, votesOf } from "./elections.ts";
import { Found } from "./found.ts";
import { Join, type Range } from "./join.ts";
import { bindingsOf, type JoinSession, joinQuery } from "./joiner.ts";
import { votes, type WeightedRule } from "./rule.ts";
import type { Dictionary, FactsView } from "./views.ts";
import type { Weights } from "./weights.ts";

/** How much a rule would make. */
export interface Measured {
  /** Infinity: more than there is room for. */
  groundings: number;
  factors: number;
  edges: number;
  /** About so many bytes of the graph's. */
  bytes: number;
}

/** One join over a part of the rows. */
class Pass {
  /** The atom that it begins with, where that is not the one with the fewest rows. */
  readonly first: number | undefined;
  readonly ranges: readonly Range[];
  readonly #make: () => Join;
  #join: Join | undefined;

  constructor(first: number | undefined, ranges: readonly Range[], make: () => Join) {
    this.first = first;
    this.ranges = ranges;
    this.#make = make;
  }

  /** In memory: with its indexes, which are made where it is asked for. */
  get join(): Join {
    return (this.#join ??= this.#make());
  }
}

/** Makes factors of one rule, from all rows or from those that a knowledge base has not grounded yet. */
export class Grounding {
  readonly rule: WeightedRule;
  readonly row: BoundRow;
  /** By atom. */
  readonly views: readonly FactsView[];
  /** By atom of the rule, the row of the grounding that is visited. */
  readonly rows: Int32Array;
  /** Atoms that are unknowns; the head is the last. */
  readonly literals: readonly number[];
  passes: Pass[] = [];
  readonly #dictionary: Dictionary;
  readonly #bound: Int32Array;
  /** Pairs of atoms that might be the same unknown. */
  readonly #pairs: readonly (readonly [number, number])[];
  /** Groundings vote for heads. */
  readonly voting: boolean;
  #found: Found | undefined;
  #elections: Election[] | undefined;
  /** The rule is in the graph, of the rows before. */
  #continued = false;

  constructor(rule: WeightedRule, viewOf: (atom: number) => FactsView, dictionary: Dictionary, weights: Weights) {
    this.rule = rule;
    this.views = rule.atoms.map((_, atom) => viewOf(atom));
    this.#dictionary = dictionary;
    this.#bound = new Int32Array(rule.variables.length);
    this.rows = new Int32Array(rule.atoms.length);
    this.row = new BoundRow(rule, this.#bound, dictionary.values, weights);
    this.literals = rule.atoms.flatMap(({ kind }, atom) => (kind === "relation" ? [] : [atom]));
    this.#pairs = this.literals.flatMap((a, k) =>
      this.literals.slice(k + 1).flatMap((b) => (rule.atoms[a].facts === rule.atoms[b].facts ? [[a, b] as const] : [])),
    );
    this.voting = votes.includes(rule.semantics);
  }

  /** A join that begins with one atom's rows, or with those that are fewest. */
  join(first?: number): Join {
    return new Join(this.rule, this.views, this.#dictionary, this.#bound, this.rows, first);
  }

  /** Chooses rows: all, or those groundings of which at least one row is new. */
  plan(continued: boolean): void {
    this.#continued = continued;
    this.#found = this.#elections = undefined;
    const all = this.views.map(({ rowCount }) => ({ from: 0, to: rowCount }));
    const pass = (first: number | undefined, ranges: readonly Range[]) => new Pass(first, ranges, () => this.join(first));
    this.passes = !continued
      ? [pass(undefined, all)]
      : this.views.flatMap(({ grounded, rowCount }, first) => {
          if (grounded === rowCount) return [];
          const before = this.views.slice(0, first).map((view) => ({ from: 0, to: view.grounded }));
          return [pass(first, [...before, { from: grounded, to: rowCount }, ...all.slice(first + 1)])];
        });
  }

  /**
   * Goes through all groundings, without making factors, within `room` bytes of these. `keep`: for `emit`.
   *
   * @throws OptionError, of values that functions give and unknowns that occur twice
   */
  measure(room: number, keep: boolean): Measured {
    const { row, voting, passes } = this;
    row.start();
    const most = Math.floor(room / this.#each);
    const plain = row.constant && this.#pairs.length === 0;
    // Without conditions: quick, and an upper bound.
    let groundings = passes.reduce((sum, { join, ranges }) => sum + join.count(ranges, most - sum), 0);
    if (!plain && (groundings > most || !(keep || voting))) groundings = this.#count(most);
    if (groundings > most) return tooMany;
    if (keep || voting) groundings = (this.#found = this.#collect(plain ? groundings : Math.min(groundings, 2 ** 16))).length;
    return this.#measured(groundings);
  }

  /** `measure(room, true)` by joins of another program. The groundings, and their order, are the same. */
  async measureBy(session: JoinSession, room: number, tableOf: (view: FactsView) => number): Promise<Measured> {
    this.row.start();
    const { rule, views, rows, literals } = this;
    const most = Math.floor(room / this.#each);
    const found = new Found(literals.length, typeof rule.options.feature === "function");
    const bindings = bindingsOf(rule).map(({ atom, column }) => ({ atom, codes: views[atom].codes(column) }));
    for (const { first, ranges } of this.passes) {
      const query = joinQuery(rule, views, ranges, { dictionary: this.#dictionary, first, tableOf });
      for await (const columns of session.join(query))
        for (let i = 0; i < columns[0].length; i++) {
          for (let atom = 0; atom < rows.length; atom++) rows[atom] = columns[atom][i];
          for (const [k, { atom, codes }] of bindings.entries()) this.#bound[k] = codes[rows[atom]];
          this.#keep(found);
          if (found.length > most) return tooMany;
        }
    }
    this.#found = found;
    return this.#measured(found.length);
  }

  /** Bytes of a factor. */
  get #each(): number {
    const features = this.rule.options.feature === undefined && !this.voting ? 0 : 8;
    return 9 + features + 5 * this.literals.length;
  }

  /** How much these groundings make. */
  #measured(groundings: number): Measured {
    const { literals } = this;
    const bytes = groundings * this.#each;
    if (!this.voting) return { groundings, factors: groundings, edges: groundings * literals.length, bytes };
    this.#elections = electionsOf(this.rule, this.#found!, this.#continued ? this.#before(this.#found!) : undefined);
    const edges = this.#elections.reduce((sum, { voters }) => sum + voters.length + 1, 0);
    const factors = this.#elections.length;
    return { groundings, factors, edges, bytes: 17 * factors + 5 * edges };
  }

  /** With conditions; Infinity: more than `most`. */
  #count(most: number): number {
    let count = 0;
    const visit = (): boolean => !this.visit() || ++count <= most;
    for (const { join, ranges } of this.passes) if (count <= most) join.run(ranges, visit);
    return count > most ? Infinity : count;
  }

  #collect(room: number): Found {
    const found = new Found(this.literals.length, typeof this.rule.options.feature === "function", room);
    for (const { join, ranges } of this.passes) join.run(ranges, () => this.#keep(found));
    return found;
  }

  #keep(found: Found): true {
    if (!this.visit()) return true;
    const { literals, rows, row } = this;
    for (let k = 0; k < literals.length; k++) found.literals[k].push(rows[literals[k]]);
    found.weights.push(row.weight);
    found.features?.push(row.feature);
    return true;
  }

  /** Whether the grounding that is bound now counts. @throws OptionError where one unknown occurs twice in it */
  visit(): boolean {
    if (!this.row.holds()) return false;
    for (const [a, b] of this.#pairs)
      if (this.rows[a] === this.rows[b])
        throw this.row.refusal(
          `${this.rule.atoms[a]} and ${this.rule.atoms[b]} are the same unknown, but a factor has each once; leave such rows out: where: (row) => row.a !== row.b`,
        );
    return true;
  }

  /** Adds the factors to the graph, whose variables and weights are there. */
  emit(graph: FactorGraph, weights: Weights): void {
    const { literals, rule } = this;
    const { semantics } = rule;
    const stateOf = (atom: number): number => rule.atoms[atom].state;
    const numbers = literals.map((atom) => this.views[atom].variables.data);
    const last = literals.length - 1;
    const { literals: rows, weights: ids, features, length } = this.#found!;
    if (this.#elections)
      for (const { head, weight, voters, feature } of this.#elections) {
        const variables = voters.map((voter) => numbers[0][voter]);
        variables.push(numbers[last][head]);
        const states = voters.map(() => stateOf(literals[0]));
        states.push(stateOf(literals[last]));
        graph.addFactor(semantics, variables, states, weights.id(weight), feature);
      }
    else {
      const variables = new Int32Array(literals.length);
      const states = Int32Array.from(literals, stateOf);
      for (let i = 0; i < length; i++) {
        for (let k = 0; k < variables.length; k++) variables[k] = numbers[k][rows[k].data[i]];
        graph.addFactor(semantics, variables, states, weights.id(ids.data[i]), features ? features[i] : this.row.feature);
      }
    }
    this.#found = this.#elections = undefined;
  }

  /** Votes of rows that are in the graph, for heads that get new ones. */
  #before(fresh: Found): Found {
    const head = this.literals.at(-1)!;
    const heads = fresh.literals.at(-1)!;
    const before = new Found(this.literals.length, false);
    const join = this.join(head);
    for (const row of new Set(heads.data.subarray(0, heads.length)))
      if (row < this.views[head].grounded) join.run(this.#around(head, row), () => this.#keep(before));
    return before;
  }

  /** All votes for one head that are in the graph. */
  votesFor(headRow: number): Election[] {
    const head = this.literals.at(-1)!;
    const found = new Found(this.literals.length, false);
    this.join(head).run(this.#around(head, headRow), () => this.#keep(found));
    return Array.from(votesOf(found), (votes) => elected(this.rule, votes));
  }

  /** Groundings in the graph of one row of an atom. */
  visitAround(atom: number, row: number, visit: () => void): void {
    this.row.start();
    this.join(atom).run(this.#around(atom, row), () => {
      if (this.visit()) visit();
      return true;
    });
  }

  #around(atom: number, row: number): Range[] {
    return this.views.map(({ grounded }, k) => (k === atom ? { from: row, to: row + 1 } : { from: 0, to: grounded }));
  }

  /** What `measureBy` gave is too much. */
  tooManyFound(room: number): MemoryLimitError {
    return new MemoryLimitError(
      this.rule.place,
      `its factors would take more than the ${bytesText(room)} that are left; share more variables between its atoms, leave rows out by where, or raise the memory of knowledgeBase()`,
      "MEMORY_LIMIT",
    );
  }

  /** What `measure` gave is too much. */
  tooMuch(room: number): MemoryLimitError {
    const widest = this.passes.flatMap(({ join }) => join.steps).reduce((a, b) => (fanOut(b) > fanOut(a) ? b : a));
    return new MemoryLimitError(
      this.rule.place,
      `its factors would take more than the ${bytesText(room)} that are left: each row before it has ${fanOut(widest).toFixed(1)} rows of ${this.rule.atoms[widest.atom]}; share more variables between its atoms, leave rows out by where, or raise the memory of knowledgeBase()`,
      "MEMORY_LIMIT",
    );
  }
}

const tooMany: Measured = { groundings: Infinity, factors: Infinity, edges: Infinity, bytes: Infinity };

/** Rows that fit, on average, each time that an atom is looked at. */
export const fanOut = ({ passed, entered }: { passed: number; entered: number }): number => passed / Math.max(1, entered);
