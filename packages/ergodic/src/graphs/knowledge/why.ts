import { logicalFunctions } from "../model/functions.ts";
import type { FactorGraph } from "../model/graph.ts";
import type { Cell } from "./facts.ts";
import type { Grounding } from "./grounding.ts";
import type { Semantics } from "./rule.ts";
import type { Weights } from "./weights.ts";

/** What one factor has to say about an unknown. */
export interface Reason {
  /** The rule's name. */
  readonly rule: string;
  /** The state that it speaks for or against. */
  readonly state: string;
  /** Weight · feature · what the factor's value gains where the unknown has the state, all others as observed or most probable: log odds. */
  readonly pull: number;
  /** As the answer was computed with. */
  readonly weight: number;
  /** Absent: the weight is a fixed number. */
  readonly weightName?: string;
  /** Multiplies the weight. */
  readonly feature: number;
  /** Values of the rule's variables; of votes, of one of them. */
  readonly row: Readonly<Record<string, Cell>>;
  /** How many vote, where groundings do. */
  readonly votes?: number;
}

/** The reasons for and against, the strongest first. */
export class Reasons extends Array<Reason> {
  /** A line a reason. */
  override toString(): string {
    return this.map(({ rule, pull, state, weight, weightName, feature, row, votes }) => {
      const values = Object.entries(row).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
      const times = feature === 1 ? "" : ` × ${Number(feature.toPrecision(4))}`;
      const named = weightName === undefined || weightName === rule ? "" : ` of "${weightName}"`;
      return `${pull < 0 ? "−" : "+"}${Math.abs(pull).toFixed(3)} ${state}  ${rule}: weight ${weight.toFixed(3)}${times}${named}; ${votes === undefined ? "" : `${votes} ${votes === 1 ? "vote" : "votes"}, as `}${values.join(", ")}`;
    }).join("\n");
  }
}

/** What a factor's value gains where one of its literals holds. `holds`: whether each does; the head is the last. */
export function gain(semantics: Semantics, holds: readonly boolean[], of: number): number {
  const machine = logicalFunctions[semantics];
  const value = (given: boolean): number => {
    let state: number = machine.start;
    const flag = (k: number): number => Number(k === of ? given : holds[k]);
    for (let k = 0; k < holds.length - 1; k++) state = machine.next(state, flag(k));
    return machine.value(state, flag(holds.length - 1), holds.length - 1);
  };
  return value(true) - value(false);
}

/** By a variable of the graph, the state that it has, or most probably. */
export type StateOf = (variable: number) => number;

/** All factors of a rule about one unknown, the row of an atom. */
export function* reasonsOf(
  grounding: Grounding,
  atom: number,
  row: number,
  graph: FactorGraph,
  weights: Weights,
  stateOf: StateOf,
): Generator<Reason> {
  const { rule, literals, views } = grounding;
  const { semantics } = rule;
  const head = literals.at(-1)!;
  const holds = (of: number, at: number): boolean => {
    const variable = views[of].variables.data[at];
    return stateOf(variable) === rule.atoms[of].state;
  };
  const found: { row: Record<string, Cell>; weight: number; feature: number; rows: Int32Array }[] = [];
  grounding.visitAround(atom, row, () => {
    const { values, weight, feature } = grounding.row;
    found.push({ row: values, weight, feature, rows: grounding.rows.slice() });
  });
  const stateText = graph.stateNames(views[atom].variables.data[row])[rule.atoms[atom].state];
  const reason = (weight: number, feature: number, flags: boolean[], of: number, values: Record<string, Cell>): Reason => {
    const state = graph.weightState(weights.id(weight));
    const pull = state.value * feature * gain(semantics, flags, of);
    const name = state.name === undefined ? {} : { weightName: state.name };
    return { rule: rule.name, state: stateText, pull, weight: state.value, ...name, feature, row: values };
  };
  if (!grounding.voting) {
    for (const { row: values, weight, feature, rows } of found) {
      const flags = literals.map((of) => holds(of, rows[of]));
      yield reason(weight, feature, flags, literals.indexOf(atom), values);
    }
    return;
  }
  const seen = new Set<string>();
  for (const { rows, row: values, weight } of found) {
    const election = `${rows[head]} ${weight}`;
    if (seen.has(election)) continue;
    seen.add(election);
    for (const { weight: of, voters, feature, count } of grounding.votesFor(rows[head])) {
      if (of !== weight) continue;
      const flags = [...voters.map((voter) => holds(literals[0], voter)), holds(head, rows[head])];
      const place = atom === head ? voters.length : voters.indexOf(row);
      yield { ...reason(weight, feature, flags, place, values), votes: count };
    }
  }
}
