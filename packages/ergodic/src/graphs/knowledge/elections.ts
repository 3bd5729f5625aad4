import { log } from "../../engine/numbers/log.ts";
import type { Found } from "./found.ts";
import type { WeightedRule } from "./rule.ts";
import { HashIndex } from "./tuples.ts";

/** Votes for a head that share one weight. */
export interface Votes {
  /** Row of the head. */
  readonly head: number;
  readonly weight: number;
  /** Distinct rows of the body's unknown. Empty if the body has no unknown. */
  readonly voters: readonly number[];
  /** Number of groundings. */
  readonly count: number;
}

/** Votes to add to the graph. With feature −1, these votes cancel votes that are already in the graph. */
export interface Election extends Votes {
  readonly feature: number;
}

/** Groups the groundings by head and weight. */
export function* votesOf({ literals, weights, length }: Found): Generator<Votes> {
  if (length === 0) return;
  const heads = literals.at(-1)!.data;
  const voters = literals.length > 1 ? literals[0].data : undefined;
  const { starts, rows, groupCount } = new HashIndex([heads, weights.data], length);
  for (let group = 0; group < groupCount; group++) {
    const members = rows.subarray(starts[group], starts[group + 1]);
    const [first] = members;
    const cast = voters ? distinct(voters, members) : [];
    yield { head: heads[first], weight: weights.data[first], voters: cast, count: members.length };
  }
}

/** Returns the distinct voters among the given ballots. */
function distinct(voters: Int32Array, ballots: Int32Array): number[] {
  const found: number[] = [];
  const seen = ballots.length > 16 ? new Set<number>() : undefined;
  for (const ballot of ballots) {
    const voter = voters[ballot];
    if (seen ? seen.has(voter) : found.includes(voter)) continue;
    seen?.add(voter);
    found.push(voter);
  }
  return found;
}

/**
 * Returns the votes that new groundings add to the graph. If the voters are unknowns, one factor with feature −1
 * cancels the old votes, and a new factor holds both old and new votes. If the body has no unknowns, a new factor has
 * the difference as its feature.
 */
export function electionsOf(rule: WeightedRule, fresh: Found, before: Found | undefined): Election[] {
  const elections: Election[] = [];
  const key = ({ head, weight }: Votes): string => `${head} ${weight}`;
  const earlier = before === undefined ? undefined : new Map(Array.from(votesOf(before), (one) => [key(one), one]));
  for (const votes of votesOf(fresh)) {
    const old = earlier?.get(key(votes));
    if (old === undefined) {
      elections.push(elected(rule, votes));
      continue;
    }
    if (fresh.literals.length === 1) {
      const feature = strength(rule, votes.count + old.count) - strength(rule, old.count);
      if (feature !== 0) elections.push({ ...votes, feature });
      continue;
    }
    const voters = [...new Set([...old.voters, ...votes.voters])];
    if (voters.length === old.voters.length) continue;
    elections.push({ ...old, feature: -1 }, { ...votes, voters, count: old.count + votes.count, feature: 1 });
  }
  return elections;
}

export function elected(rule: WeightedRule, votes: Votes): Election {
  return { ...votes, feature: votes.voters.length > 0 ? 1 : strength(rule, votes.count) };
}

/** Returns the value of `count` votes if the body has no unknowns. In such a body, every literal holds. */
function strength({ semantics }: WeightedRule, count: number): number {
  if (semantics === "linear") return count;
  return semantics === "ratio" ? log(1 + count) / Math.LN2 : Math.min(1, count);
}
