import type { Certificate } from "../../../engine/contract/index.ts";
import { neighbourhood } from "../gibbs/adjacency.ts";
import { certify, type Judged, judge, LEAST_BATCHES, settled } from "../gibbs/chain-sums.ts";
import type { BitLayout } from "./bit-layout.ts";
import { GROUP_REPLICAS, GROUPS, type Replicas } from "./replicas.ts";

/** Sums over a number of sweeps, in batches, as stored by blocks of replicas. */
export interface Kept {
  readonly layout: BitLayout;
  readonly blocks: readonly Replicas[];
  readonly sweeps: number;
  readonly batches: number;
}

/** Returns the probabilities of each variable (means over all replicas) with a certificate. */
export function marginalsOf(kept: Kept): { p: Float64Array; certificate: Certificate }[] {
  const { layout, blocks, sweeps, batches } = kept;
  const { positionOf, columns } = layout;
  const { observed, cardinalities } = columns;
  const sums = blocks.map((block) => block.sums);
  const found = Array.from({ length: layout.positions }, (_, position) => judged(kept, sums, position));
  const stuck = found.map(({ moved }, position) => {
    const { joined, certain } = layout.kindAt(position);
    return joined && !certain && !moved;
  });
  const neighbours = neighbourhood(columns);
  return Array.from(cardinalities, (count, variable) => {
    const position = positionOf[variable];
    const p = new Float64Array(count);
    if (position < 0) {
      p[observed[variable]] = 1;
      return { p, certificate: { exact: true } };
    }
    const { joined, certain } = layout.kindAt(position);
    p[1] = joined ? found[position].p : layout.kindAt(position).probabilities[0];
    p[0] = 1 - p[1];
    // The variable's distribution depends on no other variable.
    if (!joined) return { p, certificate: { exact: true } };
    if (stuck[position]) return { p, certificate: { none: "its state never changed" } };
    let held = false;
    if (!certain)
      neighbours(variable, (other) => {
        if (stuck[positionOf[other]]) held = true;
      });
    if (held) return { p, certificate: { none: "a neighbour's state never changed" } };
    if (batches < LEAST_BATCHES) return { p, certificate: { none: `the replicas are too short (${sweeps} sweeps)` } };
    return { p, certificate: certify([found[position].judged, found[position].judged]) };
  });
}

/** Returns whether every probability has a standard error of at most `mcse` and the groups of replicas agree. */
export function precise(kept: Kept, mcse: number): boolean {
  const { layout, blocks } = kept;
  const sums = blocks.map((block) => block.sums);
  return layout.variables.every((variable, position) => {
    if (variable < 0) return true;
    const { joined, certain } = layout.kindAt(position);
    if (!joined) return true;
    const found = judged(kept, sums, position);
    return (certain || found.moved) && settled(found.judged, mcse);
  });
}

/**
 * Returns the estimate at a position: the share of ones, its errors, and whether any two batches differ. Batches cannot
 * differ if no replica ever changed. A group of replicas counts as a chain. Let a batch of b sweeps have s ones. The
 * value (Σ (s²/b) − (Σ s)²/n)/(K − 1) then equals 8 v, where v is the variance of the group's mean multiplied by the
 * number of the group's draws. The stored squares are sums over all groups of a block.
 */
function judged({ blocks, sweeps, batches }: Kept, sums: readonly Replicas["sums"][], position: number): Found {
  const means: number[] = [];
  const variances: number[] = [];
  for (let b = 0; b < blocks.length; b++) {
    const { totals, squares } = sums[b];
    let product = 0;
    for (let group = 0; group < GROUPS; group++) {
      const total = totals[GROUPS * position + group];
      product += total * (total / sweeps);
      means.push(total / (sweeps * GROUP_REPLICAS));
    }
    const variance = Math.max(0, squares[position] - product) / (batches - 1) / (GROUP_REPLICAS * GROUPS);
    for (let group = 0; group < GROUPS; group++) variances.push(variance);
  }
  return {
    p: means.reduce((sum, mean) => sum + mean, 0) / means.length,
    moved: variances.some((variance) => variance > 0),
    judged: judge({ means, variances, replicas: GROUP_REPLICAS }, sweeps),
  };
}

interface Found {
  readonly p: number;
  readonly moved: boolean;
  readonly judged: Judged;
}
