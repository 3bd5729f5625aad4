import { logicalFunctions } from "../model/functions.ts";
import type { FactorGraph } from "../model/graph.ts";
import type { Cell } from "./facts.ts";
import type { Grounding } from "./grounding.ts";
import type { Semantics } from "./rule.ts";
import type { Weights } from "./weights.ts";

/** Contribution of one factor to the belief about an unknown. */
export interface Reason {
  /** Name of the rule. */
  readonly rule: string;
  /** State that the factor argues for or against. */
  readonly state: string;
  /**
   * Contribution in log odds. The contribution is the product of the weight, the feature, and the increase of the
   * factor's value if the unknown has the state. Every other variable takes its observed state or, if it is not
   * observed, its most probable state.
   */
  readonly pull: number;
  /** Weight used for the answer. */
  readonly weight: number;
  /** Name of the weight. Absent if the weight is a fixed number. */
  readonly weightName?: string;
  /** Multiplier of the weight. */
  readonly feature: number;
  /** Values of the rule's variables. For votes, the values of one grounding. */
  readonly row: Readonly<Record<string, Cell>>;
  /** Number of votes, if groundings vote. */
  readonly votes?: number;
}

/** Sum of the contributions to one state of an unknown, with the probability of the state. */
export interface StateSum {
  /** Name of the state. A Boolean has a sum for "true" only. */
  readonly state: string;
  /** Sum of the contributions to the state. For a Boolean, contributions to "false" are subtracted. */
  readonly sum: number;
  /** Probability of the state in the answer. */
  readonly p: number;
  /** Probability that follows from the sums alone: 1 / (1 + e^−sum) for a Boolean, otherwise e^sum / Σ e^sum over all states. */
  readonly implied: number;
}

/** Reasons for and against an unknown, strongest first. */
export class Reasons extends Array<Reason> {
  protected static readonly typeName: string = "Reasons";
  /** Warning if some of the states come from probabilities without a guarantee. Absent if all have one. */
  declare caveat?: string;
  /**
   * Sum of the contributions and probability of each state. Absent from parts of the list, such as the result of
   * `slice`.
   */
  declare sums?: readonly StateSum[];
  /** Why the probabilities do not follow from the sums. Absent if they follow. */
  declare differs?: string;

  /** Returns a line per reason, a line per sum, and the caveat. */
  override toString(): string {
    const lines = Array.from(this, ({ rule, pull, state, weight, weightName, feature, row, votes }) => {
      const values = Object.entries(row).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
      const times = feature === 1 ? "" : ` × ${Number(feature.toPrecision(4))}`;
      const named = weightName === undefined || weightName === rule ? "" : ` of "${weightName}"`;
      return `${signed(pull)} ${state}  ${rule}: weight ${weight.toFixed(3)}${times}${named}; ${votes === undefined ? "" : `${votes} ${votes === 1 ? "vote" : "votes"}, as `}${values.join(", ")}`;
    });
    return [...lines, ...this.#sumLines(), ...(this.caveat === undefined ? [] : [this.caveat])].join("\n");
  }

  /** Returns a line for the sum of a Boolean, or for each state that has a reason. */
  #sumLines(): string[] {
    const { sums = [], differs } = this;
    const boolean = sums.length === 1;
    const formula = boolean ? "1 / (1 + e^−sum)" : "e^sum / Σ e^sum over the states";
    const named = new Set(Array.from(this, ({ state }) => state));
    return sums
      .filter(({ state }) => boolean || named.has(state))
      .map(({ state, sum, p, implied }) => {
        const [given, follows] = [p, implied].map((value) => value.toFixed(3));
        const compared =
          differs === undefined
            ? `the probability ${given} is ${formula}`
            : `the probability is ${given} and not ${formula} = ${follows}, because ${differs}`;
        return `${signed(sum)} ${state}  sum: ${compared}`;
      });
  }
}

const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

/**
 * Returns how much a factor's value increases when literal `of` becomes true. `holds` says whether each literal holds;
 * the head is last.
 */
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

/** Returns the observed or most probable state of a graph variable. */
export type StateOf = (variable: number) => number;

/** Returns all factors of a rule that contain one unknown, given as a row of an atom. */
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
