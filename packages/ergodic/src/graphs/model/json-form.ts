import type { Json, JsonObject } from "../../engine/contract/index.ts";
import type { Observations } from "./evidence.ts";
import type { StoredFactor, Structure } from "./structure.ts";

/** Value of the `format` field in the JSON. */
export const FORMAT = "ergodic factor graph";
export const VERSION = 1;

/**
 * Converts a graph to JSON, with variables, weights and factors in order. Named variables and weights are referred to
 * by name, others by index. A literal is [variable, state]; for a Boolean that must be true, the variable alone
 * suffices. Logarithms of 0 are null.
 */
export function graphToJson(structure: Structure, observations: Observations): JsonObject {
  const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const reference = (variable: number): string | number => structure.givenName(variable) ?? variable;
  const state = (variable: number, of: number): Json => {
    const domain = structure.domain(variable);
    return domain.boolean ? of === 1 : domain.labels ? domain.labels[of] : of;
  };
  const literals = ({ variables, states }: StoredFactor): Json =>
    Array.from(variables, (variable, i) =>
      structure.domain(variable).boolean && states![i] === 1
        ? reference(variable)
        : [reference(variable), state(variable, states![i])],
    );
  const observed = indices(structure.variableCount).filter((variable) => observations.state(variable) >= 0);
  return {
    format: FORMAT,
    version: VERSION,
    variables: indices(structure.variableCount).map((variable) => {
      const name = structure.givenName(variable);
      const { given } = structure.domain(variable);
      const truthiness = structure.truthiness.get(variable);
      const initial = structure.initialState(variable);
      return {
        ...(name === undefined ? {} : { name }),
        ...(given === undefined ? {} : { states: typeof given === "number" ? given : [...given] }),
        ...(truthiness === undefined ? {} : { truthiness: Array.from(truthiness) }),
        ...(initial === 0 ? {} : { initial: state(variable, initial) }),
      };
    }),
    weights: indices(structure.weightCount).map((id) => {
      const { name, value, fixed } = structure.weight(id);
      return { ...(name === undefined ? {} : { name }), value, ...(fixed ? { fixed } : {}) };
    }),
    factors: indices(structure.factorCount).map((i): JsonObject => {
      const factor = structure.factor(i);
      const { kind, values, logs, probabilities, most, weight, feature } = factor;
      if (kind === "table") {
        const numbers = Array.from(values!, (value) => (value === -Infinity ? null : value));
        return { table: Array.from(factor.variables, reference), values: numbers, ...(logs ? { logs } : {}) };
      }
      if (kind === "noisyOr") return { noisyOr: literals(factor), probabilities: Array.from(probabilities!) };
      if (kind === "oneOf") return { oneOf: literals(factor) };
      if (kind === "atMost") return { atMost: literals(factor), most: most! };
      const named = structure.weight(weight!).name ?? weight!;
      return { [kind]: literals(factor), weight: named, ...(feature === 1 ? {} : { feature: feature! }) };
    }),
    evidence: observed.map((variable) => [reference(variable), state(variable, observations.state(variable))]),
    soft: [...observations.soft].map(([variable, likelihood]) => [reference(variable), Array.from(likelihood)]),
  };
}
