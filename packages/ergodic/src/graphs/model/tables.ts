import type { FactorTables, TableFactor } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { log } from "../../engine/numbers/log.ts";
import { Pauses } from "../../engine/threads/steps.ts";
import { addChain, type MachineFactor, machineTable } from "./chains.ts";
import type { Observations } from "./evidence.ts";
import { atMostMachine, type LogicalFunction, logicalFunctions, oneOfMachine } from "./functions.ts";
import { addNoisyOr, noisyOrTable } from "./noisy-or.ts";
import type { StoredFactor, Structure } from "./structure.ts";
import { refuseWide, TableList } from "./table-list.ts";

/** Largest table of a factor that is not split. From about 8 Booleans on, chains are smaller than tables. */
const MOST_TABLE = 256;

/** Sums of weight · feature · value per state. All factors of a single variable are merged into one table. */
type Alone = Map<number, Float64Array>;

/**
 * Converts a graph's factors to tables, yielding every few milliseconds. Wide factors become chains. `most` is the
 * number of entries above which a table is split.
 */
export function* tabling(
  structure: Structure,
  observations: Observations,
  task: "marginals" | "partition" | "map",
  most = MOST_TABLE,
): Generator<void, FactorTables> {
  const { variableCount, factorCount } = structure;
  const list = new TableList(variableCount, (variable) => structure.domain(variable).count);
  const alone: Alone = new Map();
  const pauses = new Pauses();
  for (let i = 0; i < factorCount; i++) {
    const factor = structure.factor(i);
    if (pauses.due(factor.values?.length)) yield;
    if (factor.kind === "table") addTable(list, factor);
    else if (factor.kind === "noisyOr")
      addNoisyOr(list, { factor: i, ...noisy(factor) }, (variable) => observations.state(variable), task !== "map", most);
    else addMachine(list, alone, machineOf(structure, factor, i), most);
  }
  for (const [variable, logs] of alone) list.addLogs([variable], logs);
  for (const [variable, likelihood] of observations.soft) list.add([variable], likelihood);
  return {
    cardinalities: Uint32Array.from({ length: variableCount + list.auxiliaries.length }, (_, variable) => list.count(variable)),
    variableCount,
    factors: list.factors,
    observed: Int32Array.from({ length: variableCount + list.auxiliaries.length }, (_, variable) => observations.state(variable)),
    weightValues: structure.allWeights(),
    name: (variable) =>
      variable < variableCount
        ? structure.name(variable)
        : `a state of factor ${list.auxiliaries[variable - variableCount].factor}`,
    state: (variable, state) => (variable < variableCount ? structure.label(variable, state) : String(state)),
  };
}

/** Converts one factor to a table. @throws CapabilityError if it has more than `most` entries */
export function denseTable(structure: Structure, factor: StoredFactor, number: number, most: number): TableFactor {
  const list = new TableList(structure.variableCount, (variable) => structure.domain(variable).count);
  if (factor.kind === "table") addTable(list, factor);
  else {
    const size = list.size(factor.variables);
    if (size > most) refuseWide(number, factor.kind, factor.variables.length, size, most);
    if (factor.kind === "noisyOr") list.add(factor.variables, noisyOrTable(list, noisy(factor)));
    else list.addLogs(factor.variables, machineTable(list, machineOf(structure, factor, number)));
  }
  return list.factors[0];
}

function addTable(list: TableList, { variables, values, logs }: StoredFactor): void {
  const copy = Float64Array.from(values!);
  if (logs) list.addLogs(variables, copy);
  else list.add(variables, copy);
}

const noisy = ({ variables, states, probabilities }: StoredFactor) => ({
  variables,
  states: states!,
  probabilities: probabilities!,
});

function machineOf(
  structure: Structure,
  { kind, variables, states, weight, feature, most }: StoredFactor,
  factor: number,
): MachineFactor {
  const given = { factor, kind, variables, states: states! };
  if (kind === "oneOf") return { ...given, machine: oneOfMachine, log };
  if (kind === "atMost") return { ...given, machine: atMostMachine(most!), log };
  const { value } = structure.weight(weight!);
  const potential = (of: number): number => {
    const sum = of === 0 ? 0 : value * feature! * of;
    if (Number.isFinite(sum)) return sum;
    throw new DataError(
      "factor graph",
      `factor ${factor} (${kind}) is exp(weight · feature · value) with weight ${value}, feature ${feature} and value ${of}, which overflows; make the weight or the feature smaller`,
      "GRAPH_OVERFLOW",
    );
  };
  return { ...given, machine: logicalFunctions[kind as LogicalFunction], log: potential };
}

function addMachine(list: TableList, alone: Alone, given: MachineFactor, most: number): void {
  const { variables, kind } = given;
  if (variables.length === 1) {
    const logs = machineTable(list, given);
    const sums = alone.get(variables[0]);
    if (sums === undefined) alone.set(variables[0], logs);
    else for (let state = 0; state < logs.length; state++) sums[state] += logs[state];
    return;
  }
  if (variables.length === 2 || list.size(variables) <= most) list.addLogs(variables, machineTable(list, given));
  else if (kind === "linear") addVotes(list, given);
  else addChain(list, given);
}

/**
 * The exponent of a `linear` factor is a sum over body literals. The factor is therefore a product of pairwise factors,
 * one per body literal.
 */
function addVotes(list: TableList, { variables, states, log: potential }: MachineFactor): void {
  const head = variables.length - 1;
  for (let i = 0; i < head; i++) {
    const scope = [variables[i], variables[head]];
    list.addLogs(
      scope,
      list.fill(scope, (of) => potential(of[0] !== states[i] || of[1] === states[head] ? 1 : 0)),
    );
  }
}
