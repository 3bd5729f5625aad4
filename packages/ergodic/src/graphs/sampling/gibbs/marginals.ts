import type { Certificate, Conditionals, EndedChains } from "../../../engine/contract/index.ts";
import { largest } from "../../../engine/numbers/extremes.ts";
import { Pauses } from "../../../engine/threads/steps.ts";
import { type Adjacency, beside, neighbourhood } from "./adjacency.ts";
import { LEAST_SWEEPS } from "./batches.ts";
import type { Chain } from "./chain.ts";
import { certify, fromBatches, type Judged, judge, LEAST_BATCHES, settled } from "./chain-sums.ts";
import type { Layout } from "./layout.ts";

/** Sums of all chains. */
type Sums = readonly Chain["sums"][];

/** Further information about the chains. */
interface Doubts {
  /** Index of each position's block, if variables linked by zeros are drawn in blocks. */
  readonly blockOf?: Uint32Array | undefined;
  readonly earlier?: EndedChains | undefined;
  /** 1 for each position at which chains from other starts have states that these chains never visit. */
  readonly apart?: Uint8Array | undefined;
}

/**
 * Returns a variable's variance from an earlier run. The variance is used until this run is as long as the earlier run.
 * Undefined if unknown.
 */
function knownOf(earlier: EndedChains | undefined, variable: number, n: number): number | undefined {
  const variance = earlier && n < earlier.kept ? earlier.variances[variable] : NaN;
  return variance >= 0 ? variance : undefined;
}

/**
 * Returns the probabilities of each variable (means over all chains) with a certificate. A stuck neighbour can hold
 * back a variable. If zeros link this variable to others in its block, the whole block counts as held back. A variable
 * also has no certificate if a neighbour's chains disagree or are too short, or if other starts cast doubt on a
 * neighbour. The variable is then drawn given the neighbour's state, and the probability of that state is unknown.
 * Yields every few milliseconds.
 */
export function* marginalsOf(
  layout: Layout,
  chains: readonly Chain[],
  n: number,
  batches: number,
  { columns, adjacency }: { readonly columns: Conditionals; readonly adjacency: Adjacency },
  { blockOf, earlier, apart }: Doubts = {},
): Generator<void, { p: Float64Array; certificate: Certificate }[]> {
  const { cardinalities, observed, positions, drawn, joined, certain } = layout;
  const neighbours = neighbourhood(columns, adjacency);
  const pauses = new Pauses();
  const stuck = yield* stuckOf(layout, chains, n, earlier, pauses);
  let sums = chains.map((chain) => chain.sums);
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
  const unsettled = new Uint8Array(cardinalities.length);
  const found = (count: number, variable: number): { p: Float64Array; certificate: Certificate } => {
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
    // The variable's distribution depends on no other variable.
    if (!joined[position]) return { p, certificate: { exact: true } };
    if (stuck[position]) return { p, certificate: { none: "its state never changed" } };
    if (!certain[position] && (held[position] || (blockOf && heldBlocks.has(blockOf[position]))))
      return { p, certificate: { none: "a neighbour's state never changed" } };
    if (batches < LEAST_BATCHES) return { p, certificate: { none: `the chains are too short (${n} sweeps)` } };
    const certificate = certify(judged(layout, sums, position, n, batches, knownOf(earlier, variable, n)));
    if ("none" in certificate) unsettled[variable] = 1;
    return { p, certificate };
  };
  const marginals: { p: Float64Array; certificate: Certificate }[] = [];
  for (let variable = 0; variable < cardinalities.length; variable++) {
    if (pauses.due()) {
      yield;
      // Memory views must be renewed, because other code could have allocated memory.
      sums = chains.map((chain) => chain.sums);
    }
    marginals.push(found(cardinalities[variable], variable));
  }
  const isApart = (variable: number): boolean => apart?.[positions[variable]] === 1;
  const isUnsettled = (variable: number): boolean => unsettled[variable] === 1;
  const others = apart && (yield* beside(columns, adjacency, isApart));
  const besides = yield* beside(columns, adjacency, isUnsettled);
  for (const [variable, { p, certificate }] of marginals.entries()) {
    if (pauses.due()) yield;
    if (!("mcse" in certificate)) continue;
    if (isApart(variable)) marginals[variable] = { p, certificate: { none: APART } };
    else if (others?.[variable]) marginals[variable] = { p, certificate: { none: `a neighbour has no certificate: ${APART}` } };
    else if (besides[variable])
      marginals[variable] = { p, certificate: { none: "a neighbour's chains disagree, or are too short" } };
  }
  return marginals;
}

/** Returns 1 for each position whose state never changed although it was free to change. */
function* stuckOf(
  { drawn, joined, certain, variables }: Layout,
  chains: readonly Chain[],
  n: number,
  earlier: EndedChains | undefined,
  pauses: Pauses,
): Generator<void, Uint8Array> {
  let sums = chains.map((chain) => chain.sums);
  const stuck = new Uint8Array(drawn);
  for (let p = 0; p < drawn; p++) {
    if (pauses.due()) {
      yield;
      // Memory views must be renewed, because other code could have allocated memory.
      sums = chains.map((chain) => chain.sums);
    }
    stuck[p] =
      joined[p] && !certain[p] && knownOf(earlier, variables[p], n) === undefined && sums.every(({ changed }) => changed[p] === 0)
        ? 1
        : 0;
  }
  return stuck;
}

/** Reason for withholding the certificate if scouts are in states that the kept chains never visit. */
const APART = "chains from other starts are in states that these chains never visit: there may be another mode";

/**
 * Returns whether every probability has a standard error of at most `mcse` and the chains agree. Yields every few
 * milliseconds.
 */
export function* precision(
  layout: Layout,
  chains: readonly Chain[],
  n: number,
  batches: number,
  mcse: number,
  earlier?: EndedChains,
): Generator<void, boolean> {
  const pauses = new Pauses();
  let sums = chains.map((chain) => chain.sums);
  for (let position = 0; position < layout.drawn; position++) {
    if (!layout.joined[position]) continue;
    if (pauses.due()) {
      yield;
      // Memory views must be renewed, because other code could have allocated memory.
      sums = chains.map((chain) => chain.sums);
    }
    const known = knownOf(earlier, layout.variables[position], n);
    if (known === undefined) {
      if (n < LEAST_SWEEPS) return false;
      if (!layout.certain[position] && sums.every(({ changed }) => changed[position] === 0)) return false;
    }
    if (!judged(layout, sums, position, n, batches, known).every((one) => settled(one, mcse))) return false;
  }
  return true;
}

/**
 * Returns the variances on which a later run can rely. For each variable, this is the variance of its mean multiplied
 * by the number of draws. The variance comes from batches unless the chains' means contradict it, because an estimate
 * from a few means is imprecise. NaN for variables without a certificate. Yields every few milliseconds.
 */
export function* variancesOf(
  layout: Layout,
  chains: readonly Chain[],
  n: number,
  batches: number,
  marginals: readonly { readonly certificate: Certificate }[],
  earlier?: EndedChains,
): Generator<void, Float64Array> {
  const variances = new Float64Array(marginals.length).fill(NaN);
  const pauses = new Pauses();
  let sums = chains.map((chain) => chain.sums);
  for (const [variable, { certificate }] of marginals.entries()) {
    if (pauses.due()) {
      yield;
      sums = chains.map((chain) => chain.sums);
    }
    if ("exact" in certificate) variances[variable] = 0;
    if (!("mcse" in certificate)) continue;
    const known = knownOf(earlier, variable, n) ?? 0;
    const found = judged(layout, sums, layout.positions[variable], n, batches, known);
    variances[variable] = largest(found.map(({ mcse }) => mcse * mcse * n * chains.length));
  }
  return variances;
}

function judged(layout: Layout, sums: Sums, position: number, n: number, batches: number, known: number | undefined): Judged[] {
  const slot = layout.slots[position];
  const count = layout.terms(position);
  const states: Judged[] = [];
  for (let s = 0; s < count; s++) {
    const found = sums.map(({ totals, squares }) => fromBatches(totals[slot + s], squares[slot + s], n, batches));
    const means = { means: found.map(({ mean }) => mean), variances: found.map(({ variance }) => variance) };
    states.push(judge(known === undefined ? means : { ...means, known }, n));
  }
  return count === 1 ? [states[0], states[0]] : states;
}

const meanOf = (sums: Sums, slot: number, n: number): number =>
  sums.reduce((sum, { totals }) => sum + totals[slot], 0) / (n * sums.length);
