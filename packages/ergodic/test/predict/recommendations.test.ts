/**
 * Metrics of ranked lists by hand: users who like fewer items than the list is long, and lists shorter than requested.
 */
import { describe, expect, it } from "vitest";
import { RankingTally } from "../../src/predict/recommendations.ts";

const none = new Uint8Array(6);
const scores = Float64Array.of(6, 5, 4, 3, 2, 1);
const gain = (place: number): number => 1 / Math.log2(place + 1);

function metricsOf(count: number, liked: readonly number[], skip = none) {
  const tally = new RankingTally(count);
  tally.add(scores, liked, skip);
  return tally.result();
}

describe("popularity baseline", () => {
  const popularity = Float64Array.of(1, 9, 2, 0, 0, 0);
  const told = (liked: readonly number[][], skip = none) => {
    const tally = new RankingTally(2, popularity);
    for (const items of liked) tally.add(scores, items, skip);
    return tally.result();
  };

  it("is reported with both scores if it ranks liked items higher", () => {
    // The list is 1, 2 by popularity, and 0, 1 by the scores.
    const { ndcg, warning } = told([[1]]);
    expect(ndcg).toBeCloseTo(gain(2), 12);
    expect(warning).toBe("worse than recommending the most popular items to everybody: NDCG 0.6309, compared with 1");
    // The mean over users decides. Item 0 is not in the popular list.
    expect(told([[1], [0]]).warning).toBeUndefined();
  });

  it("skips items that may not be recommended, and does not warn if it is equally good", () => {
    // Without item 1, the list is 2, 0 by popularity and 0, 2 by the scores.
    expect(told([[2]], Uint8Array.of(0, 1, 0, 0, 0, 0)).warning).toMatch(/NDCG 0\.6309, compared with 1$/);
    expect(told([[3]]).warning).toBeUndefined();
    expect(metricsOf(2, [1])).not.toHaveProperty("warning");
  });
});

describe("list of 4 recommendations", () => {
  it("compares a user with one liked item, in second place, with an ideal list of one", () => {
    const { precision, recall, ndcg } = metricsOf(4, [1]);
    expect(precision).toBe(1 / 4);
    expect(recall).toBe(1);
    expect(ndcg).toBeCloseTo(gain(2) / gain(1), 12);
  });

  it("compares a user with more liked items than places with an ideal list of 4", () => {
    const { precision, recall, ndcg } = metricsOf(4, [0, 1, 2, 3, 4, 5]);
    expect([precision, recall]).toEqual([1, 4 / 6]);
    expect(ndcg).toBeCloseTo(1, 12);
  });

  it("divides precision by the requested length even if only two items are allowed", () => {
    const { precision, recall } = metricsOf(4, [0, 1], Uint8Array.of(0, 0, 1, 1, 1, 1));
    expect(precision).toBe(2 / 4);
    expect(recall).toBe(1);
  });
});
