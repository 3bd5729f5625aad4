import type { StateName } from "./domains.ts";

/** A variable: its name, or its index in order of creation. */
export type VariableName = string | number;

/** The statement that a variable has, or does not have, a given state. Logical factors are functions of literals. */
export interface Literal {
  /** Name or index of the variable. */
  readonly variable: VariableName;
  /** State of the variable. Default: true (only for a Boolean). */
  readonly state?: StateName;
  /** Whether the variable must have a different state. */
  readonly negated?: boolean;
}

/** A literal, or a Boolean variable as shorthand for "it is true". */
export type LiteralLike = Literal | VariableName;

/**
 * Creates the literal which says that a variable has a given state: `is("rain", "heavy")`.
 *
 * @param variable variable of the graph, by name
 * @param state state that makes the literal true
 */
export const is = (variable: VariableName, state: StateName): Literal => ({ variable, state });

/**
 * Negates a literal or a Boolean variable: `not("rain")`, `not(is("coin", "heads"))`. Variables with more than two
 * states cannot be negated.
 */
export function not(literal: LiteralLike): Literal {
  if (typeof literal !== "object") return { variable: literal, negated: true };
  return { ...literal, negated: !literal.negated };
}
