import type { Conditionals } from "../../../engine/contract/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";

/** Unit of log odds. Smaller differences are rounding errors, which change no probability by more than 2^-43. */
const UNIT = 2 ** -40;

/**
 * Log odds of state 1 of each variable given its neighbours: own(i) + Σ_e coupling(e) [neighbour(e) is 1], in units of
 * 2^-40. The edges of variable i are at begins[i] to begins[i + 1] − 1, largest couplings first.
 */
export interface LogOdds {
  readonly unit: number;
  readonly own: Float64Array;
  readonly begins: Uint32Array;
  readonly neighbours: Uint32Array;
  readonly couplings: Float64Array;
}

/**
 * Computes the log odds of all variables.
 *
 * @throws CapabilityError if an unobserved variable has more than two states, if a factor has more than two unobserved
 * variables, or if a factor contains a zero
 */
export function logOddsOf(columns: Conditionals): LogOdds {
  const { cardinalities, observed, ends, variables } = columns;
  const count = cardinalities.length;
  for (let v = 0; v < count; v++)
    if (observed[v] < 0 && cardinalities[v] !== 2) refuse(`${columns.name(v)} has ${cardinalities[v]} states, but must have two`);
  const own = new Float64Array(count);
  /** Coupling of each factor with two free variables; 0 for all other factors. */
  const coupling = new Float64Array(ends.length);
  const sizes = new Uint32Array(count + 1);
  const free: number[] = [];
  for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
    free.length = 0;
    for (let edge = from; edge < ends[factor]; edge++) if (observed[variables[edge]] < 0) free.push(variables[edge]);
    if (free.length === 0) continue;
    if (free.length > 2)
      refuse(
        `a factor has ${free.length} variables (${free.map(columns.name).slice(0, 4).join(", ")}), but must have one or two`,
      );
    const [a, b] = free;
    const at = (first: number, second: number): number =>
      termAt(columns, factor, (v) => (v === a ? first : v === b ? second : observed[v]));
    const none = at(0, 0);
    const first = at(1, 0) - none;
    own[a] += first;
    if (b === undefined) continue;
    const second = at(0, 1) - none;
    own[b] += second;
    coupling[factor] = Math.round((at(1, 1) - none - first - second) / UNIT);
    if (coupling[factor] === 0) continue;
    sizes[a + 1]++;
    sizes[b + 1]++;
  }
  for (let v = 0; v < count; v++) {
    own[v] = Math.round(own[v] / UNIT);
    sizes[v + 1] += sizes[v];
  }
  const next = sizes.slice();
  const neighbours = new Uint32Array(sizes[count]);
  const couplings = new Float64Array(sizes[count]);
  for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
    if (coupling[factor] === 0) continue;
    free.length = 0;
    for (let edge = from; edge < ends[factor]; edge++) if (observed[variables[edge]] < 0) free.push(variables[edge]);
    insert(free[0], free[1], coupling[factor]);
    insert(free[1], free[0], coupling[factor]);
  }
  return { unit: UNIT, own, begins: sizes, neighbours, couplings };

  function insert(variable: number, neighbour: number, value: number): void {
    let at = next[variable]++;
    for (; at > sizes[variable] && Math.abs(couplings[at - 1]) < Math.abs(value); at--) {
      couplings[at] = couplings[at - 1];
      neighbours[at] = neighbours[at - 1];
    }
    couplings[at] = value;
    neighbours[at] = neighbour;
  }
}

/** Returns ln of a factor at the states of its variables. */
function termAt(columns: Conditionals, factor: number, state: (variable: number) => number): number {
  const { ends, variables, literals, shapes, weights, weightValues, features, counting, shapeBegins, shapeValues } = columns;
  const from = factor === 0 ? 0 : ends[factor - 1];
  const last = ends[factor] - 1;
  const shape = shapes[factor];
  let index = 0;
  if (counting[shape]) {
    for (let edge = from; edge < last; edge++) if (state(variables[edge]) === literals[edge]) index++;
    if (state(variables[last]) === literals[last]) index += last - from + 1;
  } else
    for (let edge = from; edge <= last; edge++) index = index * columns.cardinalities[variables[edge]] + state(variables[edge]);
  const value = shapeValues[shapeBegins[shape] + index];
  const weight = weights[factor] < 0 ? 1 : weightValues[weights[factor]];
  const term = value === 0 ? 0 : weight * (features?.[factor] ?? 1) * value;
  if (Number.isFinite(term)) return term;
  const size = term === -Infinity ? "0" : `e^${term}`;
  return refuse(`a factor of ${columns.name(variables[from])} is ${size} in some state, but must be above 0 and finite in all`);
}

/** `problem`: the property of the graph that is not supported, followed by the required property. */
export function refuse(problem: string): never {
  throw new CapabilityError("replicaGibbs", `${problem}; use graphGibbs() for this graph`, "GRAPH_REPLICAS");
}
