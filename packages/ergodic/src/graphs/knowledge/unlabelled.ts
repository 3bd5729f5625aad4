/** Finds rules with learned weights although nothing is known about their heads. */
import type { Finding } from "../../engine/errors/finding.ts";
import type { Unknowns } from "./query.ts";
import type { WeightedRule } from "./rule.ts";

/**
 * Returns a finding per rule whose weights are learned, and whose head is a query without observed unknowns. A weight
 * that rules share is learned from all of their heads. `learnedBy` returns the name of the weight that a rule shares, or
 * true if the rule has learned weights of its own.
 */
export function unlabelledFindings(
  rules: readonly WeightedRule[],
  knownCount: (facts: Unknowns) => number,
  learnedBy: (rule: WeightedRule) => string | boolean,
): Finding[] {
  const headOf = (rule: WeightedRule): Unknowns => rule.atoms[rule.atoms.length - 1].facts as Unknowns;
  const shown = new Set(rules.filter((rule) => knownCount(headOf(rule)) > 0).map(learnedBy));
  return rules.flatMap((rule) => {
    const learned = learnedBy(rule);
    const head = headOf(rule);
    if (learned === false || knownCount(head) > 0 || (learned !== true && shown.has(learned))) return [];
    const weights = learned === true ? "the weights" : `the weight "${learned}"`;
    return {
      code: "unlabelled",
      serious: false,
      text: `${weights} of the rule "${rule.name}" would be learned, although no unknown of "${head.name}" is observed or has a label that is not held out, so that no example shows whether the rule is right`,
      advice: `give "${head.name}" labels, or give the rule a number as its weight`,
    };
  });
}
