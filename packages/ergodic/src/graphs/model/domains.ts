import { OptionError } from "../../engine/errors/errors.ts";
import { nearest } from "../../engine/errors/nearest.ts";
import { shown } from "../../engine/errors/shown.ts";

/**
 * A state of a variable: its name, its index (from 0), or `true` or `false` for a Boolean. If all state names are
 * numbers, a number is interpreted as a name.
 */
export type StateName = string | number | boolean;
/** The states of a variable: their number or their names. */
export type States = number | readonly (string | number)[];

/** A set of states, which many variables can share. */
export interface Domain {
  readonly count: number;
  /** Names of the states. Default "0", "1" … */
  readonly labels?: readonly string[];
  /** The labels as numbers, if all labels are numeric. */
  readonly values?: readonly number[];
  /** Whether the states are `false` and `true`. */
  readonly boolean?: boolean;
  /** The states as the user gave them. */
  readonly given?: States;
}

/** Largest number of states of a variable. This limit equals the largest length of a typed array. */
const MOST_STATES = 2 ** 32 - 1;

/** Domain of a Boolean variable. */
export const boolean: Domain = { count: 2, labels: ["false", "true"], boolean: true };

/**
 * Checks the states of a variable and returns their domain.
 *
 * @throws OptionError if there are no states or two have the same name
 */
export function domainOf(where: string, states: States): Domain {
  if (typeof states === "number") {
    if (Number.isInteger(states) && states >= 1 && states <= MOST_STATES) return { count: states, given: states };
    throw new OptionError(where, `its states are ${states}, but must be a whole number >= 1, or a list of names`, "OPTION_RANGE");
  }
  const isName = (state: unknown): boolean => typeof state === "string" || (typeof state === "number" && Number.isFinite(state));
  if (!Array.isArray(states) || !states.every(isName))
    throw new OptionError(
      where,
      `its states are ${shown(states)}, but must be their number, or a list of their names: write ["no", "yes"]`,
      "OPTION_TYPE",
    );
  if (states.length === 0) throw new OptionError(where, "it has no states, but must have at least one", "OPTION_RANGE");
  const labels = states.map(String);
  const twice = labels.length === new Set(labels).size ? undefined : labels.find((label, i) => labels.indexOf(label) < i);
  if (twice !== undefined) throw new OptionError(where, `two of its states are called "${twice}"; rename one`, "OPTION_RANGE");
  const values = labels.map((label) => (label.trim() === "" ? NaN : Number(label)));
  return { count: labels.length, labels, ...(values.every(Number.isFinite) ? { values } : {}), given: states };
}

/** Returns the name of a state. */
export const labelOf = ({ labels }: Domain, state: number): string => labels?.[state] ?? String(state);

/** Returns the index of a state. @throws OptionError that suggests the nearest name if there is no such state */
export function stateOf(where: string, domain: Domain, given: StateName): number {
  const { count, labels, values } = domain;
  let state = -1;
  if (typeof given === "boolean") state = domain.boolean || (count === 2 && !labels) ? Number(given) : -1;
  else if (typeof given === "string") state = labels ? labels.indexOf(given) : /^(0|[1-9]\d*)$/.test(given) ? Number(given) : -1;
  else if (typeof given === "number") state = values ? values.indexOf(given) : given;
  if (Number.isInteger(state) && state >= 0 && state < count) return state;
  const few = labels ? listed(labels.map((label) => (values ? label : JSON.stringify(label)))) : `0 to ${count - 1}`;
  const near = labels && typeof given === "string" ? nearest(given, labels) : undefined;
  throw new OptionError(
    where,
    `it has no state ${shown(given)}${near ? `; did you mean "${near}"?` : ""} (its states are ${few})`,
    "OPTION_RANGE",
  );
}

const listed = (labels: readonly string[]): string => labels.slice(0, 8).join(", ") + (labels.length > 8 ? ", …" : "");
