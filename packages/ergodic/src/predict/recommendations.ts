/**
 * Quality of ranked lists of items, as means over users. For a list of k items, of which the user likes h, and n items
 * that the user likes in total:
 *
 * precision h/k; recall h/n; ndcg Σ_hits 1/log2(1 + place) ÷ Σ_{place ≤ min(k, n)} 1/log2(1 + place), places from 1;
 * auc: P(a random liked item scores above a random other item), ties ½, over all items that may be recommended. If a
 * user has no pair of items that could be compared, that user's auc is NaN and is excluded from the mean. warning:
 * present if recommending the most popular items to every user would give a larger ndcg. n includes liked items that
 * cannot be recommended. Source of ndcg: Järvelin, Kekäläinen 2002, with gains 0 and 1.
 */

import { DataError } from "../engine/errors/errors.ts";
import { log } from "../engine/numbers/log.ts";
import { RankedOutputs } from "./ranking.ts";

export interface RankingMetrics {
  precision: number;
  recall: number;
  ndcg: number;
  auc: number;
  /** Number of users in the means. */
  users: number;
  /** Warning that states both values. Present if recommending the most popular training items has a larger ndcg. */
  warning?: string;
}

export class RankingTally {
  private readonly count: number;
  private readonly sums = { precision: 0, recall: 0, ndcg: 0, auc: 0 };
  private popular = 0;
  private users = 0;
  private compared = 0;
  private readonly popularity: Float64Array | undefined;

  /** `popularity`: popularity of each item, if known. */
  constructor(count: number, popularity?: Float64Array) {
    this.count = count;
    this.popularity = popularity;
  }

  /**
   * Adds a user. `liked`: item numbers, −1 for items that cannot be recommended. `skip`: 1 for items that may not be
   * recommended. A user without liked items is ignored.
   */
  add(scores: Float64Array, liked: readonly number[], skip: Uint8Array): void {
    if (liked.length === 0) return;
    const wanted = new Set(liked);
    const { hits, gain } = this.list(scores, wanted, skip);
    let best = 0;
    for (let place = 0; place < Math.min(this.count, liked.length); place++) best += 1 / (log(place + 2) / Math.LN2);
    this.sums.precision += hits / this.count;
    this.sums.recall += hits / liked.length;
    this.sums.ndcg += gain / best;
    if (this.popularity) this.popular += this.list(this.popularity, wanted, skip).gain / best;
    this.users++;
    const ranked = new RankedOutputs();
    for (let i = 0; i < scores.length; i++) if (!skip[i]) ranked.add(scores[i], wanted.has(i), 1);
    const auc = ranked.areas().auc;
    if (Number.isNaN(auc)) return;
    this.sums.auc += auc;
    this.compared++;
  }

  result(): RankingMetrics {
    const { sums, users, compared, popular } = this;
    if (users === 0) throw new DataError("evaluate", "no user has a rating above 0 to rank", "DATA_EMPTY");
    const mean = (sum: number): number => sum / users;
    const digits = (sum: number): string => String(Number(mean(sum).toPrecision(4)));
    // A difference that rounding can explain does not count as worse.
    const isWorse = popular > sums.ndcg * (1 + 1e-9);
    return {
      precision: mean(sums.precision),
      recall: mean(sums.recall),
      ndcg: mean(sums.ndcg),
      auc: sums.auc / compared,
      users,
      ...(isWorse && {
        warning: `worse than recommending the most popular items to everybody: NDCG ${digits(sums.ndcg)}, compared with ${digits(popular)}`,
      }),
    };
  }

  private list(scores: Float64Array, wanted: ReadonlySet<number>, skip: Uint8Array): { hits: number; gain: number } {
    let hits = 0;
    let gain = 0;
    for (const [place, item] of largest(scores, this.count, skip).entries()) {
      if (!wanted.has(item)) continue;
      hits++;
      gain += 1 / (log(place + 2) / Math.LN2);
    }
    return { hits, gain };
  }
}

/** Indices of the `count` largest values, largest first, ties by index. Items with `skip` 1 are omitted. */
export function largest(values: Float64Array, count: number, skip: Uint8Array): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (skip[i] || (best.length === count && values[i] <= values[best[count - 1]])) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]] < values[i]) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
