import type { Certificate } from "../../contract.ts";
import type { Chain } from "./chain.ts";
import { certify, fromBatches, type Judged, judge, LEAST_BATCHES, settled } from "./chain-sums.ts";
import type { Layout } from "./layout.ts";

/** Sums of all chains. */
type Sums = readonly Chain["sums"][];

/**
 * Of each variable the probabilities, means of all chains, and what is known of them. `blockOf` by position: what holds a variable that
 * zeros may link to others of its block holds them all.
 */
export function marginalsOf(
  layout: Layout,
  chains: readonly Chain[],
  n: number,
  batches: number,
  neighbours: (variable: number, visit: (other: number) => void) => void,
  blockOf?: Uint32Array,
): { p: Float64Array; certificate: Certificate }[] {
  const { cardinalities, observed, positions, drawn, joined, certain } = layout;
  const sums = chains.map((chain) => chain.sums);
  const stuck = new Uint8Array(drawn);
  for (let p = 0; p < drawn; p++) stuck[p] = joined[p] && !certain[p] && sums.every(({ changed }) => changed[p] === 0) ? 1 : 0;
  const held = new Uint8Array(drawn);
  const heldBlocks = new Set<number>();
  for (let p = 0; p < drawn; p++) {
    if (!stuck[p]) continue;
    neighbours(layout.variables[p], (other) => {
      const position = positions[other];
      held[position] = 1;
      if (blockOf && layout.hard[position] && blockOf[position] !== blockOf[p]) heldBlocks.add(blockOf[position]);
    });
  }
  return Array.from(cardinalities, (count, variable) => {
    const position = positions[variable];
    const p = new Float64Array(count);
    if (position >= drawn) {
      p[observed[variable]] = 1;
      return { p, certificate: { exact: true } };
    }
    const slot = layout.slots[position];
    if (layout.terms(position) === 1) {
      p[1] = meanOf(sums, slot, n);
      p[0] = 1 - p[1];
    } else for (let s = 0; s < count; s++) p[s] = meanOf(sums, slot + s, n);
    // Its distribution depends on nothing else.
    if (!joined[position]) return { p, certificate: { exact: true } };
    if (stuck[position]) return { p, certificate: { none: "its state never changed" } };
    if (!certain[position] && (held[position] || (blockOf && heldBlocks.has(blockOf[position]))))
      return { p, certificate: { none: "a neighbour's state never changed" } };
    if (batches < LEAST_BATCHES) return { p, certificate: { none: `the chains are too short (${n} sweeps)` } };
    return { p, certificate: certify(judged(layout, sums, position, n, batches)) };
  });
}

/** Whether every probability is known to `mcse`, and the chains agree. */
export function precise(layout: Layout, chains: readonly Chain[], n: number, batches: number, mcse: number): boolean {
  const sums = chains.map((chain) => chain.sums);
  for (let position = 0; position < layout.drawn; position++) {
    if (!layout.joined[position]) continue;
    if (!layout.certain[position] && sums.every(({ changed }) => changed[position] === 0)) return false;
    if (!judged(layout, sums, position, n, batches).every((one) => settled(one, mcse))) return false;
  }
  return true;
}

function judged(layout: Layout, sums: Sums, position: number, n: number, batches: number): Judged[] {
  const slot = layout.slots[position];
  const count = layout.terms(position);
  const states: Judged[] = [];
  for (let s = 0; s < count; s++) {
    const found = sums.map(({ totals, squares }) => fromBatches(totals[slot + s], squares[slot + s], n, batches));
    states.push(judge({ means: found.map(({ mean }) => mean), variances: found.map(({ variance }) => variance) }, n));
  }
  return count === 1 ? [states[0], states[0]] : states;
}

const meanOf = (sums: Sums, slot: number, n: number): number =>
  sums.reduce((sum, { totals }) => sum + totals[slot], 0) / (n * sums.length);
