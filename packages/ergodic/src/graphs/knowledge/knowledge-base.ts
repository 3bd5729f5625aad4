import type { Certificate } from "../../engine/contract/index.ts";
import { checkBoolean, holds, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { isListOf } from "../../engine/errors/list-of.ts";
import { shown } from "../../engine/errors/shown.ts";
import { MOST_ENGINE } from "../../engine/memory/room.ts";
import { type FactorGraph, factorGraph } from "../model/graph.ts";
import { CalibrationTable } from "./calibration.ts";
import { Caveat } from "./caveat.ts";
import type { Cell, Facts } from "./facts.ts";
import { ruleFindings } from "./findings.ts";
import { Grounding } from "./grounding.ts";
import { GroundingPlan, rulePlan } from "./grounding-plan.ts";
import type { Joiner, JoinSession } from "./joiner.ts";
import { type Query, Unknowns } from "./query.ts";
import { WeightedRule } from "./rule.ts";
import { Reading } from "./sums.ts";
import { Tally } from "./tally.ts";
import { Dictionary, FactsView } from "./views.ts";
import { Weights } from "./weights.ts";
import { Reasons, reasonsOf } from "./why.ts";

const WHERE = "knowledgeBase";

/** Options of `knowledgeBase()`. */
export interface KnowledgeBaseOptions {
  /** Memory limit of the graph in GiB, at most 4 (the default). */
  memory?: number;
  /**
   * Whether variables of the graph are named after the unknowns, as in `holds("Rome", 2.8)`. Costs about 300 bytes per
   * name. Default: false.
   */
  names?: boolean;
}

/** Probabilities of a graph's variables, as returned by `infer`. */
export interface Beliefs {
  /** Weights used for the inference, by weight index. Default: the weights in the knowledge base's graph. */
  readonly weights?: Float64Array | undefined;
  /** Returns the marginal of the variable with this index. */
  marginal(variable: number): { readonly p: readonly number[]; readonly certificate: Certificate };
}

/** An unknown with its inferred probability. */
export interface UnknownBelief<S> {
  /** Key of the unknown. */
  readonly key: S;
  /** Probability of the most probable state; for a Boolean, the probability of being true. */
  readonly p: number;
  /** The most probable state. */
  readonly state: string;
  /** Certificate of accuracy for `p`: exact, bounds, an interval, or another kind. */
  readonly certificate: Certificate;
  /** Known label, whether observed or held out. A number is the probability that the fact is true. */
  readonly label?: string | number;
  /** Whether the label is held out. */
  readonly heldOut: boolean;
}

/**
 * Rules over relations and unknowns, together with the factor graph that they produce. Created by `knowledgeBase()`.
 */
export class KnowledgeBase {
  protected static readonly typeName: string = "KnowledgeBase";
  readonly #rules: WeightedRule[] = [];
  /** Number of rules already in the graph. */
  #grounded = 0;
  /** Whether an external join is running. */
  #busy = false;
  readonly #views = new Map<Facts, FactsView>();
  readonly #dictionary = new Dictionary();
  readonly #weights = new Weights();
  readonly #groundings = new Map<WeightedRule, Grounding>();
  readonly #graph: FactorGraph;
  readonly #options: Required<KnowledgeBaseOptions>;

  /** Use `knowledgeBase()` instead. */
  constructor(options: KnowledgeBaseOptions) {
    checkKeys(WHERE, options, ["memory", "names"]);
    const { memory = 4, names = false } = options;
    checkBoolean(WHERE, "names", names);
    this.#options = { memory, names };
    this.#graph = factorGraph({ memory });
  }

  /** Adds rules. `ground()` turns rules into factors. */
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
        throw new OptionError(rule.place, "there is a rule of this name already; give this rule another name", "NAME_TAKEN");
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

  /**
   * Previews `ground()`: returns joins, counts and sizes for everything that is not yet in the graph. Changes nothing.
   */
  explain(): GroundingPlan {
    this.#refuseBusy();
    try {
      const plans = this.#prepare().map((grounding) => rulePlan(grounding, grounding.measure(this.#room, false)));
      let variables = 0;
      for (const view of this.#unknowns()) variables += view.rowCount - view.variables.length;
      return new GroundingPlan(variables, plans, this.findings);
    } finally {
      this.#weights.rollback();
    }
  }

  /**
   * Rules that probably do not do what is intended: "backward" for a rule that changes the probabilities of its body
   * although nothing is known about its head, "unlabelled" for a rule with learned weights although nothing is known
   * about its head. Labels count as known unless they are held out. If a function gives the weights, they are known once
   * `ground()` has called it.
   */
  get findings(): readonly Finding[] {
    return ruleFindings(this.#rules, this.#weights, this.#graph, (facts) => this.#views.get(facts)!);
  }

  /**
   * Returns the graph, with a factor for each grounding of each rule. A later call adds only the factors for rules and
   * rows added since. Existing variables, factors and weights stay unchanged.
   *
   * @throws OptionError or DataError if a rule cannot be grounded; the graph is then unchanged
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
   * Does the same as `ground()`, but a database such as `duckdb()` of `@ergodic/ingest` computes the joins. Use
   * `groundBy()` if the joins would take too much memory or time in this process. The result has the same factors in
   * the same order; weights, features and conditions remain JavaScript functions. Do not use the knowledge base until
   * the promise resolves.
   *
   * @throws OptionError or DataError if a rule cannot be grounded; the graph is then unchanged
   */
  async groundBy(joiner: Joiner): Promise<FactorGraph> {
    if (!holds(joiner, "begin"))
      refuse(`${WHERE}.groundBy`, "joiner", joiner, "a joiner of tables", "await duckdb() of @ergodic/ingest");
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
        "groundBy() is still running; await it before anything else is grounded",
        "OPTION_MEANING",
      );
  }

  /** Returns the index of the graph variable for an unknown. @throws OptionError if there is none */
  variable<S, N extends string>(query: Query<S, N>, key: S): number {
    const view = this.#viewOf(query as unknown as Query, "variable");
    return this.#variableOf(view, (view.facts as Unknowns).rowOf(key as Record<string, Cell>));
  }

  /** Returns the beliefs about all unknowns of a query, in row order, from an answer of `infer`. */
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
   * Explains one unknown: returns the factors about it, sorted by how strongly they argue for or against it. In a
   * factor of several unknowns, the other unknowns have their observed or most probable states. The explanation uses
   * the weights with which the answer was computed. `sums` has the sum of the contributions and the probability.
   */
  why<S, N extends string>(query: Query<S, N>, key: S, answer: Beliefs): Reasons {
    const view = this.#viewOf(query as unknown as Query, "why");
    const row = (view.facts as Unknowns).rowOf(key as Record<string, Cell>);
    const variable = this.#variableOf(view, row);
    const observed = this.#graph.observedState(variable) >= 0;
    const reading = new Reading(answer, { variable, domain: (view.facts as Unknowns).domain, observed });
    const graph = this.#graphOf(answer);
    const reasons = new Reasons();
    for (const rule of this.#rules.slice(0, this.#grounded))
      rule.atoms.forEach((atom, number) => {
        const grounding = this.#groundingOf(rule);
        // `exists` atoms do not depend on the unknown's state.
        if (atom.facts !== view.facts || !grounding.literals.includes(number)) return;
        const found = reasonsOf(grounding, number, row, graph, this.#weights, reading.stateOf);
        for (const reason of found) reasons.push(reason);
      });
    reasons.sort((a, b) => Math.abs(b.pull) - Math.abs(a.pull));
    Object.assign(reasons, reading.sums(reasons));
    // Assigned only if present, because printing shows every property of an array.
    if (reading.caveat !== undefined) reasons.caveat = reading.caveat;
    return reasons;
  }

  /**
   * Compares probabilities with a query's held-out labels. If an unknown has several states, each state counts as one
   * statement.
   */
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
    const caveat = new Caveat();
    for (let row = 0; row < view.variables.length; row++) {
      if (heldOut.data[row] !== 1) continue;
      const { p, certificate } = answer.marginal(view.variables.data[row]);
      caveat.add(certificate);
      for (let state = domain.boolean ? 1 : 0; state < p.length; state++) {
        given.push(p[state]);
        truth.push(facts.chanceOf(row) ?? (labels.data[row] === state ? 1 : 0));
      }
    }
    if (given.length === 0)
      throw new OptionError(where, `${place} holds no labels out; give it label and holdOut: 0.2`, "OPTION_MEANING");
    return new CalibrationTable(given, truth, bins, caveat.text);
  }

  /** Returns a one-line summary. */
  toString(): string {
    return `knowledge base: ${this.#rules.length} rules, ${this.#grounded} of them grounded; ${this.#graph}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Returns the graph with the weights used for the answer. Weights that were added after the answer keep their current
   * values.
   */
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

  /** Prepares joins over everything that is new. */
  #prepare(): Grounding[] {
    for (const rule of this.#rules)
      for (const { facts } of rule.atoms)
        if (facts.rowCount === 0)
          throw new OptionError(
            rule.place,
            `${facts.place} has no rows, so the rule has no effect; add rows, or leave the rule out`,
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
      `${shown(query)} was given, but must be a query that the rules mention: ${known.join(", ") || "there is none yet"}`,
      "OPTION_TYPE",
    );
  }

  #variableOf(view: FactsView, row: number): number {
    if (row < view.variables.length) return view.variables.data[row];
    throw new OptionError(view.facts.place, "this unknown is not in the graph yet; call ground() first", "OPTION_MEANING");
  }
}

/**
 * Creates a knowledge base. `ground()` joins the relations of its rules in memory and produces a factor graph.
 * @param rules weighted rules to start with. Default: none
 * @param options memory limit of the graph (default 4 GiB), and whether its variables have names
 */
export function knowledgeBase(rules: readonly WeightedRule[] = [], options: KnowledgeBaseOptions = {}): KnowledgeBase {
  if (!isListOf(rules, (rule) => typeof rule === "object"))
    refuse("knowledgeBase", "rules", rules, "a list of rules", "knowledgeBase([weightedRule({ … })])");
  return new KnowledgeBase(options).add(...rules);
}
