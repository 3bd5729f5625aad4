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

/** Size of a rule's result. */
export interface Measured {
  /** Number of groundings, or Infinity if there are more than fit in memory. */
  groundings: number;
  factors: number;
  edges: number;
  /** Approximate number of bytes in the graph. */
  bytes: number;
}

/** One join, in which each atom has a range of rows. */
class Pass {
  /** Atom to start the join with. If undefined, the join starts with the atom that has the fewest rows. */
  readonly first: number | undefined;
  readonly ranges: readonly Range[];
  readonly #make: () => Join;
  #join: Join | undefined;

  constructor(first: number | undefined, ranges: readonly Range[], make: () => Join) {
    this.first = first;
    this.ranges = ranges;
    this.#make = make;
  }

  /** The join. It builds its indexes on first use. */
  get join(): Join {
    return (this.#join ??= this.#make());
  }
}

/** Creates the factors of one rule, from all rows or only from rows that the knowledge base has not grounded yet. */
export class Grounding {
  readonly rule: WeightedRule;
  readonly row: BoundRow;
  /** Rows of each atom. */
  readonly views: readonly FactsView[];
  /** Row of each of the rule's atoms in the current grounding. */
  readonly rows: Int32Array;
  /** Atoms that are unknowns. The head is last. */
  readonly literals: readonly number[];
  passes: Pass[] = [];
  readonly #dictionary: Dictionary;
  readonly #bound: Int32Array;
  /** Pairs of atoms that can refer to the same unknown. */
  readonly #pairs: readonly (readonly [number, number])[];
  /** Whether groundings vote for heads. */
  readonly voting: boolean;
  #found: Found | undefined;
  #elections: Election[] | undefined;
  /** Whether the rule has been grounded before, so that only new rows are grounded. */
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

  /** Returns a join that starts with the given atom, by default the atom with the fewest rows. */
  join(first?: number): Join {
    return new Join(this.rule, this.views, this.#dictionary, this.#bound, this.rows, first);
  }

  /** Selects the groundings to create: all, or only groundings with at least one new row. */
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
   * Counts all groundings without creating factors, as long as the factors would fit in `room` bytes. `keep` stores the
   * groundings for `emit`.
   *
   * @throws OptionError for invalid results of the rule's functions and for unknowns that occur twice in a grounding
   */
  measure(room: number, keep: boolean): Measured {
    const { row, voting, passes } = this;
    row.start();
    const most = Math.floor(room / this.#each);
    const plain = row.constant && this.#pairs.length === 0;
    // Counting without conditions is fast and gives an upper bound.
    let groundings = passes.reduce((sum, { join, ranges }) => sum + join.count(ranges, most - sum), 0);
    if (!plain && (groundings > most || !(keep || voting))) groundings = this.#count(most);
    if (groundings > most) return tooMany;
    if (keep || voting) groundings = (this.#found = this.#collect(plain ? groundings : Math.min(groundings, 2 ** 16))).length;
    return this.#measured(groundings);
  }

  /**
   * Does the same as `measure(room, true)`, with joins that another program computes. Both methods find the same
   * groundings in the same order.
   */
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

  /** Number of bytes per factor. */
  get #each(): number {
    const features = this.rule.options.feature === undefined && !this.voting ? 0 : 8;
    return 9 + features + 5 * this.literals.length;
  }

  /** Returns the size of the factors for these groundings. */
  #measured(groundings: number): Measured {
    const { literals } = this;
    const bytes = groundings * this.#each;
    if (!this.voting) return { groundings, factors: groundings, edges: groundings * literals.length, bytes };
    this.#elections = electionsOf(this.rule, this.#found!, this.#continued ? this.#before(this.#found!) : undefined);
    const edges = this.#elections.reduce((sum, { voters }) => sum + voters.length + 1, 0);
    const factors = this.#elections.length;
    return { groundings, factors, edges, bytes: 17 * factors + 5 * edges };
  }

  /** Counts the groundings that satisfy the conditions. Infinity means more than `most`. */
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

  /** Returns whether the current grounding counts. @throws OptionError if an unknown occurs in it twice */
  visit(): boolean {
    if (!this.row.holds()) return false;
    for (const [a, b] of this.#pairs)
      if (this.rows[a] === this.rows[b])
        throw this.row.refusal(
          `${this.rule.atoms[a]} and ${this.rule.atoms[b]} are the same unknown, but a factor can contain it only once; exclude these rows, where: (row) => row.a !== row.b`,
        );
    return true;
  }

  /** Adds the factors to the graph, which must already contain their variables and weights. */
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

  /** Returns the votes that are already in the graph for heads that receive new votes. */
  #before(fresh: Found): Found {
    const head = this.literals.at(-1)!;
    const heads = fresh.literals.at(-1)!;
    const before = new Found(this.literals.length, false);
    const join = this.join(head);
    for (const row of new Set(heads.data.subarray(0, heads.length)))
      if (row < this.views[head].grounded) join.run(this.#around(head, row), () => this.#keep(before));
    return before;
  }

  /** Returns all votes in the graph for one head. */
  votesFor(headRow: number): Election[] {
    const head = this.literals.at(-1)!;
    const found = new Found(this.literals.length, false);
    this.join(head).run(this.#around(head, headRow), () => this.#keep(found));
    return Array.from(votesOf(found), (votes) => elected(this.rule, votes));
  }

  /** Visits all groundings in the graph that contain a given row of an atom. */
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

  /** Returns the error for a `measureBy` result that does not fit in memory. */
  tooManyFound(room: number): MemoryLimitError {
    return new MemoryLimitError(
      this.rule.place,
      `its factors would take more than the ${bytesText(room)} that are left; share more variables between its atoms, exclude rows with where, or raise the memory of knowledgeBase()`,
      "MEMORY_LIMIT",
    );
  }

  /** Returns the error for a `measure` result that does not fit in memory. */
  tooMuch(room: number): MemoryLimitError {
    const widest = this.passes.flatMap(({ join }) => join.steps).reduce((a, b) => (fanOut(b) > fanOut(a) ? b : a));
    return new MemoryLimitError(
      this.rule.place,
      `its factors would take more than the ${bytesText(room)} that are left: each row before it has ${fanOut(widest).toFixed(1)} rows of ${this.rule.atoms[widest.atom]}; share more variables between its atoms, exclude rows with where, or raise the memory of knowledgeBase()`,
      "MEMORY_LIMIT",
    );
  }
}

const tooMany: Measured = { groundings: Infinity, factors: Infinity, edges: Infinity, bytes: Infinity };

/** Returns the mean number of matching rows per lookup of an atom. */
export const fanOut = ({ passed, entered }: { passed: number; entered: number }): number => passed / Math.max(1, entered);
