/** Factors that begin at those of a trained model: their owners, and the values of newcomers. */
import { expect, test } from "vitest";
import { Ratings } from "../../../../src/entries/everything.ts";
import { beginAt } from "../../../../src/learning/models/ratings/begin-at.ts";
import type { FactorisationSettings } from "../../../../src/learning/models/ratings/settings.ts";

const description = { users: ["ben", "anna"], items: ["ulysses", "emma", "dune"] };
const trained = {
  users: Float64Array.of(1, 2, 3, 4),
  items: Float64Array.of(5, 6, 7, 8, 9, 10),
  userBiases: Float64Array.of(0.1, 0.2),
  itemBiases: Float64Array.of(0.5, 0.6, 0.7),
};
/** In another order, with a newcomer on each side and one known user missing. */
const ratings = Ratings.fromTriples({
  users: ["cleo", "ben", "anna"],
  items: ["ulysses", "ivanhoe", "dune"],
  values: [1, 2, 3],
});
const begun = (biases: boolean, tensors: Partial<typeof trained> = trained): number[] => {
  const all = new Float64Array(6 * (biases ? 3 : 2)).fill(-1);
  beginAt({ numbers: { tensors }, description, reset: [] } as never, all, ratings, { rank: 2, biases } as FactorisationSettings);
  return [...all];
};

test("keeps factors and biases by name, and leaves newcomers unchanged", () => {
  const users = [3, 4, 0.2, 1, 2, 0.1, -1, -1, -1];
  const items = [9, 10, 0.7, -1, -1, -1, 5, 6, 0.5];
  expect(begun(true)).toEqual([...users, ...items]);
});

test("handles models without biases, trained or new", () => {
  expect(begun(false)).toEqual([3, 4, 1, 2, -1, -1, 9, 10, -1, -1, 5, 6]);
  const { users, items } = trained;
  expect(begun(true, { users, items }).filter((_, i) => i % 3 === 2)).toEqual([0, 0, -1, 0, -1, 0]);
});
