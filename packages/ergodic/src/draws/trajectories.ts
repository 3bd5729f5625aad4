/** How the trajectories of a Hamiltonian sampler went: energies, and the depths of their trees. */
import type { JsonObject } from "../contract.ts";
import { ebfmi } from "../diagnostics/index.ts";

/** What is looked at: draws, whatever made them. */
export interface Transitions {
  readonly chains: number;
  readonly count: number;
  readonly fields: readonly string[];
  readonly description: JsonObject;
  transition(field: string): Float64Array;
}

export interface EnergyReport {
  /** E-BFMI of each chain. */
  readonly ebfmi: Float64Array;
  /** Chains below 0.3. */
  readonly poor: number;
}

export interface TreeReport {
  /** Transitions by depth, from 0. */
  readonly counts: number[];
  readonly mean: number;
  /** `maxTreeDepth`, where the algorithm is described. */
  readonly limit: number | undefined;
  /** Transitions that ended at the limit. */
  readonly saturated: number;
  readonly leapfrogs: number;
}

/** Stan's bound; posteriordb asks for 0.2. */
const POOR_EBFMI = 0.3;

export function energyReport(draws: Transitions): EnergyReport | undefined {
  if (!draws.fields.includes("energy") || draws.count < 2) return undefined;
  const each = ebfmi(draws.transition("energy"), draws.chains);
  return { ebfmi: each, poor: each.filter((value) => value < POOR_EBFMI).length };
}

export function treeReport(draws: Transitions): TreeReport | undefined {
  if (!draws.fields.includes("treeDepth") || draws.count === 0) return undefined;
  const depths = draws.transition("treeDepth");
  if (depths.every((depth) => depth === 0)) return undefined;
  const deepest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  const counts = new Array<number>(deepest + 1).fill(0);
  for (const depth of depths) counts[depth]++;
  const given = (draws.description.algorithm as JsonObject | undefined)?.maxTreeDepth;
  const limit = typeof given === "number" ? given : undefined;
  return {
    counts,
    mean: depths.reduce((sum, depth) => sum + depth, 0) / depths.length,
    limit,
    saturated: limit === undefined ? 0 : (counts[limit] ?? 0),
    leapfrogs: draws.transition("leapfrogs").reduce((sum, count) => sum + count, 0),
  };
}
