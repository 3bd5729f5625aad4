/** Finds rules that change the probabilities of their bodies although nothing is known about their heads. */
import type { Finding } from "../../engine/errors/finding.ts";
import { Unknowns } from "./query.ts";
import type { WeightedRule } from "./rule.ts";

/**
 * Returns a finding per rule whose head is a query without observed unknowns, and whose body has unobserved unknowns of
 * another query. A factor has no direction. For example, the factor of "imply" is 0 if the body holds but the head does
 * not. Summed over an unobserved head, a factor of weight w multiplies the odds of the body by (1 + e^w) / (2 e^w) < 1.
 */
export function backwardFindings(rules: readonly WeightedRule[], knownCount: (facts: Unknowns) => number): Finding[] {
  return rules.flatMap((rule) => {
    const head = rule.atoms[rule.atoms.length - 1].facts as Unknowns;
    const literals = rule.atoms.filter(({ kind, facts }) => kind !== "relation" && facts instanceof Unknowns && facts !== head);
    const changed = [...new Set(literals.map(({ facts }) => facts as Unknowns))].filter(
      (facts) => knownCount(facts) < facts.rowCount,
    );
    if (rule.options.weight === 0 || changed.length === 0 || knownCount(head) > 0) return [];
    const names = changed.map(({ name }) => `"${name}"`).join(" and ");
    return {
      code: "backward",
      serious: false,
      text: `the rule "${rule.name}" changes the probabilities of ${names}, although no unknown of "${head.name}" is observed, because its factors have no direction`,
      advice: `if only "${head.name}" is meant to follow from ${names}, infer in two stages: first without this rule, then with the probabilities of the first stage as a relation`,
    };
  });
}
