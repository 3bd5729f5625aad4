import { refuse } from "../../engine/errors/checks.ts";
import { checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { stateOf } from "./domains.ts";
import type { Weight } from "./factor-types.ts";
import type { LiteralLike, VariableName } from "./literals.ts";
import type { Structure } from "./structure.ts";

/** Resolves literals to the indices of their variables and of the states that satisfy them. @throws OptionError */
export function literalsOf(
  structure: Structure,
  where: string,
  given: readonly LiteralLike[],
): { variables: number[]; states: number[] } {
  if (!Array.isArray(given)) refuse(where, "the literals", given, "a list", '["a", not("b"), is("c", "red")]');
  if (given.length === 0) throw new OptionError(where, "there are no literals, but must be at least one", "OPTION_RANGE");
  const variables: number[] = [];
  const states: number[] = [];
  for (const one of given) {
    const { variable, state, negated = false } = typeof one === "object" && one !== null ? one : { variable: one };
    const number = structure.variable(where, variable);
    const domain = structure.domain(number);
    const place = `${where}: "${structure.name(number)}"`;
    // If both states have names, the variable alone does not say which state is meant.
    if (state === undefined && !domain.boolean && (domain.count !== 2 || domain.labels))
      throw new OptionError(place, 'it is not Boolean; say which state is meant: is(variable, "state")', "OPTION_MEANING");
    if (negated && domain.count !== 2)
      throw new OptionError(
        place,
        `it has ${domain.count} states, of which not() names none; say which one: is()`,
        "OPTION_MEANING",
      );
    const found = state === undefined ? 1 : stateOf(place, domain, state);
    variables.push(number);
    states.push(negated ? 1 - found : found);
  }
  checkDistinct(structure, where, variables);
  return { variables, states };
}

/** Resolves names to the indices of distinct variables. @throws OptionError */
export function scopeOf(structure: Structure, where: string, given: readonly VariableName[]): number[] {
  if (!Array.isArray(given)) refuse(where, "the variables", given, "a list", '["rain", "wet"]');
  const scope = given.map((name) => structure.variable(where, name));
  checkDistinct(structure, where, scope);
  return scope;
}

/** @throws OptionError if a variable occurs twice */
export function checkDistinct(structure: Structure, where: string, variables: ArrayLike<number>): void {
  const repeated = repeatedIn(variables);
  if (repeated === undefined) return;
  const name = structure.name(repeated);
  throw new OptionError(
    where,
    `the variable "${name}" occurs twice, but a factor can contain it only once; merge the two`,
    "OPTION_RANGE",
  );
}

function repeatedIn(variables: ArrayLike<number>): number | undefined {
  const { length } = variables;
  if (length > 16) {
    const seen = new Set<number>();
    for (let i = 0; i < length; i++) if (seen.size === seen.add(variables[i]).size) return variables[i];
    return undefined;
  }
  for (let i = 1; i < length; i++) for (let j = 0; j < i; j++) if (variables[i] === variables[j]) return variables[i];
  return undefined;
}

/**
 * Returns the index of the weight for a `weight` option. A number means a fixed weight of that value.
 *
 * @throws OptionError
 */
export function weightOf(structure: Structure, where: string, weight: Weight | number | string): number {
  if (typeof weight !== "number") return weightNumber(structure, where, weight);
  checkNumber(where, "weight", weight);
  return structure.constant(where, weight);
}

/** Returns the index of a weight, given as a `weight()` result, a name or an index. @throws OptionError */
export function weightNumber(structure: Structure, where: string, weight: Weight | string | number): number {
  if (typeof weight === "string") return structure.weightNamed(where, weight);
  const id = typeof weight === "object" ? weight?.id : weight;
  if (Number.isInteger(id) && id >= 0 && id < structure.weightCount) return id;
  throw new OptionError(
    where,
    `weight is ${shown(weight)}, but must be one of this graph's: a number, the name of a weight, or a result of weight()`,
    "OPTION_TYPE",
  );
}
