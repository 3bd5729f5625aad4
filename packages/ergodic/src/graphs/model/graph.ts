/** The graph that users build. Long because one class holds all kinds of factors. */
import type { Conditionals, FactorTables, JsonObject, TableFactor } from "../../engine/contract/index.ts";
import { checkBoolean, checkNumbers, made, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { checkRoom, MOST_ENGINE, MOST_OBJECTS } from "../../engine/memory/room.ts";
import { atOnce } from "../../engine/threads/steps.ts";
import { columning } from "./conditionals.ts";
import { type StateName, type States, stateOf } from "./domains.ts";
import { type Evidence, Observations } from "./evidence.ts";
import type { GraphFactor, NestedNumbers, Weight, WeightedOptions, WeightState } from "./factor-types.ts";
import { type LogicalFunction, logicalFunctionNames } from "./functions.ts";
import { graphToJson } from "./json-form.ts";
import type { LiteralLike, VariableName } from "./literals.ts";
import { flatValues } from "./nested.ts";
import { checkDistinct, literalsOf, scopeOf, weightNumber, weightOf } from "./resolve.ts";
import { type StoredFactor, Structure } from "./structure.ts";
import { denseTable, tabling } from "./tables.ts";

const WHERE = "factorGraph";
/** Largest number of entries of a factor returned as a table. */
const MOST_ENTRIES = 2 ** 24;

/** Options of `variable()`. */
export interface VariableOptions {
  /** Degree of truth of each state, 0 to 1. Unless the variable is observed, `fit` treats it as an uncertain label. */
  truthiness?: ArrayLike<number>;
  /** State in which samplers start. Default: the first state. */
  initial?: StateName;
}

/** Graph of discrete variables and factors, p(x) ∝ Π φ(x). Created by `factorGraph()` or `readUai`, read by `infer`. */
export class FactorGraph {
  protected static readonly typeName: string = "FactorGraph";
  readonly #structure: Structure;
  readonly #observations: Observations;

  constructor(structure: Structure, observations?: Observations) {
    this.#structure = made("FactorGraph", structure, "budget", "the structure of a graph", "factorGraph()");
    this.#observations = observations ?? new Observations(structure.budget);
  }

  /** Identifies the learner of the weights: see `fit`. */
  get trainable(): { readonly by: "graph" } {
    return { by: "graph" };
  }
  /** Number of variables. */
  get variableCount(): number {
    return this.#structure.variableCount;
  }
  /** Number of factors. */
  get factorCount(): number {
    return this.#structure.factorCount;
  }
  /** Number of weights. */
  get weightCount(): number {
    return this.#structure.weightCount;
  }
  /** Number of edges, that is, of (factor, variable) pairs. */
  get edgeCount(): number {
    return this.#structure.edgeCount;
  }
  /** Number of bytes in the graph's arrays, including spare capacity but not names. */
  get byteLength(): number {
    return this.#structure.budget.used;
  }

  /**
   * Adds a variable and returns its index. `states`: number of states, or their names. Default: a Boolean. An unnamed
   * variable is called x followed by its index. `truthiness`: degree of truth of each state. `fit` treats it as a label
   * y with probabilities q, and maximises E_q ln P(evidence, y). `initial`: state in which samplers start (default: the
   * first). Inference uses neither of the two.
   */
  variable(name?: string, states?: States, options: VariableOptions = {}): number {
    const where = `${WHERE}.variable${name === undefined ? "" : `: "${name}"`}`;
    checkKeys(where, options, ["truthiness", "initial"]);
    const variable = this.#structure.addVariable(where, name, states);
    const { truthiness, initial } = options;
    if (truthiness !== undefined) {
      checkNumbers(where, "truthiness", truthiness, { low: 0, high: 1 }, "[0.2, 0.8]");
      const count = this.stateCount(variable);
      if (truthiness.length !== count)
        throw new OptionError(
          where,
          `truthiness has ${truthiness.length} numbers, but the variable has ${count} states; give one number for each`,
          "OPTION_RANGE",
        );
      this.#structure.truthiness.set(variable, Float64Array.from(truthiness));
    }
    if (initial !== undefined) this.#structure.initials.set(variable, stateOf(where, this.#structure.domain(variable), initial));
    return variable;
  }

  /** Adds a weight that factors can share. Default value 0. With `fixed`, learning leaves it unchanged. */
  weight(name?: string, value = 0, options: { fixed?: boolean } = {}): Weight {
    const where = `${WHERE}.weight`;
    checkKeys(where, options, ["fixed"]);
    checkNumber(where, "value", value);
    if (options.fixed !== undefined) checkBoolean(where, "fixed", options.fixed);
    return { id: this.#structure.addWeight(where, name, value, options.fixed ?? false) };
  }

  /** Adds a factor φ(x) ≥ 0 as a nested or flat table (last axis fastest). `logs`: values are ln φ, −Infinity for 0. */
  table(variables: readonly VariableName[], values: NestedNumbers | number, options: { logs?: boolean } = {}): number {
    const where = `${WHERE}.table`;
    checkKeys(where, options, ["logs"]);
    const { logs = false } = options;
    checkBoolean(where, "logs", logs);
    const scope = scopeOf(this.#structure, where, variables);
    const shape = scope.map((variable) => this.stateCount(variable));
    const flat = flatValues(where, shape, (axis) => this.variableName(scope[axis]), values, logs);
    return this.#structure.addFactor({ kind: "table", variables: scope, values: flat, logs });
  }

  /** Adds a factor exp(weight · feature · value) of a function of literals, by name. The head is the last literal. */
  logicalFactor(name: LogicalFunction, literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    if (!logicalFunctionNames.includes(name))
      throw new OptionError(
        `${WHERE}.logicalFactor`,
        `the function is ${shown(name)}, but must be one of ${logicalFunctionNames.join(", ")}`,
        "OPTION_RANGE",
      );
    return this.#logical(name, literals, options);
  }

  /** Adds a factor with value 1 if the body is false or the head is true (Markov logic), else 0. */
  imply(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("imply", [...list("imply", body), head], options);
  }
  /** Adds a factor with value 0 if the body is false, 1 if body and head are true, and −1 if only the body is true. */
  implyNatural(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("implyNatural", [...list("implyNatural", body), head], options);
  }
  /** Adds a factor with the number of body literals that imply the head as its value. */
  linear(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("linear", [...list("linear", body), head], options);
  }
  /** Adds a factor with value log2(1 + n), where n is the number of body literals that imply the head. */
  ratio(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("ratio", [...list("ratio", body), head], options);
  }
  /** Adds a factor with value 1 if any body literal implies the head, else 0. */
  logical(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("logical", [...list("logical", body), head], options);
  }
  /** Adds a factor with value 1 if any literal holds, else −1. */
  or(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("or", literals, options);
  }
  /** Adds a factor with value 1 if all literals hold, else −1. */
  and(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("and", literals, options);
  }
  /** Adds a factor with value 1 if all literals hold, else 0. */
  all(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("all", literals, options);
  }
  /** Adds a factor with value 1 if all literals hold or none does, else −1. */
  equal(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("equal", literals, options);
  }
  /** Adds a factor with value 1 if the literal holds, else −1. */
  isTrue(literal: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("isTrue", [literal], options);
  }

  /**
   * Adds a noisy-or P(child | parents): each parent that holds turns the child on with its own probability,
   * independently of the others. Even if no parent holds, the leak (default 0) turns it on.
   */
  noisyOr(child: LiteralLike, parents: readonly (readonly [LiteralLike, number])[], options: { leak?: number } = {}): number {
    const where = `${WHERE}.noisyOr`;
    checkKeys(where, options, ["leak"]);
    const { leak = 0 } = options;
    checkNumber(where, "leak", leak, { low: 0, high: 1 });
    if (!Array.isArray(parents) || !parents.every((pair) => Array.isArray(pair) && pair.length === 2))
      refuse(where, "parents", parents, "a list of pairs", '[["cold", 0.8], ["flu", 0.9]]');
    parents.forEach(([, p], i) => {
      checkNumber(where, `the probability of parents[${i}]`, p, { low: 0, high: 1 });
    });
    const factor = literalsOf(this.#structure, where, [...parents.map(([parent]) => parent), child]);
    if (this.stateCount(factor.variables.at(-1)!) !== 2)
      throw new OptionError(where, "the child has more than two states, but must be on or off", "OPTION_MEANING");
    return this.#structure.addFactor({ kind: "noisyOr", ...factor, probabilities: [...parents.map(([, p]) => p), leak] });
  }

  /** Adds a factor that is 1 if exactly one of the literals holds, else 0. */
  oneOf(literals: readonly LiteralLike[]): number {
    return this.#structure.addFactor({ kind: "oneOf", ...literalsOf(this.#structure, `${WHERE}.oneOf`, literals) });
  }

  /** Adds a factor that is 1 if at most `most` of the literals hold, else 0. */
  atMost(most: number, literals: readonly LiteralLike[]): number {
    const where = `${WHERE}.atMost`;
    checkNumber(where, "the number", most, { low: 0, high: 2 ** 31, integer: true });
    return this.#structure.addFactor({ kind: "atMost", ...literalsOf(this.#structure, where, literals), most });
  }

  /** Adds a weighted function, given the indices of its variables, of the states of its literals, and of its weight. */
  addFactor(name: LogicalFunction, variables: ArrayLike<number>, states: ArrayLike<number>, weight: number, feature = 1): number {
    const where = `${WHERE}.addFactor`;
    if (!logicalFunctionNames.includes(name)) throw new OptionError(where, `there is no function ${shown(name)}`, "OPTION_RANGE");
    checkNumber(where, "weight", weight, { low: 0, high: this.weightCount - 1, integer: true });
    checkNumber(where, "feature", feature);
    if (variables.length === 0) throw new OptionError(where, "there are no variables, but must be at least one", "OPTION_RANGE");
    for (let i = 0; i < variables.length; i++) {
      const { count } = this.#structure.domain(this.#structure.variable(where, variables[i]));
      checkNumber(where, `states[${i}]`, states[i], { low: 0, high: count - 1, integer: true });
    }
    checkDistinct(this.#structure, where, variables);
    return this.#structure.addFactor({ kind: name, variables, states, weight, feature });
  }

  /** Announces how many more factors and edges will be added, so that arrays grow only once. */
  plan(factors: number, edges: number): this {
    for (const [name, count] of Object.entries({ factors, edges }))
      checkNumber(`${WHERE}.plan`, name, count, { low: 0, integer: true });
    this.#structure.plan(factors, edges);
    return this;
  }

  /** Records that the variable (name or index) was observed in this state. */
  observe(variable: VariableName, state: StateName): this {
    if (typeof state === "object") refuse(`${WHERE}.observe`, "state", state, "a state", '"yes"; likelihoods are for soft()');
    this.#observations.add(`${WHERE}.observe`, this.#structure, variable, state);
    return this;
  }

  /** Sets soft evidence, a likelihood per state up to a constant factor. Replaces earlier soft evidence. */
  soft(variable: VariableName, likelihood: ArrayLike<number>): this {
    const number = this.#structure.variable(`${WHERE}.soft`, variable);
    const where = `${WHERE}.soft: "${this.variableName(number)}"`;
    this.#observations.soften(where, this.#structure, number, likelihood);
    return this;
  }

  /** Returns a copy with more evidence. Factors are shared, even if they are added later. This graph is unchanged. */
  withEvidence(evidence: Evidence): FactorGraph {
    const observations = this.#observations.clone();
    observations.addAll("evidence", this.#structure, evidence);
    return new FactorGraph(this.#structure, observations);
  }

  /** Returns a graph with the same factors and these weight values, by weight index. This graph stays unchanged. */
  withWeights(values: ArrayLike<number>): FactorGraph {
    return new FactorGraph(this.#structure.withWeights(), this.#observations).setWeights(values);
  }

  /** Returns a graph without evidence on these variables, and with the same factors. This graph stays unchanged. */
  withoutEvidence(variables: Iterable<VariableName>): FactorGraph {
    const observations = this.#observations.clone();
    for (const variable of variables) observations.forget(this.variableNumber(variable));
    return new FactorGraph(this.#structure, observations);
  }

  /** Returns the index of a variable. @throws OptionError that suggests the nearest name if it is unknown */
  variableNumber(name: VariableName): number {
    return this.#structure.variable(WHERE, name);
  }
  /** Returns the name of a variable. An unnamed variable is named after its index, such as x7. */
  variableName(variable: VariableName): string {
    return this.#structure.name(this.variableNumber(variable));
  }
  /** Returns the number of states of a variable. */
  stateCount(variable: VariableName): number {
    return this.#structure.domain(this.variableNumber(variable)).count;
  }
  /** Returns the names of a variable's states ("false" and "true" for a Boolean). */
  stateNames(variable: VariableName): string[] {
    const number = this.variableNumber(variable);
    checkRoom(WHERE, `the names of ${this.stateCount(number)} states`, 32 * this.stateCount(number), MOST_OBJECTS);
    return Array.from({ length: this.stateCount(number) }, (_, state) => this.#structure.label(number, state));
  }
  /** Returns the arguments of `variable()`: name and states if given, truthiness, and initial state if it is not 0. */
  variableAt(variable: number): { name?: string; states?: States; truthiness?: Float64Array; initial?: number } {
    const number = this.variableNumber(variable);
    const name = this.#structure.givenName(number);
    const { given } = this.#structure.domain(number);
    const truthiness = this.#structure.truthiness.get(number);
    const initial = this.#structure.initialState(number);
    return {
      ...(name === undefined ? {} : { name }),
      ...(given === undefined ? {} : { states: given }),
      ...(truthiness ? { truthiness } : {}),
      ...(initial > 0 ? { initial } : {}),
    };
  }
  /** Returns the index of the observed state, or −1 if the variable is unobserved. */
  observedState(variable: VariableName): number {
    return this.#observations.state(this.variableNumber(variable));
  }
  /** Returns the soft evidence on a variable, as a likelihood per state, or undefined if there is none. */
  softEvidence(variable: VariableName): Float64Array | undefined {
    return this.#observations.soft.get(this.variableNumber(variable))?.slice();
  }

  /** Returns a factor as it was given. */
  factorAt(factor: number): GraphFactor {
    const { variables, states, probabilities, values, ...rest } = this.#stored(factor);
    return {
      ...rest,
      variables: [...variables],
      states: rest.kind === "table" ? [] : [...states],
      ...(probabilities === undefined ? {} : { probabilities: Array.from(probabilities) }),
      ...(values === undefined ? {} : { values: Float64Array.from(values) }),
    };
  }

  /** Returns a factor as a table. @throws CapabilityError if the table has more than 2^24 entries */
  factorTable(factor: number): TableFactor {
    return denseTable(this.#structure, this.#stored(factor), factor, MOST_ENTRIES);
  }

  /** Returns the index of a weight, given as a `weight()` result, a name or an index. @throws OptionError if unknown */
  weightNumber(weight: Weight | string | number): number {
    return weightNumber(this.#structure, WHERE, weight);
  }
  /** Returns the current state of a weight. The weight is given as a `weight()` result, a name or an index. */
  weightState(weight: Weight | string | number): WeightState {
    return this.#structure.weight(this.weightNumber(weight));
  }
  /** Sets the values of all weights, in index order. */
  setWeights(values: ArrayLike<number>): this {
    const where = `${WHERE}.setWeights`;
    if (values.length !== this.weightCount)
      throw new OptionError(
        where,
        `${values.length} values were given, but there are ${this.weightCount} weights`,
        "OPTION_RANGE",
      );
    for (let id = 0; id < values.length; id++) checkNumber(where, `values[${id}]`, values[id]);
    for (let id = 0; id < values.length; id++) this.#structure.setWeight(id, values[id]);
    return this;
  }

  /** Returns the factors as columns, for samplers. Wide noisy-or factors become chains of small tables. */
  conditionals(): Conditionals {
    return atOnce(this.columning());
  }
  /** Same as `conditionals()`, but yields every few milliseconds. */
  columning(): Generator<void, Conditionals> {
    return columning(this.#structure, this.#observations);
  }

  /** Returns the factors as tables. Wide factors become chains that fit the task: sums, or (for "map") a maximum. */
  factorTables(task: "marginals" | "partition" | "map"): FactorTables {
    return atOnce(this.tabling(task));
  }
  /** Same as `factorTables()`, but yields every few milliseconds. */
  tabling(task: "marginals" | "partition" | "map"): Generator<void, FactorTables> {
    return tabling(this.#structure, this.#observations, task);
  }

  /** Returns the graph as JSON. `factorGraphFromJson` rebuilds the same graph from it. */
  toJSON(): JsonObject {
    return graphToJson(this.#structure, this.#observations);
  }

  /** Returns a one-line summary of the graph. */
  toString(): string {
    const kinds = [...this.#structure.counts()].map(([kind, count]) => `${kind} ${count.toLocaleString("en")}`);
    const counted = (count: number, of: string, many = `${of}s`): string =>
      `${count.toLocaleString("en")} ${count === 1 ? of : many}`;
    const seen = this.#observations.count();
    const parts = [
      counted(this.variableCount, "variable"),
      `${counted(this.factorCount, "factor")}${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}`,
      counted(this.edgeCount, "edge"),
      ...(this.weightCount > 0 ? [counted(this.weightCount, "weight")] : []),
      ...(seen > 0 ? [`${seen.toLocaleString("en")} observed`] : []),
      ...(this.#observations.soft.size > 0 ? [`soft evidence of ${this.#observations.soft.size.toLocaleString("en")}`] : []),
    ];
    return `factor graph: ${parts.join(", ")}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  #logical(kind: LogicalFunction, given: readonly LiteralLike[], options: WeightedOptions): number {
    const where = `${WHERE}.${kind}`;
    checkKeys(where, options, ["weight", "feature"]);
    const { weight = 1, feature = 1 } = options;
    checkNumber(where, "feature", feature);
    const literals = literalsOf(this.#structure, where, given);
    return this.#structure.addFactor({ kind, ...literals, weight: weightOf(this.#structure, where, weight), feature });
  }

  #stored(factor: number): ReturnType<Structure["factor"]> & StoredFactor {
    checkNumber(WHERE, "the factor", factor, { low: 0, high: this.factorCount - 1, integer: true });
    return this.#structure.factor(factor);
  }
}

function list(name: string, body: readonly LiteralLike[]): readonly LiteralLike[] {
  if (!Array.isArray(body)) refuse(`${WHERE}.${name}`, "the body", body, "a list of literals", '["a", not("b")]');
  return body;
}

/** Creates an empty factor graph. */
export function factorGraph(
  options: {
    /** Largest size of the graph's arrays in GiB, > 0. Default 4; at most 4. */
    memory?: number;
  } = {},
): FactorGraph {
  checkKeys(WHERE, options, ["memory"]);
  const { memory = 4 } = options;
  checkNumber(WHERE, "memory", memory, { low: 0, high: 4, open: true });
  return new FactorGraph(new Structure(Math.min(MOST_ENGINE, memory * 2 ** 30)));
}
