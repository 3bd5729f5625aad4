import type { StateName } from "./domains.ts";

/** A variable: its name, or its number in the order in which they were made. */
export type VariableName = string | number;

/** "This variable has this state", or has not: what logical factors are about. */
export interface Literal {
  /** Its name or its number. */
  readonly variable: VariableName;
  /** Absent: true, of a Boolean. */
  readonly state?: StateName;
  /** The variable has another state. */
  readonly negated?: boolean;
}

/** A literal, or a Boolean variable, which is the literal that it is true. */
export type LiteralLike = Literal | VariableName;

/** The literal that a variable has a state: `is("rain", "heavy")`. */
export const is = (variable: VariableName, state: StateName): Literal => ({ variable, state });

/** The negation of a literal, or of a Boolean variable: `not("rain")`, `not(is("coin", "heads"))`. Of variables with more than two states there is none. */
export function not(literal: LiteralLike): Literal {
  if (typeof literal !== "object") return { variable: literal, negated: true };
  return { ...literal, negated: !literal.negated };
}
