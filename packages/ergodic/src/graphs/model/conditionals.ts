import type { Conditionals } from "../../engine/contract/index.ts";
import { log } from "../../engine/numbers/log.ts";
import { Pauses } from "../../engine/threads/steps.ts";
import { machineTable } from "./chains.ts";
import type { Observations } from "./evidence.ts";
import { atMostMachine, logicalFunctionOf, logicalFunctions, type Machine, oneOfMachine } from "./functions.ts";
import { addNoisyOr } from "./noisy-or.ts";
import type { FactorLook, StoredFactor, Structure } from "./structure.ts";
import { TableList } from "./table-list.ts";

/** Codes of weighted functions are below this number. */
const WEIGHTED = 100;
/**
 * Largest number of entries in the table of a function of at most two literals. Functions of more literals are
 * evaluated from the number of satisfied literals.
 */
const MOST_TABLE = 64;
/** Largest table of a noisy-or factor. Wider factors become chains. */
const MOST_NOISY = 256;

/**
 * Converts a graph's factors to columns, yielding every few milliseconds. Functions of literals share a shape if they
 * have the same function, literals and numbers of states.
 */
export function* columning(structure: Structure, observations: Observations): Generator<void, Conditionals> {
  const { variableCount, factorCount, edgeCount } = structure;
  const shapes = new Shapes();
  const columns = new Columns(factorCount + observations.soft.size, edgeCount);
  const auxiliary = new TableList(variableCount, (variable) => structure.stateCount(variable));
  const look: FactorLook = { code: 0, from: 0, to: 0, payload: 0 };
  const pauses = new Pauses();
  for (let factor = 0; factor < factorCount; factor++) {
    structure.look(factor, look);
    const { code, payload } = look;
    if (pauses.due(look.to - look.from)) yield;
    if (code >= WEIGHTED) {
      const stored = structure.factor(factor);
      if (stored.kind === "table") columns.add(stored.variables, shapes.table(logsOf(stored)));
      else if (stored.kind === "noisyOr") addNoisy(auxiliary, factor, stored, (variable) => observations.state(variable));
      else
        columns.addLiterals(
          structure,
          look,
          shapes.literals(structure, look, machineOf(stored), log, `${stored.kind} ${payload}`),
        );
      continue;
    }
    const shape = shapes.literals(structure, look, logicalFunctions[logicalFunctionOf(code)!], plainly, code);
    columns.addLiterals(structure, look, shape, payload, structure.feature(factor));
  }
  for (const { scope, values, logs } of auxiliary.factors)
    columns.add(scope, shapes.table(logs ? values : values.map((value) => log(value))));
  for (const [variable, likelihood] of observations.soft)
    columns.add([variable], shapes.table(likelihood.map((value) => log(value))));
  const all = variableCount + auxiliary.auxiliaries.length;
  const cardinalities = new Uint32Array(all);
  const observed = new Int32Array(all).fill(-1);
  for (let variable = 0; variable < all; variable++) cardinalities[variable] = auxiliary.count(variable);
  for (let variable = 0; variable < variableCount; variable++) observed[variable] = observations.state(variable);
  return {
    cardinalities,
    variableCount,
    observed,
    ...labelsOf(structure, observations),
    ...columns.done(),
    ...shapes.done(),
    weightValues: structure.allWeights(),
    weightFixed: Uint8Array.from({ length: structure.weightCount }, (_, id) => structure.weightIsFixed(id)),
    name: (variable) =>
      variable < variableCount
        ? structure.name(variable)
        : `a state of factor ${auxiliary.auxiliaries[variable - variableCount].factor}`,
    state: (variable, state) => (variable < variableCount ? structure.label(variable, state) : String(state)),
  };
}

/** Returns the truthiness of unobserved variables, normalised to probabilities. */
function labelsOf(structure: Structure, observations: Observations): { labels?: Map<number, Float64Array> } {
  const labels = new Map<number, Float64Array>();
  for (const [variable, truthiness] of structure.truthiness) {
    const sum = truthiness.reduce((a, b) => a + b, 0);
    if (sum > 0 && observations.state(variable) < 0)
      labels.set(
        variable,
        truthiness.map((value) => value / sum),
      );
  }
  return labels.size > 0 ? { labels } : {};
}

const plainly = (value: number): number => value;

const logsOf = ({ values, logs }: StoredFactor): Float64Array =>
  Float64Array.from(values!, (value) => (logs ? value : log(value)));

const machineOf = ({ kind, most }: StoredFactor): Machine => (kind === "oneOf" ? oneOfMachine : atMostMachine(most!));

function addNoisy(
  list: TableList,
  factor: number,
  { variables, states, probabilities }: StoredFactor,
  observed: (variable: number) => number,
): void {
  const given = { factor, variables, states: states!, probabilities: probabilities! };
  addNoisyOr(list, given, observed, true, MOST_NOISY);
}

/** Distinct shapes, each stored once. */
class Shapes {
  private readonly begins = [0];
  private readonly values: Float64Array[] = [];
  private readonly counting: number[] = [];
  private readonly known = new Map<string | number, number>();

  table(values: Float64Array): number {
    return this.add(values, 0);
  }

  /**
   * Adds the shape of a function of literals. `value` maps a value of the machine to g. `kind` distinguishes machines.
   */
  literals(
    structure: Structure,
    look: FactorLook,
    machine: Machine,
    value: (of: number) => number,
    kind: string | number,
  ): number {
    const { from, to } = look;
    const arity = to - from;
    let size = 1;
    for (let edge = from; edge < to && size <= MOST_TABLE; edge++) size *= structure.stateCount(structure.edgeVariable(edge));
    if (arity > 2 || size > MOST_TABLE) {
      const key = typeof kind === "number" ? -(kind + WEIGHTED * arity) - 1 : `${kind} ${arity}`;
      return this.known.get(key) ?? this.know(key, countedValues(machine, arity - 1).map(value), 1);
    }
    // A table has at most 64 entries, so a key for up to two variables fits in a number.
    let key: string | number = 0;
    for (let edge = from; edge < to; edge++)
      key = (key * 65 + structure.stateCount(structure.edgeVariable(edge))) * 65 + structure.edgeState(edge);
    key = typeof kind === "number" ? key * WEIGHTED + kind : `${kind} ${key}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const edges = Array.from({ length: arity }, (_, i) => from + i);
    const list = new TableList(arity, (variable) => structure.stateCount(structure.edgeVariable(from + variable)));
    const variables = edges.map((_, i) => i);
    const states = edges.map((edge) => structure.edgeState(edge));
    return this.know(key, machineTable(list, { factor: 0, kind: "", machine, variables, states, log: value }), 0);
  }

  private know(key: string | number, values: Float64Array, counting: number): number {
    const shape = this.add(values, counting);
    this.known.set(key, shape);
    return shape;
  }

  private add(values: Float64Array, counting: number): number {
    this.values.push(values);
    this.counting.push(counting);
    this.begins.push(this.begins.at(-1)! + values.length);
    return this.values.length - 1;
  }

  done(): Pick<Conditionals, "shapeBegins" | "shapeValues" | "counting"> {
    const { begins, values, counting } = this;
    const all = new Float64Array(begins.at(-1)!);
    values.forEach((own, shape) => {
      all.set(own, begins[shape]);
    });
    return { shapeBegins: Uint32Array.from(begins), shapeValues: all, counting: Uint8Array.from(counting) };
  }
}

/**
 * Returns the machine's value for each state of the head and each number of satisfied body literals. The value does not
 * depend on which body literals are satisfied.
 */
function countedValues(machine: Machine, body: number): Float64Array {
  const values = new Float64Array(2 * (body + 1));
  let failed = machine.start;
  for (let fails = 0; fails <= body; fails++) {
    const count = body - fails;
    let state = failed;
    // The loop ends when one more satisfied literal leaves the state unchanged.
    for (let i = 0, before = -2; i < count && state !== before && state >= 0; i++) {
      before = state;
      state = machine.next(state, 1);
    }
    for (const head of [0, 1]) values[head * (body + 1) + count] = state < 0 ? 0 : machine.value(state, head, body);
    failed = failed < 0 ? failed : machine.next(failed, 0);
  }
  return values;
}

/** Factors and their edges, in arrays of known size. The arrays grow if auxiliary factors are added. */
class Columns {
  private ends: Uint32Array;
  private shapes: Uint32Array;
  private weights: Int32Array;
  private features: Float64Array | undefined;
  private variables: Uint32Array;
  private literals: Uint32Array;
  private factors = 0;
  private edges = 0;

  constructor(factors: number, edges: number) {
    this.ends = new Uint32Array(factors);
    this.shapes = new Uint32Array(factors);
    this.weights = new Int32Array(factors);
    this.variables = new Uint32Array(edges);
    this.literals = new Uint32Array(edges);
  }

  add(scope: ArrayLike<number>, shape: number): void {
    this.room(scope.length);
    for (let k = 0; k < scope.length; k++) this.variables[this.edges + k] = scope[k];
    this.close(scope.length, shape, -1, 1);
  }

  addLiterals(structure: Structure, { from, to }: FactorLook, shape: number, weight = -1, feature = 1): void {
    this.room(to - from);
    for (let edge = from, at = this.edges; edge < to; edge++, at++) {
      this.variables[at] = structure.edgeVariable(edge);
      this.literals[at] = structure.edgeState(edge);
    }
    this.close(to - from, shape, weight, feature);
  }

  private close(arity: number, shape: number, weight: number, feature: number): void {
    this.edges += arity;
    this.ends[this.factors] = this.edges;
    this.shapes[this.factors] = shape;
    this.weights[this.factors] = weight;
    if (feature !== 1 && !this.features) this.features = new Float64Array(this.ends.length).fill(1);
    if (this.features) this.features[this.factors] = feature;
    this.factors++;
  }

  private room(arity: number): void {
    if (this.factors === this.ends.length) {
      const size = Math.ceil(this.factors * 1.5) + 16;
      this.ends = grown(this.ends, new Uint32Array(size));
      this.shapes = grown(this.shapes, new Uint32Array(size));
      this.weights = grown(this.weights, new Int32Array(size));
      if (this.features) this.features = grown(this.features, new Float64Array(size).fill(1));
    }
    if (this.edges + arity <= this.variables.length) return;
    const size = Math.ceil((this.edges + arity) * 1.5);
    this.variables = grown(this.variables, new Uint32Array(size));
    this.literals = grown(this.literals, new Uint32Array(size));
  }

  done(): Pick<Conditionals, "ends" | "variables" | "literals" | "shapes" | "weights" | "features"> {
    const { factors, edges, features } = this;
    return {
      ends: this.ends.subarray(0, factors),
      variables: this.variables.subarray(0, edges),
      literals: this.literals.subarray(0, edges),
      shapes: this.shapes.subarray(0, factors),
      weights: this.weights.subarray(0, factors),
      ...(features ? { features: features.subarray(0, factors) } : {}),
    };
  }
}

function grown<T extends Uint32Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
