import type { Certificate } from "../../engine/contract/index.ts";
import { checkBoolean, holds, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { MOST_ENGINE } from "../../engine/memory/room.ts";
import { type FactorGraph, factorGraph } from "../model/graph.ts";
import { CalibrationTable } from "./calibration.ts";
import type { Cell, Facts } from "./facts.ts";
import { Grounding } from "./grounding.ts";
import { GroundingPlan, rulePlan } from "./grounding-plan.ts";
import type { Joiner, JoinSession } from "./joiner.ts";
import { type Query, Unknowns } from "./query.ts";
import { WeightedRule } from "./rule.ts";
import { Dictionary, FactsView } from "./views.ts";
import { Weights } from "./weights.ts";
import { Reasons, reasonsOf } from "./why.ts";

const WHERE = "knowledgeBase";

/** Options of `knowledgeBase()`. */
export interface KnowledgeBaseOptions {
  /** GiB that the graph may take, at most 4 (the default). */
  memory?: number;
  /** The graph's variables are named after the unknowns, `holds("Rome", 2.8)`. Costs about 300 bytes each. Default: false. */
  names?: boolean;
}

/** What is known of the probabilities of a graph's variables: what `infer` answers. */
export interface Beliefs {
  /** By number, the weights that they were computed with. Absent: those of the knowledge base's graph. */
  readonly weights?: Float64Array | undefined;
  /** By the variable's number. */
  marginal(variable: number): { readonly p: readonly number[]; readonly certificate: Certificate };
}

/** An unknown, and what was found. */
export interface UnknownBelief<S> {
  /** Its key. */
  readonly key: S;
  /** How probable it is: of Booleans that it is true, else that it has the state that is most probable. */
  readonly p: number;
  /** The most probable state. */
  readonly state: string;
  /** How far `p` may be from the truth. */
  readonly certificate: Certificate;
  /** What is known, whether observed or kept back; a number: the probability of being true that the label gives. */
  readonly label?: string | number;
  /** The label is kept back. */
  readonly heldOut: boolean;
}

/** Rules over relations and unknowns, and the factor graph that they make: by `knowledgeBase()`. */
export class KnowledgeBase {
  readonly #rules: WeightedRule[] = [];
  /** So many of them are in the graph. */
  #grounded = 0;
  /** A database joins. */
  #busy = false;
  readonly #views = new Map<Facts, FactsView>();
  readonly #dictionary = new Dictionary();
  readonly #weights = new Weights();
  readonly #groundings = new Map<WeightedRule, Grounding>();
  readonly #graph: FactorGraph;
  readonly #options: Required<KnowledgeBaseOptions>;

  /** Use `knowledgeBase()`. */
  constructor(options: KnowledgeBaseOptions) {
    checkKeys(WHERE, options, ["memory", "names"]);
    const { memory = 4, names = false } = options;
    checkBoolean(WHERE, "names", names);
    this.#options = { memory, names };
    this.#graph = factorGraph({ memory });
  }

  /** Adds rules; `ground()` makes factors of them. */
  add(...rules: WeightedRule[]): this {
    const names = new Set(this.#rules.map(({ name }) => name));
    for (const rule of rules) {
      if (!(rule instanceof WeightedRule))
        throw new OptionError(
          `${WHERE}.add`,
          `${shown(rule)} was given, but must be a rule: write weightedRule({ … })`,
          "OPTION_TYPE",
        );
      if (names.has(rule.name))
        throw new OptionError(rule.place, "there is a rule of this name already; name this one another way", "NAME_TAKEN");
      names.add(rule.name);
    }
    const facts = new Map([...this.#views.keys()].map((one) => [one.name, one]));
    for (const rule of rules)
      for (const { facts: one } of rule.atoms) {
        const same = facts.get(one.name);
        if (same !== undefined && same !== one)
          throw new OptionError(
            rule.place,
            `it uses ${one.place}, but there is another ${same.place}; rename one of the two`,
            "NAME_TAKEN",
          );
        facts.set(one.name, one);
      }
    for (const one of facts.values()) if (!this.#views.has(one)) this.#views.set(one, new FactsView(one));
    this.#rules.push(...rules);
    return this;
  }

  /** What `ground()` is about to do: joins, counts and sizes, of what is not in the graph yet. Nothing is made. */
  explain(): GroundingPlan {
    this.#refuseBusy();
    try {
      const plans = this.#prepare().map((grounding) => rulePlan(grounding, grounding.measure(this.#room, false)));
      let variables = 0;
      for (const view of this.#unknowns()) variables += view.rowCount - view.variables.length;
      return new GroundingPlan(variables, plans);
    } finally {
      this.#weights.rollback();
    }
  }

  /**
   * The graph with a factor for each grounding of each rule. Called again it adds what rules and rows that came since make: all variables, factors
   * and weights that were there stay as they are.
   *
   * @throws OptionError or DataError for rules that cannot be grounded, before the graph is changed
   */
  ground(): FactorGraph {
    this.#refuseBusy();
    let groundings: Grounding[];
    const tally = new Tally(this.#room);
    try {
      groundings = this.#prepare();
      for (const grounding of groundings) tally.add(grounding.measure(tally.room, true), () => grounding.tooMuch(tally.room));
    } catch (error) {
      this.#weights.rollback();
      throw error;
    }
    return this.#emit(groundings, tally.factors, tally.edges);
  }

  /**
   * `ground()` by joins of a database, for tables whose indexes and joins would take too much of this program's memory or time: `duckdb()` of `@ergodic/ingest`. The graph is the same, its
   * factors in the same order; weights, features and conditions stay functions here. Until it resolves, nothing else may be asked of this knowledge base.
   *
   * @throws OptionError or DataError for rules that cannot be grounded, before the graph is changed
   */
  async groundBy(joiner: Joiner): Promise<FactorGraph> {
    if (!holds(joiner, "begin"))
      refuse(`${WHERE}.groundBy`, "joiner", joiner, "what joins tables", "await duckdb() of @ergodic/ingest");
    let groundings: Grounding[];
    const tally = new Tally(this.#room);
    let session: JoinSession | undefined;
    this.#refuseBusy();
    this.#busy = true;
    try {
      groundings = this.#prepare();
      session = await joiner.begin();
      const views = [...new Set(groundings.flatMap((one) => (one.passes.length > 0 ? one.views : [])))];
      for (const [table, view] of views.entries())
        await session.load(
          table,
          view.facts.columns.map((_, column) => view.codes(column).subarray(0, view.rowCount)),
        );
      for (const grounding of groundings) {
        const measured = await grounding.measureBy(session, tally.room, (view) => views.indexOf(view));
        tally.add(measured, () => grounding.tooManyFound(tally.room));
      }
    } catch (error) {
      this.#weights.rollback();
      throw error;
    } finally {
      this.#busy = false;
      await session?.end();
    }
    return this.#emit(groundings, tally.factors, tally.edges);
  }

  #emit(groundings: readonly Grounding[], factors: number, edges: number): FactorGraph {
    const graph = this.#graph;
    for (const view of this.#unknowns()) this.#makeVariables(view);
    this.#weights.commit(graph);
    graph.plan(factors, edges);
    for (const grounding of groundings) grounding.emit(graph, this.#weights);
    for (const view of this.#views.values()) view.grounded = view.rowCount;
    this.#grounded = groundings.length;
    return graph;
  }

  #refuseBusy(): void {
    if (this.#busy)
      throw new OptionError(
        `${WHERE}.ground`,
        "groundBy() is under way; await it before anything else is grounded",
        "OPTION_MEANING",
      );
  }

  /** The number of the variable that an unknown is in the graph. @throws OptionError where there is none */
  variable<S, N extends string>(query: Query<S, N>, key: S): number {
    const view = this.#viewOf(query as unknown as Query, "variable");
    return this.#variableOf(view, (view.facts as Unknowns).rowOf(key as Record<string, Cell>));
  }

  /** What an answer of `infer` says of all unknowns of a query, in the order of its rows. */
  beliefs<S, N extends string>(query: Query<S, N>, answer: Beliefs): UnknownBelief<S>[] {
    const view = this.#viewOf(query as unknown as Query, "beliefs");
    const facts = view.facts as Unknowns;
    return Array.from({ length: view.variables.length }, (_, row) => {
      const { p, certificate } = answer.marginal(view.variables.data[row]);
      const best = p.indexOf(p.reduce((a, b) => Math.max(a, b)));
      const label = facts.labels.data[row];
      const states = facts.domain.labels!;
      return {
        key: facts.keyOf(row) as S,
        p: facts.domain.boolean ? p[1] : p[best],
        state: states[best],
        certificate,
        ...(label < 0 ? {} : { label: facts.chanceOf(row) ?? states[label] }),
        heldOut: facts.heldOut.data[row] === 1,
      };
    });
  }

  /**
   * The factors about one unknown, by how much they speak for or against it, the strongest first. Factors about several unknowns are read with the others
   * as observed or, by the answer, most probable, and weights are those that the answer was computed with.
   */
  why<S, N extends string>(query: Query<S, N>, key: S, answer: Beliefs): Reasons {
    const view = this.#viewOf(query as unknown as Query, "why");
    const row = (view.facts as Unknowns).rowOf(key as Record<string, Cell>);
    this.#variableOf(view, row);
    const stateOf = (variable: number): number => {
      const { p } = answer.marginal(variable);
      return p.indexOf(p.reduce((a, b) => Math.max(a, b)));
    };
    const graph = this.#graphOf(answer);
    const reasons = new Reasons();
    for (const rule of this.#rules.slice(0, this.#grounded))
      rule.atoms.forEach((atom, number) => {
        const grounding = this.#groundingOf(rule);
        // `exists` has no word about the unknown's state.
        if (atom.facts !== view.facts || !grounding.literals.includes(number)) return;
        const found = reasonsOf(grounding, number, row, graph, this.#weights, stateOf);
        for (const reason of found) reasons.push(reason);
      });
    return reasons.sort((a, b) => Math.abs(b.pull) - Math.abs(a.pull));
  }

  /** Whether probabilities are right on average, by the labels that a query keeps back; of several states, each is one statement. */
  calibration<S, N extends string>(query: Query<S, N>, answer: Beliefs, options: { bins?: number } = {}): CalibrationTable {
    const where = `${WHERE}.calibration`;
    checkKeys(where, options, ["bins"]);
    const { bins = 10 } = options;
    checkNumber(where, "bins", bins, { low: 1, high: 1000, integer: true });
    const view = this.#viewOf(query as unknown as Query, "calibration");
    const facts = view.facts as Unknowns;
    const { heldOut, labels, domain, place } = facts;
    const given: number[] = [];
    const truth: number[] = [];
    for (let row = 0; row < view.variables.length; row++) {
      if (heldOut.data[row] !== 1) continue;
      const { p } = answer.marginal(view.variables.data[row]);
      for (let state = domain.boolean ? 1 : 0; state < p.length; state++) {
        given.push(p[state]);
        truth.push(facts.chanceOf(row) ?? (labels.data[row] === state ? 1 : 0));
      }
    }
    if (given.length === 0)
      throw new OptionError(where, `${place} keeps no labels back; give it label and holdOut: 0.2`, "OPTION_MEANING");
    return new CalibrationTable(given, truth, bins);
  }

  /** A line that says what there is. */
  toString(): string {
    return `knowledge base: ${this.#rules.length} rules, ${this.#grounded} of them grounded; ${this.#graph}`;
  }

  /** The graph with the weights that an answer was computed with; weights that came since have their current values. */
  #graphOf({ weights }: Beliefs): FactorGraph {
    const graph = this.#graph;
    if (weights === undefined) return graph;
    return graph.withWeights(
      Float64Array.from({ length: graph.weightCount }, (_, id) => weights[id] ?? graph.weightState(id).value),
    );
  }

  get #room(): number {
    return Math.min(MOST_ENGINE, this.#options.memory * 2 ** 30) - this.#graph.byteLength;
  }

  #unknowns(): FactsView[] {
    return [...this.#views.values()].filter(({ facts }) => facts instanceof Unknowns);
  }

  /** Joins of what is new. */
  #prepare(): Grounding[] {
    for (const rule of this.#rules)
      for (const { facts } of rule.atoms)
        if (facts.rowCount === 0)
          throw new OptionError(
            rule.place,
            `${facts.place} has no rows, so that the rule says nothing; add rows, or leave the rule out`,
            "DATA_EMPTY",
          );
    for (const view of this.#views.values()) view.update(this.#dictionary);
    return this.#rules.map((rule, number) => {
      const grounding = this.#groundingOf(rule);
      grounding.plan(number < this.#grounded);
      return grounding;
    });
  }

  #groundingOf(rule: WeightedRule): Grounding {
    let grounding = this.#groundings.get(rule);
    if (grounding === undefined) {
      grounding = new Grounding(rule, (atom) => this.#views.get(rule.atoms[atom].facts)!, this.#dictionary, this.#weights);
      this.#groundings.set(rule, grounding);
    }
    return grounding;
  }

  #makeVariables(view: FactsView): void {
    const facts = view.facts as Unknowns;
    const { given } = facts.domain;
    for (let row = view.variables.length; row < view.rowCount; row++) {
      const label = facts.heldOut.data[row] === 0 ? facts.labels.data[row] : -1;
      const chance = label < 0 ? undefined : facts.chanceOf(row);
      const options = chance === undefined ? {} : { truthiness: [1 - chance, chance] };
      const variable = this.#graph.variable(this.#options.names ? facts.title(row) : undefined, given, options);
      view.variables.push(variable);
      if (label >= 0 && chance === undefined) this.#graph.observe(variable, facts.domain.labels![label]);
    }
  }

  #viewOf(query: Query, method: string): FactsView {
    const view = typeof query === "function" ? this.#views.get(query.facts) : undefined;
    if (view !== undefined && view.facts instanceof Unknowns) return view;
    const known = this.#unknowns().map(({ facts }) => facts.name);
    throw new OptionError(
      `${WHERE}.${method}`,
      `${shown(query)} was given, but must be a query that rules are about: ${known.join(", ") || "there is none yet"}`,
      "OPTION_TYPE",
    );
  }

  #variableOf(view: FactsView, row: number): number {
    if (row < view.variables.length) return view.variables.data[row];
    throw new OptionError(view.facts.place, "this unknown is not in the graph yet; call ground() first", "OPTION_MEANING");
  }
}

/**
 * A knowledge base of rules: `ground()` joins their relations, in memory, and makes a factor graph of weighted functions, for `infer` and for learning
 * the weights.
 */
export function knowledgeBase(rules: readonly WeightedRule[] = [], options: KnowledgeBaseOptions = {}): KnowledgeBase {
  if (!Array.isArray(rules)) refuse("knowledgeBase", "rules", rules, "a list of rules", "knowledgeBase([weightedRule({ … })])");
  return new KnowledgeBase(options).add(...rules);
}

/** What the factors of rules measured so far take together, and the bytes that are left for others. */
class Tally {
  factors = 0;
  edges = 0;
  room: number;

  constructor(room: number) {
    this.room = room;
  }

  add({ bytes, factors, edges }: { bytes: number; factors: number; edges: number }, tooMuch: () => Error): void {
    if (bytes > this.room) throw tooMuch();
    this.room -= bytes;
    this.factors += factors;
    this.edges += edges;
  }
}
