import type { Finding } from "../../engine/errors/finding.ts";
import type { FactorGraph } from "../model/graph.ts";
import { backwardFindings } from "./backward.ts";
import type { Unknowns } from "./query.ts";
import type { WeightedRule } from "./rule.ts";
import { unlabelledFindings } from "./unlabelled.ts";
import type { FactsView } from "./views.ts";
import type { Weights } from "./weights.ts";

/** Returns the findings about the rules of a knowledge base. See `KnowledgeBase.findings`. */
export function ruleFindings(
  rules: readonly WeightedRule[],
  weights: Weights,
  graph: FactorGraph,
  viewOf: (facts: Unknowns) => FactsView,
): Finding[] {
  const known = knownCounter(graph, viewOf);
  return [...backwardFindings(rules, known), ...unlabelledFindings(rules, known, (rule) => weights.learnedBy(rule))];
}

/**
 * Returns a function that counts the unknowns of a query that are observed, or have a label that `fit` learns from. The
 * function remembers its results.
 */
function knownCounter(graph: FactorGraph, viewOf: (facts: Unknowns) => FactsView): (facts: Unknowns) => number {
  const counts = new Map<Unknowns, number>();
  const count = (facts: Unknowns): number => {
    const { variables } = viewOf(facts);
    let known = 0;
    for (let row = 0; row < facts.rowCount; row++) {
      const isLabelled = facts.labels.data[row] >= 0 && facts.heldOut.data[row] === 0;
      if (isLabelled || (row < variables.length && graph.observedState(variables.data[row]) >= 0)) known++;
    }
    return known;
  };
  return (facts) => {
    if (!counts.has(facts)) counts.set(facts, count(facts));
    return counts.get(facts)!;
  };
}
