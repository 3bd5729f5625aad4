import type { Conditionals, FactorTables, JsonObject, TableFactor } from "../../engine/contract/index.ts";
import { checkBoolean, checkNumbers, refuse } from "../../engine/errors/checks.ts";
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
/** Entries of a factor that is asked for as a table. */
const MOST_ENTRIES = 2 ** 24;

/** Options of `variable()`. */
export interface VariableOptions {
  /** By state, how true it is held to be, from 0 to 1: in learning, over their sum, the probabilities of its label, unless it was observed. */
  truthiness?: ArrayLike<number>;
  /** The state that samplers begin with. Default the first. */
  initial?: StateName;
}

/** A graph of discrete variables and factors, p(x) ∝ Π φ(x): made by `factorGraph()`, read by `readUai` and its like, inferred from by `infer`. */
export class FactorGraph {
  readonly #structure: Structure;
  readonly #observations: Observations;

  constructor(structure: Structure, observations = new Observations(structure.budget)) {
    this.#structure = structure;
    this.#observations = observations;
  }

  /** Names what learns weights: see `fit`. */
  get trainable(): { readonly by: "graph" } {
    return { by: "graph" };
  }
  /** How many variables there are. */
  get variableCount(): number {
    return this.#structure.variableCount;
  }
  /** How many factors there are. */
  get factorCount(): number {
    return this.#structure.factorCount;
  }
  /** How many weights there are. */
  get weightCount(): number {
    return this.#structure.weightCount;
  }
  /** Places of variables in factors, over all factors. */
  get edgeCount(): number {
    return this.#structure.edgeCount;
  }
  /** Bytes of its arrays, with what is kept free for growth; names come on top. */
  get byteLength(): number {
    return this.#structure.budget.used;
  }

  /**
   * A new variable, and its number. `states`: how many, or their names (texts or numbers); absent: a Boolean. Without a name it is called by its number: x7.
   *
   * `truthiness`: by state, how true it is held to be, from which `fit` learns as from a label y with these probabilities q, by E_q ln P(evidence, y). `initial`:
   * the state that samplers begin with, by default the first. Inference uses neither.
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

  /** A weight that factors can share. Default value 0; `fixed`: learning leaves it as it is. */
  weight(name?: string, value = 0, options: { fixed?: boolean } = {}): Weight {
    const where = `${WHERE}.weight`;
    checkKeys(where, options, ["fixed"]);
    checkNumber(where, "value", value);
    if (options.fixed !== undefined) checkBoolean(where, "fixed", options.fixed);
    return { id: this.#structure.addWeight(where, name, value, options.fixed ?? false) };
  }

  /** A factor φ(x) ≥ 0 as a table, flat or nested, the last variable fastest. `logs`: the values are ln φ, −Infinity for 0. */
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

  /** exp(weight · feature · value) of a function of literals, by the function's name. The head is the last literal. */
  logicalFactor(name: LogicalFunction, literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    if (!logicalFunctionNames.includes(name))
      throw new OptionError(
        `${WHERE}.logicalFactor`,
        `the function is ${shown(name)}, but must be one of ${logicalFunctionNames.join(", ")}`,
        "OPTION_RANGE",
      );
    return this.#logical(name, literals, options);
  }

  /** Value 1 where the body is false, or the head true (Markov logic); else 0. */
  imply(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("imply", [...list("imply", body), head], options);
  }
  /** Value 0 where the body is false; elsewhere 1 where the head is true, else −1. */
  implyNatural(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("implyNatural", [...list("implyNatural", body), head], options);
  }
  /** Value: how many literals of the body imply the head. */
  linear(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("linear", [...list("linear", body), head], options);
  }
  /** Value: log2(1 + how many literals of the body imply the head). */
  ratio(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("ratio", [...list("ratio", body), head], options);
  }
  /** Value 1 where any literal of the body implies the head, else 0. */
  logical(body: readonly LiteralLike[], head: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("logical", [...list("logical", body), head], options);
  }
  /** Value 1 where any literal holds, else −1. */
  or(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("or", literals, options);
  }
  /** Value 1 where all literals hold, else −1. */
  and(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("and", literals, options);
  }
  /** Value 1 where all literals hold, else 0. */
  all(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("all", literals, options);
  }
  /** Value 1 where all literals hold or none does, else −1. */
  equal(literals: readonly LiteralLike[], options: WeightedOptions = {}): number {
    return this.#logical("equal", literals, options);
  }
  /** Value 1 where the literal holds, else −1. */
  isTrue(literal: LiteralLike, options: WeightedOptions = {}): number {
    return this.#logical("isTrue", [literal], options);
  }

  /**
   * P(child | parents) of a noisy or: each parent that holds turns the child on with its probability, independently of the others, and so does the
   * leak (default 0).
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

  /** Exactly one of the literals holds: 1 there, 0 elsewhere. */
  oneOf(literals: readonly LiteralLike[]): number {
    return this.#structure.addFactor({ kind: "oneOf", ...literalsOf(this.#structure, `${WHERE}.oneOf`, literals) });
  }

  /** At most so many of the literals hold: 1 there, 0 elsewhere. */
  atMost(most: number, literals: readonly LiteralLike[]): number {
    const where = `${WHERE}.atMost`;
    checkNumber(where, "the number", most, { low: 0, high: 2 ** 31, integer: true });
    return this.#structure.addFactor({ kind: "atMost", ...literalsOf(this.#structure, where, literals), most });
  }

  /** The same as the methods above by numbers alone, for readers of files: a weighted function, its variables, their literals' states, the weight's id. */
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

  /** So many more factors are about to be added, with so many places of variables: arrays grow once. */
  plan(factors: number, edges: number): this {
    for (const [name, count] of Object.entries({ factors, edges }))
      checkNumber(`${WHERE}.plan`, name, count, { low: 0, integer: true });
    this.#structure.plan(factors, edges);
    return this;
  }

  /** The variable was seen in this state, by its name or its number. */
  observe(variable: VariableName, state: StateName): this {
    if (typeof state === "object") refuse(`${WHERE}.observe`, "state", state, "a state", '"yes"; likelihoods are for soft()');
    this.#observations.add(`${WHERE}.observe`, this.#structure, variable, state);
    return this;
  }

  /** By state, how likely it makes what was seen, up to a factor; takes the place of what was given before. */
  soft(variable: VariableName, likelihood: ArrayLike<number>): this {
    const number = this.#structure.variable(`${WHERE}.soft`, variable);
    const where = `${WHERE}.soft: "${this.variableName(number)}"`;
    this.#observations.soften(where, this.#structure, number, likelihood);
    return this;
  }

  /** A graph of the same factors, also of those that are added later, with more evidence; this one stays as it is. */
  withEvidence(evidence: Evidence): FactorGraph {
    const observations = this.#observations.clone();
    observations.addAll("evidence", this.#structure, evidence);
    return new FactorGraph(this.#structure, observations);
  }

  /** A graph of the same factors, whose weights, by their numbers, have these values; this one stays as it is. */
  withWeights(values: ArrayLike<number>): FactorGraph {
    return new FactorGraph(this.#structure.withWeights(), this.#observations).setWeights(values);
  }

  /** A graph of the same factors in which these variables were not observed; this one stays as it is. */
  withoutEvidence(variables: Iterable<VariableName>): FactorGraph {
    const observations = this.#observations.clone();
    for (const variable of variables) observations.forget(this.variableNumber(variable));
    return new FactorGraph(this.#structure, observations);
  }

  /** The number of a variable. @throws OptionError that names the nearest, for one that there is not */
  variableNumber(name: VariableName): number {
    return this.#structure.variable(WHERE, name);
  }
  /** A variable's name: x7, where none was given. */
  variableName(variable: VariableName): string {
    return this.#structure.name(this.variableNumber(variable));
  }
  /** How many states a variable has. */
  stateCount(variable: VariableName): number {
    return this.#structure.domain(this.variableNumber(variable)).count;
  }
  /** What the states of a variable are called; "false" and "true" of a Boolean. */
  stateNames(variable: VariableName): string[] {
    const number = this.variableNumber(variable);
    checkRoom(WHERE, `the names of ${this.stateCount(number)} states`, 32 * this.stateCount(number), MOST_OBJECTS);
    return Array.from({ length: this.stateCount(number) }, (_, state) => this.#structure.label(number, state));
  }
  /** How a variable was made: its name and states, absent where none were given, its truthiness, and the number of its initial state if that is not the first. */
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
  /** The number of the state that was observed; −1: none. */
  observedState(variable: VariableName): number {
    return this.#observations.state(this.variableNumber(variable));
  }
  /** Likelihoods by state, where soft evidence was given. */
  softEvidence(variable: VariableName): Float64Array | undefined {
    return this.#observations.soft.get(this.variableNumber(variable))?.slice();
  }

  /** A factor as it was given. */
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

  /** A factor as a table. @throws CapabilityError where that has more than 2^24 entries */
  factorTable(factor: number): TableFactor {
    return denseTable(this.#structure, this.#stored(factor), factor, MOST_ENTRIES);
  }

  /** A weight as it is now, by what `weight()` gave, its name or its number. */
  weightState(weight: Weight | string | number): WeightState {
    return this.#structure.weight(weightNumber(this.#structure, WHERE, weight));
  }
  /** Gives weights, by their numbers, new values. */
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

  /** The factors in columns, for samplers. Wide noisy ors become chains of small tables over more variables. */
  conditionals(): Conditionals {
    return atOnce(this.columning());
  }
  /** The same, yielding every few milliseconds. */
  columning(): Generator<void, Conditionals> {
    return columning(this.#structure, this.#observations);
  }

  /** The factors as tables, for algorithms. Wide ones become chains of small tables over more variables, for sums or, for "map", for the largest product. */
  factorTables(task: "marginals" | "partition" | "map"): FactorTables {
    return atOnce(this.tabling(task));
  }
  /** The same, yielding every few milliseconds. */
  tabling(task: "marginals" | "partition" | "map"): Generator<void, FactorTables> {
    return tabling(this.#structure, this.#observations, task);
  }

  /** As JSON, from which `factorGraphFromJson` makes the same graph. */
  toJSON(): JsonObject {
    return graphToJson(this.#structure, this.#observations);
  }

  /** A line that says what there is. */
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

/** An empty factor graph. `memory`: GiB that its arrays may take, at most 4 (the default). */
export function factorGraph(options: { memory?: number } = {}): FactorGraph {
  checkKeys(WHERE, options, ["memory"]);
  const { memory = 4 } = options;
  checkNumber(WHERE, "memory", memory, { low: 0, high: 4, open: true });
  return new FactorGraph(new Structure(Math.min(MOST_ENGINE, memory * 2 ** 30)));
}
