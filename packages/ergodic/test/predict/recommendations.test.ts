/** Metrics of ranked lists, by hand: users who like fewer items than a list is long, and lists that are shorter than was asked for. */
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

describe("a list of 4", () => {
  it("of a user who likes one item, at the second place: the ideal list is one item long", () => {
    const { precision, recall, ndcg } = metricsOf(4, [1]);
    expect(precision).toBe(1 / 4);
    expect(recall).toBe(1);
    expect(ndcg).toBeCloseTo(gain(2) / gain(1), 12);
  });

  it("of a user who likes more than it holds: the ideal list is 4 long", () => {
    const { precision, recall, ndcg } = metricsOf(4, [0, 1, 2, 3, 4, 5]);
    expect([precision, recall]).toEqual([1, 4 / 6]);
    expect(ndcg).toBeCloseTo(1, 12);
  });

  it("of which two items alone may be recommended: precision is by what was asked for", () => {
    const { precision, recall } = metricsOf(4, [0, 1], Uint8Array.of(0, 0, 1, 1, 1, 1));
    expect(precision).toBe(2 / 4);
    expect(recall).toBe(1);
  });
});
