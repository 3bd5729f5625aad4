/**
 * Adds the content of DimmWitted's files, text or binary, to a graph. Ids are consecutive from 0. State values are the
 * values in the variable's domain.
 */
import { ErgodicError } from "ergodic/data";
import { type FactorGraph, factorGraph, logicalFunctionOf, logicalFunctions } from "ergodic/graphs";
import { fileFault } from "../fault.ts";

/** Makes an error at a field of a row. */
export type Refuse = (row: number, field: number, message: string) => Error;

/** Columns of the weights. */
export interface WeightRows {
  readonly ids: ArrayLike<number>;
  readonly fixed: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Columns of the variables. */
export interface VariableRows {
  readonly ids: ArrayLike<number>;
  /** 0: query; ≥ 1: evidence. */
  readonly roles: ArrayLike<number>;
  /** Initial values, as state values. */
  readonly initials: ArrayLike<number>;
  /** 0: Boolean; 1: categorical. */
  readonly types: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

/** States of a variable, if they are not 0, 1, … */
export interface DomainRow {
  readonly variable: number;
  readonly count: number;
  readonly values: readonly number[];
  /** Degree of truth of each state. */
  readonly truthiness: readonly number[];
}

/** Row of each id. Each id must occur once. */
function rowsById(ids: ArrayLike<number>, what: string, refuse: Refuse): Float64Array {
  const rows = new Float64Array(ids.length).fill(-1);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row];
    if (!(Number.isInteger(id) && id >= 0 && id < ids.length))
      throw refuse(
        row,
        0,
        `the id of the ${what} is ${id}, but ids of ${ids.length} ${what}s are from 0 to ${ids.length - 1}; correct it`,
      );
    if (rows[id] >= 0) throw refuse(row, 0, `there are two ${what}s with the id ${id}; remove one`);
    rows[id] = row;
  }
  return rows;
}

/** A graph under construction. */
export class DimmWittedGraph {
  readonly graph: FactorGraph = factorGraph();
  /** States by value, for each variable with a domain. */
  private readonly stateOf = new Map<number, Map<number, number>>();

  addWeights({ ids, fixed, values }: WeightRows, refuse: Refuse): void {
    for (const row of rowsById(ids, "weight", refuse)) {
      if (fixed[row] !== 0 && fixed[row] !== 1) throw refuse(row, 1, `fixed is ${fixed[row]}, but must be 0 or 1; correct it`);
      if (!Number.isFinite(values[row])) throw refuse(row, 2, `the weight is ${values[row]}, but must be a number; correct it`);
      this.graph.weight(undefined, values[row], { fixed: fixed[row] === 1 });
    }
  }

  addVariables(rows: VariableRows, domains: readonly DomainRow[], refuse: Refuse, refuseDomain: Refuse): void {
    const { ids, roles, initials, types, counts } = rows;
    const domainOf = new Map<number, number>();
    domains.forEach(({ variable }, row) => {
      if (!(Number.isInteger(variable) && variable >= 0 && variable < ids.length))
        throw refuseDomain(row, 0, `this is the domain of variable ${variable}, which does not exist; remove it`);
      if (domainOf.has(variable)) throw refuseDomain(row, 0, `variable ${variable} has two domains; remove one`);
      domainOf.set(variable, row);
    });
    rowsById(ids, "variable", refuse).forEach((row, id) => {
      const [role, type, count] = [roles[row], types[row], counts[row]];
      if (!(Number.isInteger(role) && role >= 0))
        throw refuse(row, 1, `the role is ${role}, but must be 0, or 1 for evidence; correct it`);
      if (type !== 0 && type !== 1)
        throw refuse(row, 3, `the type is ${type}, but must be 0 (Boolean) or 1 (categorical); correct it`);
      if (!(Number.isInteger(count) && count >= 1 && count < 2 ** 32))
        throw refuse(row, 4, `the number of states is ${count}, but must be from 1 to 4294967295; correct it`);
      if (type === 0 && count !== 2)
        throw refuse(row, 4, `a Boolean has 2 states, but ${count} are given; correct the type or the number`);
      const at = domainOf.get(id);
      const domain =
        at === undefined ? undefined : checkedDomain(domains[at], count, (field, message) => refuseDomain(at, field, message));
      if (type === 0 && domain && (domain.values[0] !== 0 || domain.values[1] !== 1))
        throw refuseDomain(at!, 2, `variable ${id} is a Boolean, whose values are 0 and 1 in this order; correct them`);
      const values = domain && new Map(domain.values.map((value, state) => [value, state]));
      if (values) this.stateOf.set(id, values);
      // For an unobserved variable, samplers ignore an initial value that is not one of the states.
      const state = values ? values.get(initials[row]) : numbered(initials[row], count);
      // If the states have names, numbers are interpreted as names.
      const initial = state === undefined ? undefined : values ? initials[row] : type === 0 ? state === 1 : state;
      this.graph.variable(undefined, type === 0 ? undefined : (domain?.values ?? count), {
        ...(domain?.truthiness.some((value) => value > 0) ? { truthiness: domain.truthiness } : {}),
        ...(role === 0 && state !== undefined && state > 0 ? { initial: initial! } : {}),
      });
      if (role === 0) return;
      if (state === undefined)
        throw refuse(row, 2, `the evidence is ${initials[row]}, which is not a state of variable ${id}; correct it`);
      this.graph.observe(id, initial!);
    });
  }

  /** Adds a factor. `equals`: state values. */
  addFactor(
    id: number,
    variables: ArrayLike<number>,
    equals: ArrayLike<number>,
    weight: number,
    feature: number,
    refuse: (message: string) => Error,
  ): void {
    const name = logicalFunctionOf(id);
    if (name === undefined) {
      const known = Object.values(logicalFunctions).map((one) => one.id);
      throw refuse(`there is no function ${id}; there are ${known.join(", ")}`);
    }
    const states: number[] = [];
    for (let i = 0; i < variables.length; i++) {
      const variable = variables[i];
      if (!(Number.isInteger(variable) && variable >= 0 && variable < this.graph.variableCount))
        throw refuse(`there is no variable ${variable}; they are numbered from 0 to ${this.graph.variableCount - 1}`);
      const state = this.state(variable, equals[i]);
      if (state === undefined)
        throw refuse(`variable ${variable} has no state ${equals[i]}, which the factor compares it with; correct it`);
      states.push(state);
    }
    try {
      this.graph.addFactor(name, variables, states, weight, feature);
    } catch (error) {
      if (!(error instanceof ErgodicError) || error.code === "MEMORY_LIMIT") throw error;
      throw refuse(error.said);
    }
  }

  private state(variable: number, value: number): number | undefined {
    const states = this.stateOf.get(variable);
    return states ? states.get(value) : numbered(value, this.graph.stateCount(variable));
  }

  /** Checks the numbers of weights, variables, factors and edges against the metadata file. */
  checkMeta(file: string, text: string): void {
    const { weightCount, variableCount, factorCount, edgeCount } = this.graph;
    const said = text.trim().split(",").slice(0, 4);
    [weightCount, variableCount, factorCount, edgeCount].forEach((count, i) => {
      const what = ["weights", "variables", "factors", "edges"][i];
      if (Number(said[i]) !== count || said[i].trim() === "")
        throw fileFault(
          file,
          `it declares ${said[i] ?? "no"} ${what}, but ${count} were read; fetch the files again`,
          "DATA_TRUNCATED",
        );
    });
  }
}

/** State with this number. */
const numbered = (value: number, count: number): number | undefined =>
  Number.isInteger(value) && value >= 0 && value < count ? value : undefined;

function checkedDomain(row: DomainRow, count: number, refuse: (field: number, message: string) => Error): DomainRow {
  const { values, truthiness } = row;
  if (row.count !== count || values.length !== count || truthiness.length !== count)
    throw refuse(
      1,
      `the domain of variable ${row.variable} declares ${row.count} values and lists ${values.length}, but the variable has ${count} states; correct one of them`,
    );
  if (new Set(values).size < count) throw refuse(2, `two states of variable ${row.variable} have the same value; correct one`);
  if (!values.every((value) => Number.isSafeInteger(value) && value >= 0))
    throw refuse(2, "values must be whole numbers >= 0; correct them");
  if (!truthiness.every((value) => value >= 0 && value <= 1)) throw refuse(3, "truthiness must be from 0 to 1; correct it");
  return row;
}
