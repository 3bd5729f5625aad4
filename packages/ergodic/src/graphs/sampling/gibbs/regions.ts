import type { Conditionals } from "../../../engine/contract/index.ts";
import { log } from "../../../engine/numbers/log.ts";
import { Pauses } from "../../../engine/threads/steps.ts";
import { adjoining } from "./adjacency.ts";
import type { Chain } from "./chain.ts";
import type { Layout } from "./layout.ts";

/**
 * Largest number of variables in a group. Groups are small, so that a few variables with two modes can dominate the
 * statistic of their group.
 */
const GROUP_VARIABLES = 32;
/** Smallest probability used in a statistic, so that a single rare state does not dominate it. */
const LEAST_PROBABILITY = 0.02;

/** Smallest and largest value of each statistic over the states seen so far. */
export interface Ranges {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Returns empty ranges for `count` statistics, to be widened by the states that are seen. */
export const emptyRanges = (count: number): Ranges => ({
  low: new Float64Array(count).fill(Infinity),
  high: new Float64Array(count).fill(-Infinity),
});

/** Widens ranges to include the statistics of a state. */
export function widen({ low, high }: Ranges, values: Float64Array): void {
  for (let k = 0; k < low.length; k++) {
    low[k] = Math.min(low[k], values[k]);
    high[k] = Math.max(high[k], values[k]);
  }
}

/**
 * Statistics of a joint state x that distinguish regions of the state space. There is one statistic Σ_i ln q_i(x_i) per
 * group of up to 32 variables, where q_i is the chains' mean probability so far, at least 0.02. Two further statistics
 * cover all variables: Σ_i ln q_i(x_i) over all variables, and ln of the product of all factors.
 */
export class Regions {
  /** Number of statistics: one per group, followed by two for all variables. */
  readonly count: number;
  /** Group of each position. A group collects variables that share factors until it is full. */
  readonly groups: Uint32Array;
  /** ln q for each slot. For a Boolean with a single slot, the log odds of the second state. */
  readonly logs: Float64Array;
  private readonly layout: Layout;

  constructor(layout: Layout, groups: Uint32Array, logs: Float64Array) {
    this.layout = layout;
    this.groups = groups;
    this.logs = logs;
    this.count = groups.reduce((most, group) => Math.max(most, group + 1), 0) + 2;
  }

  /** Returns the statistics of a chain's states. Must be called after `chain.valueCall()` has run. */
  of(chain: Chain): Float64Array {
    const { groups, logs, count } = this;
    const { slots, drawn } = this.layout;
    const values = new Float64Array(count);
    const states = chain.current;
    for (let p = 0; p < drawn; p++) {
      const slot = slots[p];
      // A single slot contains the log odds of the second state.
      if (slots[p + 1] - slot > 1) values[groups[p]] += logs[slot + states[p]];
      else if (states[p] === 1) values[groups[p]] += logs[slot];
    }
    let sum = 0;
    for (let group = 0; group < count - 2; group++) sum += values[group];
    values[count - 2] = sum;
    values[count - 1] = chain.value;
    return values;
  }
}

/** Returns ln q for each slot, from the sums of all chains over n sweeps. */
export function logMeans(layout: Layout, chains: readonly Chain[], n: number): Float64Array {
  const { slots, drawn } = layout;
  const sums = chains.map((chain) => chain.sums.totals);
  const mean = (slot: number): number => sums.reduce((sum, totals) => sum + totals[slot], 0) / (n * sums.length);
  const clipped = (p: number): number => log(Math.max(LEAST_PROBABILITY, p));
  const logs = new Float64Array(slots[drawn]);
  for (let p = 0; p < drawn; p++) {
    const slot = slots[p];
    if (layout.terms(p) === 1) logs[slot] = clipped(mean(slot)) - clipped(1 - mean(slot));
    else for (let s = slot; s < slots[p + 1]; s++) logs[s] = clipped(mean(s));
  }
  return logs;
}

/**
 * Returns the group of each position. Each group grows along factors from the first variable without a group. Yields
 * every few milliseconds.
 */
export function* groupsOf(columns: Conditionals, { positions, drawn, variables: order }: Layout): Generator<void, Uint32Array> {
  const { ends, variables, observed } = columns;
  const { begins, factors } = yield* adjoining(columns);
  const pauses = new Pauses();
  const none = 0xffffffff;
  const groups = new Uint32Array(drawn).fill(none);
  // First unvisited edge of each factor. All groups together visit each edge once, even if factors have many variables.
  const next = Uint32Array.from(ends, (_, factor) => (factor === 0 ? 0 : ends[factor - 1]));
  for (let first = 0, number = 0; first < drawn; first++) {
    if (groups[first] !== none) continue;
    groups[first] = number;
    const group = [first];
    for (let k = 0; k < group.length && group.length < GROUP_VARIABLES; k++) {
      const variable = order[group[k]];
      for (let at = begins[variable]; at < begins[variable + 1] && group.length < GROUP_VARIABLES; at++) {
        if (pauses.due()) yield;
        const factor = factors[at];
        while (next[factor] < ends[factor] && group.length < GROUP_VARIABLES) {
          const other = variables[next[factor]++];
          if (observed[other] >= 0 || groups[positions[other]] !== none) continue;
          groups[positions[other]] = number;
          group.push(positions[other]);
        }
      }
    }
    number++;
  }
  return groups;
}
