import type { Conditionals, FactorTables } from "../../engine/contract/index.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { StateName } from "../model/domains.ts";
import type { Evidence } from "../model/evidence.ts";
import type { InferenceAlgorithm, InferenceTask } from "../parts/algorithm.ts";

/** A graph that accepts evidence and provides its factors as tables, such as a `factorGraph()`. */
export interface InferredGraph {
  /** Returns the factors as tables in the form that the task needs. */
  factorTables(task: InferenceTask): FactorTables;
  /** Same as `factorTables()`, but yields every few milliseconds. */
  tabling?(task: InferenceTask): Generator<void, FactorTables>;
  /** Number of variables. Present if the graph has columns. */
  readonly variableCount?: number;
  /** Returns the factors as columns, for samplers of graphs of any size. */
  conditionals?(): Conditionals;
  /** Same as `conditionals()`, but yields every few milliseconds. */
  columning?(): Generator<void, Conditionals>;
  /** Returns a graph of the same factors with additional evidence. */
  withEvidence?(evidence: Evidence): InferredGraph;
}

/** Input of `infer`: a factor graph, or factors as tables or in columns. */
export type Inferred = FactorTables | InferredGraph | Conditionals;

export const tasks = ["marginals", "partition", "map"] as const satisfies readonly InferenceTask[];

/**
 * Returns the tables of a graph, given the evidence.
 *
 * @throws OptionError if the argument is not a graph, and for unknown variables and states
 */
function* tablesOf(where: string, graph: Inferred, task: InferenceTask, evidence?: Evidence): Generator<void, FactorTables> {
  if (typeof graph === "object" && graph !== null) {
    if ("factorTables" in graph) {
      if (evidence === undefined) return yield* tabling(graph, task);
      const seen = graph.withEvidence?.(evidence);
      return seen ? yield* tabling(seen, task) : observed(where, yield* tabling(graph, task), evidence);
    }
    if ("factors" in graph && "cardinalities" in graph) return evidence === undefined ? graph : observed(where, graph, evidence);
  }
  throw new OptionError(
    where,
    `the first argument is ${shown(graph)}, but must be a factor graph: factorGraph(), or readUai(file)`,
    "OPTION_TYPE",
  );
}

function* tabling(graph: InferredGraph, task: InferenceTask): Generator<void, FactorTables> {
  return graph.tabling ? yield* graph.tabling(task) : graph.factorTables(task);
}

/** Tables in a form that can be posted to another thread. */
export interface PortableTables extends Omit<FactorTables, "name" | "state"> {
  /** Name and state names of each variable. */
  readonly names: readonly (readonly [name: string, states: readonly string[]])[];
}

/** Converts tables to the form that can be posted. */
export function portableTables(tables: FactorTables): PortableTables {
  const { cardinalities, variableCount, observed } = tables;
  const states = (variable: number): string[] =>
    Array.from({ length: cardinalities[variable] }, (_, state) => tables.state(variable, state));
  return {
    ...{ cardinalities, variableCount, observed },
    factors: tables.factors.map(({ scope, values, logs }) => ({ scope: Array.from(scope), values, logs: logs === true })),
    names: Array.from({ length: variableCount }, (_, variable) => [tables.name(variable), states(variable)]),
  };
}

/** Restores posted tables. */
export function tablesFromPortable({ names, ...tables }: PortableTables): FactorTables {
  // Auxiliary variables have no names.
  const name = (variable: number): string => names[variable]?.[0] ?? `variable ${variable}`;
  return { ...tables, name, state: (variable, state) => names[variable]?.[1][state] ?? String(state) };
}

/**
 * Returns the input of the algorithm. The input is the whole graph in columns if the algorithm supports that and no
 * factor has zeros. Otherwise, the input is tables. Yields every few milliseconds.
 */
export function* graphFor(
  where: string,
  graph: Inferred,
  task: InferenceTask,
  algorithm: InferenceAlgorithm,
  evidence: Evidence | undefined,
): Generator<void, FactorTables | Conditionals> {
  if (algorithm.startWhole && task === "marginals" && typeof graph === "object" && graph !== null) {
    if ("shapeValues" in graph) return graph;
    if ("conditionals" in graph && (graph.variableCount ?? 0) >= (algorithm.wholeFrom ?? 0)) {
      const seen = evidence === undefined ? graph : graph.withEvidence?.(evidence);
      const columns = seen?.columning ? yield* seen.columning() : seen?.conditionals?.();
      // Graphs with zeros need the reduction, which works on tables.
      if (columns && !columns.shapeValues.includes(-Infinity)) return columns;
    }
  }
  return yield* tablesOf(where, graph, task, evidence);
}

/** Returns the weights that were used for an answer, as part of the answer's content. */
export const weightsOf = ({ weightValues }: FactorTables | Conditionals): { weights?: Float64Array } =>
  weightValues && weightValues.length > 0 ? { weights: weightValues } : {};

/** Columns in a form that can be posted to another thread. */
export type PortableColumns = Omit<Conditionals, "name" | "state">;

export function portableColumns({ name: _, state: __, ...columns }: Conditionals): PortableColumns {
  return columns;
}

/** Restores posted columns, without their names. */
export const columnsFromPortable = (columns: PortableColumns): Conditionals => ({
  ...columns,
  name: (variable) => `variable ${variable}`,
  state: (_, state) => String(state),
});

/** Adds evidence to tables. */
function observed(where: string, tables: FactorTables, evidence: Evidence): FactorTables {
  if (Object.prototype.toString.call(evidence) !== "[object Object]")
    throw new OptionError(where, `evidence is ${shown(evidence)}, but must be an object of states by variable`, "OPTION_TYPE");
  const names = Array.from({ length: tables.variableCount }, (_, variable) => tables.name(variable));
  const states = tables.observed.slice();
  const factors = [...tables.factors];
  for (const [name, seen] of Object.entries(evidence)) {
    const variable = names.indexOf(name);
    if (variable < 0) {
      const near = nearest(name, names);
      throw new OptionError(
        where,
        `evidence names "${name}", but there is no such variable${near ? `; did you mean "${near}"?` : ""}`,
        "OPTION_UNKNOWN",
      );
    }
    if (typeof seen === "object")
      factors.push({ scope: [variable], values: likelihood(where, name, seen, tables.cardinalities[variable]) });
    else states[variable] = stateOf(where, tables, variable, seen);
  }
  const { cardinalities, variableCount } = tables;
  const named = { name: (v: number) => tables.name(v), state: (v: number, s: number) => tables.state(v, s) };
  return { cardinalities, variableCount, factors, observed: states, ...named };
}

function stateOf(where: string, tables: FactorTables, variable: number, seen: StateName): number {
  const labels = Array.from({ length: tables.cardinalities[variable] }, (_, state) => tables.state(variable, state));
  const named = typeof seen === "boolean" ? -1 : labels.indexOf(String(seen));
  const state = named < 0 && typeof seen === "number" ? seen : named;
  if (Number.isInteger(state) && state >= 0 && state < labels.length) return state;
  const near = typeof seen === "string" ? nearest(seen, labels) : undefined;
  const meant = near ? `; did you mean "${near}"?` : "";
  throw new OptionError(
    where,
    `"${tables.name(variable)}" has no state ${shown(seen)}${meant} (its states are ${labels.slice(0, 8).join(", ")})`,
    "OPTION_RANGE",
  );
}

function likelihood(where: string, name: string, given: ArrayLike<number>, count: number): Float64Array {
  const values = Float64Array.from(given);
  if (values.length === count && values.every((value) => value >= 0 && value < Infinity) && values.some((value) => value > 0))
    return values;
  throw new OptionError(
    where,
    `the likelihood of "${name}" must be ${count} numbers >= 0, at least one of them above 0`,
    "OPTION_RANGE",
  );
}
