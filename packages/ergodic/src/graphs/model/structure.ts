import { OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";
import { Budget, Column } from "./column.ts";
import { boolean, type Domain, domainOf, labelOf, type States } from "./domains.ts";
import { type LogicalFunction, logicalFunctionOf, logicalFunctions } from "./functions.ts";
import type { VariableName } from "./literals.ts";

/** Function that a factor computes: a weighted function of literals, a table, or one of the special kinds. */
export type FactorKind = LogicalFunction | "table" | "noisyOr" | "oneOf" | "atMost";

/** Stored codes of the other kinds. Codes below 100 are the function numbers of DimmWitted. */
const codes: Readonly<Record<string, number>> = { table: 100, logTable: 101, noisyOr: 102, oneOf: 103, atMost: 104 };
const kinds = new Map(Object.entries(codes).map(([name, code]) => [code, name]));

/** A factor before or after it is stored. */
export interface StoredFactor {
  readonly kind: FactorKind;
  readonly variables: ArrayLike<number>;
  /** State of each variable's literal. Absent for tables. */
  readonly states?: ArrayLike<number>;
  /** Index of the weight, for weighted functions. */
  readonly weight?: number;
  readonly feature?: number;
  /** Table entries φ, or their logarithms. The last variable varies fastest. */
  readonly values?: ArrayLike<number>;
  readonly logs?: boolean;
  /**
   * Parameters of a "noisyOr" factor: for each parent the probability that it turns the child on, then the leak
   * probability.
   */
  readonly probabilities?: ArrayLike<number>;
  /** Largest number of literals that may hold in an "atMost" factor. */
  readonly most?: number;
}

/** The stored fields of a factor, read without copies. */
export interface FactorLook {
  /** Code of the kind. Weighted functions have codes below 100. */
  code: number;
  from: number;
  to: number;
  /** Index of the factor's weight, if the factor has a weight. */
  payload: number;
}

/**
 * Variables, weights and factors of a graph, stored in columns. A factor takes 9 bytes, and 8 more if any feature
 * differs from 1. An edge takes 4 bytes, and 1 more if any literal has a state other than 1. Only given names are
 * stored.
 */
export class Structure {
  readonly budget: Budget;
  readonly domains: Domain[] = [boolean];
  readonly truthiness = new Map<number, Float64Array>();
  /** State of each variable in which samplers start. */
  readonly initials: Column;
  private readonly domainNumbers = new Map<string, number>();
  private readonly variableDomains: Column;
  private readonly names = new Map<number, string>();
  private readonly numbers = new Map<string, number>();
  private readonly weightNames = new Map<number, string>();
  private readonly weightNumbers = new Map<string, number>();
  private readonly constants = new Map<number, number>();
  private readonly weightValues: Column;
  private readonly weightFixed: Column;
  private readonly functions: Column;
  private readonly ends: Column;
  private readonly payloads: Column;
  private readonly features: Column;
  private readonly variables: Column;
  private readonly states: Column;
  private readonly pool: Column;

  constructor(bytes: number) {
    this.budget = new Budget(bytes, () => this.edgeCount);
    this.variableDomains = new Column("whole", this.budget, 0);
    this.initials = new Column("whole", this.budget, 0);
    this.weightValues = new Column("real", this.budget);
    this.weightFixed = new Column("whole", this.budget, 0);
    this.functions = new Column("whole", this.budget);
    this.ends = new Column("whole", this.budget);
    this.payloads = new Column("whole", this.budget);
    this.features = new Column("real", this.budget, 1);
    this.variables = new Column("whole", this.budget);
    this.states = new Column("whole", this.budget, 1);
    this.pool = new Column("real", this.budget);
  }

  get variableCount(): number {
    return this.variableDomains.length;
  }
  get factorCount(): number {
    return this.functions.length;
  }
  get edgeCount(): number {
    const { factorCount } = this;
    return factorCount === 0 ? 0 : this.ends.at(factorCount - 1);
  }
  get weightCount(): number {
    return this.weightValues.length;
  }

  addVariable(where: string, name: string | undefined, states: States | undefined): number {
    if (name !== undefined && (typeof name !== "string" || name === ""))
      throw new OptionError(where, `the name is ${shown(name)}, but must be a text that is not empty`, "OPTION_TYPE");
    if (name !== undefined && this.numbers.has(name))
      throw new OptionError(where, `there is a variable "${name}" already; give this one another name`, "NAME_TAKEN");
    const domain = this.domainNumber(where, states);
    const variable = this.variableCount;
    this.variableDomains.push(domain);
    if (name !== undefined) {
      this.names.set(variable, name);
      this.numbers.set(name, variable);
    }
    return variable;
  }

  private domainNumber(where: string, states: States | undefined): number {
    if (states === undefined) return 0;
    const key = typeof states === "number" ? String(states) : JSON.stringify(states);
    const known = this.domainNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.domains.push(domainOf(where, states)) - 1;
    this.domainNumbers.set(key, number);
    return number;
  }

  domain(variable: number): Domain {
    return this.domains[this.variableDomains.at(variable)];
  }

  /** Returns the state in which samplers start. */
  initialState(variable: number): number {
    return variable < this.initials.length ? this.initials.at(variable) : 0;
  }

  /** Returns the name that the user gave, if any. */
  givenName(variable: number): string | undefined {
    return this.names.get(variable);
  }

  hasName(name: string): boolean {
    return this.numbers.has(name);
  }

  name(variable: number): string {
    const given = this.names.get(variable);
    if (given !== undefined) return given;
    const usual = `x${variable}`;
    return this.numbers.has(usual) ? `#${variable}` : usual;
  }

  label = (variable: number, state: number): string => labelOf(this.domain(variable), state);

  /**
   * Returns the index of a variable.
   *
   * @throws OptionError that suggests the nearest name if there is no such variable
   */
  variable(where: string, given: VariableName): number {
    if (typeof given === "number") {
      if (Number.isInteger(given) && given >= 0 && given < this.variableCount) return given;
      throw new OptionError(
        where,
        `there is no variable ${given}; ${this.variableCount === 0 ? "there are none yet" : `they are numbered from 0 to ${this.variableCount - 1}`}`,
        "OPTION_RANGE",
      );
    }
    if (typeof given !== "string")
      throw new OptionError(where, `${shown(given)} was given for a variable, but must be its name or its number`, "OPTION_TYPE");
    const number = this.numbers.get(given) ?? Number(/^[x#](0|[1-9]\d*)$/.exec(given)?.[1] ?? NaN);
    if (number < this.variableCount && this.name(number) === given) return number;
    const near = nearest(given, [...this.numbers.keys()]);
    throw new OptionError(
      where,
      `there is no variable ${shown(given)}${near ? `; did you mean "${near}"?` : "; make it with variable()"}`,
      "OPTION_UNKNOWN",
    );
  }

  addWeight(where: string, name: string | undefined, value: number, fixed: boolean): number {
    if (name !== undefined && (typeof name !== "string" || name === ""))
      throw new OptionError(where, `the name is ${shown(name)}, but must be a text that is not empty`, "OPTION_TYPE");
    if (name !== undefined && this.weightNumbers.has(name))
      throw new OptionError(where, `there is a weight "${name}" already; use it, or give this one another name`, "NAME_TAKEN");
    const id = this.weightCount;
    this.weightFixed.set(id, fixed ? 1 : 0);
    this.weightValues.push(value);
    if (name !== undefined) {
      this.weightNames.set(id, name);
      this.weightNumbers.set(name, id);
    }
    return id;
  }

  /**
   * Returns the fixed weight with this value. The weight is shared by all factors that are given this value as a
   * number.
   */
  constant(where: string, value: number): number {
    const known = this.constants.get(value);
    if (known !== undefined) return known;
    const id = this.addWeight(where, undefined, value, true);
    this.constants.set(value, id);
    return id;
  }

  weightNamed(where: string, name: string): number {
    const id = this.weightNumbers.get(name);
    if (id !== undefined) return id;
    const near = nearest(name, [...this.weightNumbers.keys()]);
    throw new OptionError(
      where,
      `there is no weight ${shown(name)}${near ? `; did you mean "${near}"?` : "; make it with weight()"}`,
      "OPTION_UNKNOWN",
    );
  }

  weight(id: number): { name: string | undefined; value: number; fixed: boolean } {
    return { name: this.weightNames.get(id), value: this.weightValues.at(id), fixed: this.weightFixed.at(id) === 1 };
  }

  /** Returns the same structure, including later additions, with its own copy of the weights. */
  withWeights(): Structure {
    const own = { weightValues: this.weightValues.clone(), constants: new Map() };
    return Object.assign(Object.create(Structure.prototype) as Structure, this, own);
  }

  setWeight(id: number, value: number): void {
    this.weightValues.set(id, value);
    // The weight that was created for this constant might have another value now.
    this.constants.clear();
  }

  /** Announces how many more factors and edges will be added. */
  plan(factors: number, edges: number): void {
    for (const column of [this.functions, this.ends, this.payloads, this.features]) column.plan(this.factorCount + factors);
    for (const column of [this.variables, this.states]) column.plan(this.edgeCount + edges);
  }

  /** Adds a factor without checks; the caller has checked it. */
  addFactor({ kind, variables, states, weight, feature = 1, values, logs, probabilities, most }: StoredFactor): number {
    const { factorCount: factor, edgeCount: from } = this;
    const numbers = values ?? probabilities;
    const payload = weight ?? most ?? this.pool.length;
    for (let i = 0; numbers !== undefined && i < numbers.length; i++) this.pool.push(numbers[i]);
    for (let i = 0; i < variables.length; i++) {
      this.variables.set(from + i, variables[i]);
      this.states.set(from + i, states === undefined ? 1 : states[i]);
    }
    this.ends.set(factor, from + variables.length);
    this.payloads.set(factor, payload);
    this.features.set(factor, feature);
    // The function is written last, so that no incomplete factor remains if memory runs out earlier.
    this.functions.push(codes[kind === "table" && logs ? "logTable" : kind] ?? logicalFunctions[kind as LogicalFunction].id);
    return factor;
  }

  factor(factor: number): StoredFactor & { readonly variables: Float64Array; readonly states: Float64Array } {
    const code = this.functions.at(factor);
    const name = kinds.get(code);
    const from = factor === 0 ? 0 : this.ends.at(factor - 1);
    const to = this.ends.at(factor);
    const payload = this.payloads.at(factor);
    const variables = this.variables.slice(from, to);
    const states = this.states.slice(from, to);
    if (name === undefined)
      return { kind: logicalFunctionOf(code)!, variables, states, weight: payload, feature: this.features.at(factor) };
    if (name === "oneOf") return { kind: name, variables, states };
    if (name === "atMost") return { kind: name, variables, states, most: payload };
    if (name === "noisyOr")
      return { kind: name, variables, states, probabilities: this.pool.slice(payload, payload + to - from) };
    let size = 1;
    for (const variable of variables) size *= this.domain(variable).count;
    return { kind: "table", variables, states, values: this.pool.slice(payload, payload + size), logs: name === "logTable" };
  }

  /** Reads a factor without copies. The factor's edges run from `from` to `to` − 1. */
  look(factor: number, into: FactorLook): void {
    into.code = this.functions.at(factor);
    into.from = factor === 0 ? 0 : this.ends.at(factor - 1);
    into.to = this.ends.at(factor);
    into.payload = this.payloads.at(factor);
  }
  edgeVariable(edge: number): number {
    return this.variables.at(edge);
  }
  edgeState(edge: number): number {
    return this.states.at(edge);
  }
  feature(factor: number): number {
    return this.features.at(factor);
  }
  stateCount(variable: number): number {
    return this.domains[this.variableDomains.at(variable)].count;
  }
  weightValue(id: number): number {
    return this.weightValues.at(id);
  }
  /** Returns a copy of all weight values, by weight index. */
  allWeights(): Float64Array {
    return Float64Array.from({ length: this.weightCount }, (_, id) => this.weightValues.at(id));
  }
  weightIsFixed(id: number): number {
    return this.weightFixed.at(id);
  }

  /** Returns the number of factors of each kind. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (let i = 0; i < this.factorCount; i++) {
      const code = this.functions.at(i);
      const name = code === codes.logTable ? "table" : (kinds.get(code) ?? logicalFunctionOf(code)!);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }
}
