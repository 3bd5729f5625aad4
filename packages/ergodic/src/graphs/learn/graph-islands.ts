import type { Conditionals } from "../../engine/contract/index.ts";
import { MemoryLimitError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { inTurns } from "../../engine/threads/steps.ts";
import type { FactorGraph } from "../model/graph.ts";
import { ergodicity } from "../parts/ergodicity.ts";
import { type Component, reducing } from "../parts/reduction.ts";

/**
 * Largest number of edges for which islands are searched for. Largest number of edges for which a search for islands is
 * made.
 */
const MOST_EDGES = 2 ** 16;

/**
 * Reports a finding if chains over a graph with zeros provably cannot reach all states. `free` is the graph without the
 * evidence, as sampled by the model's chains. `clamped` is the graph with the evidence. Returns nothing without a
 * proof, for example if several factors together form the islands.
 */
export async function islandFindings(
  free: FactorGraph,
  clamped: FactorGraph,
  { shapeValues, variables, observed }: Conditionals,
): Promise<Finding[]> {
  if (!shapeValues.includes(-Infinity) || variables.length > MOST_EDGES) return [];
  const hidden = observed.includes(-1);
  for (const [which, graph] of [
    ["the model's chains", free] as const,
    ...(hidden ? [["chains with the evidence", clamped] as const] : []),
  ]) {
    const reason = await islandsOf(graph);
    if (reason !== undefined)
      return [
        {
          code: "islands",
          serious: true,
          text: `${which} stay in the island of states where they began, because zeros of the graph stop changes of one variable from leaving it (${reason}): the gradient covers only the states that chains happen to visit`,
          advice: "use exactLikelihood(), or replace the zeros by finite weights",
        },
      ];
  }
  return [];
}

/** Returns the reason if the states provably form islands. */
async function islandsOf(graph: FactorGraph): Promise<string | undefined> {
  let parts: readonly Component[];
  try {
    parts = (await inTurns(reducing(graph.factorTables("marginals")))).components;
  } catch (error) {
    if (error instanceof MemoryLimitError) return undefined;
    throw error;
  }
  for (const part of parts) {
    const found = await inTurns(ergodicity(part));
    if (found.ergodic === false) return found.reason;
  }
  return undefined;
}
