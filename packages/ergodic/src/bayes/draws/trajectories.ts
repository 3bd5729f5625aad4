/** Diagnostics of Hamiltonian trajectories: energies and tree depths. */

import type { JsonObject } from "../../engine/contract/index.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { ebfmi } from "../../engine/statistics/index.ts";

/** Draws to inspect, from any source. */
export interface Transitions {
  readonly chains: number;
  readonly count: number;
  readonly fields: readonly string[];
  readonly description: JsonObject;
  transition(field: string): Float64Array;
}

/** Energy diagnostics of Hamiltonian chains. A low E-BFMI shows that chains explore the tails badly. */
export interface EnergyReport {
  /** E-BFMI of each chain. */
  readonly ebfmi: Float64Array;
  /** Number of chains with an E-BFMI below 0.3. */
  readonly poor: number;
}

/** Depths of the trajectory trees of nuts(). */
export interface TreeReport {
  /** Number of transitions by depth, from 0. */
  readonly counts: number[];
  /** Mean depth. */
  readonly mean: number;
  /** `maxTreeDepth`, if the draws' description contains the algorithm. */
  readonly limit: number | undefined;
  /** Number of transitions that reached the limit. */
  readonly saturated: number;
  /** Total number of leapfrog steps; NaN if the file did not store them. */
  readonly leapfrogs: number;
}

/** E-BFMI below which Stan warns; posteriordb uses 0.2. */
const POOR_EBFMI = 0.3;

/**
 * Maximum tree depth. Depth 64 means 2^64 leapfrog steps, more than any run can make. This limit keeps the array of
 * counts by depth short.
 */
export const DEEPEST_TREE = 64;

export const isDepth = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= DEEPEST_TREE;

/**
 * Checks tree depths from files and callers.
 *
 * @throws DataError [DRAWS_DEPTH] with the index of the transition over all chains, from 1
 */
export function checkDepths(fields: readonly string[], transitions: Float64Array): void {
  const offset = fields.indexOf("treeDepth");
  if (offset < 0) return;
  for (let k = offset; k < transitions.length; k += fields.length) {
    if (isDepth(transitions[k])) continue;
    const transition = (k - offset) / fields.length + 1;
    const message = `transition ${transition} has a tree of depth ${transitions[k]}, but depths are whole numbers from 0 to ${DEEPEST_TREE}`;
    throw new DataError("draws", `${message}; make the draws again, or leave "treeDepth" out`, "DRAWS_DEPTH");
  }
}

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
    leapfrogs: draws.fields.includes("leapfrogs")
      ? draws.transition("leapfrogs").reduce((sum, count) => sum + count, 0)
      : Number.NaN,
  };
}
