/** The description of a factorisation: valid and invalid values of each part. */
import { expect, it } from "vitest";
import { checkedNames, factorFacts } from "../../src/predict/check-factors.ts";

const rating = { task: "rating", biases: true, alpha: null, weighted: false, l2: 0.1, rank: 3, mean: -2 };
const preference = { ...rating, task: "preference", biases: false, alpha: 40, mean: 0 };

it.each<[string, object, object]>([
  ["ratings", rating, { task: "rating", rank: 3, mean: -2, biases: true }],
  ["ratings without biases", { ...rating, biases: false }, { task: "rating", rank: 3, mean: -2, biases: false }],
  ["weighted ratings, whose penalty has a scale", { ...rating, weighted: true, scale: 0.5 }, { task: "rating" }],
  ["preferences", preference, { task: "preference", biases: false }],
  ["preferences of alpha 0 and rank 1", { ...preference, alpha: 0, rank: 1 }, { rank: 1 }],
])("accepts %s", (_, description, facts) => {
  expect(factorFacts(description as never, "m")).toMatchObject(facts);
});

const kinds = 'has biases true and alpha 1, which do not fit task "rating"';
it.each<[string, object, string]>([
  ["another task", { ...rating, task: "ranking" }, 'has task "ranking", which is unknown'],
  ["no task", { ...rating, task: undefined }, "has task missing, which is unknown"],
  ["biases that are no flag", { ...rating, biases: 1 }, "has biases 1, but true or false is wanted"],
  ["weights that are no flag", { ...rating, weighted: "no" }, 'has weighted "no", but true or false is wanted'],
  ["ratings with alpha", { ...rating, alpha: 1 }, kinds],
  [
    "preferences with biases",
    { ...preference, biases: true },
    'has biases true and alpha 40, which do not fit task "preference"',
  ],
  ["preferences without alpha", { ...preference, alpha: null }, "has alpha null, but a number from 0 is wanted"],
  ["alpha below 0", { ...preference, alpha: -1 }, "has alpha -1, but a number from 0 is wanted"],
  ["no penalty", { ...rating, l2: 0 }, "has no penalty above 0"],
  ["a penalty below 0", { ...rating, l2: -1 }, "has l2 -1, but a number from 0 is wanted"],
  ["a penalty that is none", { ...rating, l2: null }, "has l2 null, but a number from 0 is wanted"],
  ["a scale of 0", { ...rating, scale: 0 }, "has no penalty above 0"],
  ["a scale that is none", { ...rating, scale: "1" }, 'has scale "1", but a number from 0 is wanted'],
  ["rank 0", { ...rating, rank: 0 }, "has rank 0, but a whole number from 1 is wanted"],
  ["half a rank", { ...rating, rank: 1.5 }, "has rank 1.5, but a whole number from 1 is wanted"],
  ["no mean", { ...rating, mean: null }, "has mean null, but a number is wanted"],
])("refuses %s", (_, description, problem) => {
  const check = () => factorFacts(description as never, "m.st");
  expect(check).toThrow(`m.st: the model ${problem}; the file is damaged, write it again [MODEL_FORMAT]`);
});

it("requires names that are nonempty strings or numbers, and distinct as strings", () => {
  const names = (users: unknown, side: "users" | "items" = "users") => checkedNames({ users } as never, side, "m");
  for (const good of [[], ["a"], [1, "b", -2.5], ["0", "00"]]) expect(names(good)).toEqual(good);
  for (const bad of [undefined, null, "ab", { length: 1 }, [""], [null], [true], [Number.NaN], [["a"]]])
    expect(() => names(bad)).toThrow("m: the model has users that are not a list of names");
  for (const twice of [
    ["a", "b", "a"],
    [1, "1"],
  ])
    expect(() => names(twice)).toThrow("has the same name twice among its users");
  expect(() => names(["a"], "items")).toThrow("has items that are not a list of names");
});
