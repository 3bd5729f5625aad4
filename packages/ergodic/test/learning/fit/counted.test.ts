/** Weights that count observations. The L2 strength equals that of the individual observations. */
import { expect, test } from "vitest";
import { Dataset, fit, linear } from "../../../src/entries/everything.ts";

/** R's datasets::Titanic, in its order: class, sex, age, survived. */
const counts = [
  ...[0, 0, 35, 0, 0, 0, 17, 0, 118, 154, 387, 670, 4, 13, 89, 3],
  ...[5, 11, 13, 1, 13, 0, 14, 0, 57, 14, 75, 192, 140, 80, 76, 20],
];
const rows = counts.map((count, i) => ({
  x: [Number(i % 4 === 0), Number(i % 4 === 1), Number(i % 4 === 2), (i >> 2) & 1, (i >> 3) & 1],
  y: i < 16 ? "No" : "Yes",
  count,
}));
const of = (list: typeof rows, weighted: boolean): Dataset =>
  Dataset.fromArrays({
    x: list.map(({ x }) => x),
    y: list.map(({ y }) => y),
    ...(weighted ? { weights: list.map(({ count }) => count) } : {}),
  });
const oneByOne = of(
  rows.flatMap((row) => new Array<(typeof rows)[number]>(row.count).fill(row)),
  false,
);

test("32 Titanic rows with counts predict as well as 2201 passengers", async () => {
  const counted = fit(linear(), of(rows, true), { seed: 1 });
  const single = fit(linear(), oneByOne, { seed: 1 });
  const [one, other] = [await counted, await single];
  expect((await counted.chosen).why).toContain("held-out observations, which weights count, are predicted best");
  // R: mean((predict(glm(Survived ~ ., binomial, d, weights = Freq), type = "response") > 0.5) == survived) is 0.7783
  // for the passengers.
  expect(one.evaluate(oneByOne).accuracy).toBeCloseTo(0.7783, 3);
  // The mean loss of the 24 patterns with passengers is 2201 / 24 times that of a passenger, and so is the strength, on
  // a grid by √10.
  const strength = (model: typeof one): number => (model.description.model as unknown as { l2: number }).l2;
  const ratio = (strength(one) * 24) / (strength(other) * 2201);
  expect(ratio).toBeGreaterThan(0.3);
  expect(ratio).toBeLessThan(3.2);
});

test("squared losses count weights as rows", async () => {
  const x = Array.from({ length: 12 }, (_, i) => [i % 4, Math.sin(i)]);
  const data = (weight: number): Dataset =>
    Dataset.fromArrays({ x, y: x.map(([a, b], i) => a - b + Math.cos(9 * i)), weights: x.map(() => weight) });
  const why = async (weight: number): Promise<string> =>
    String((await fit(linear({ loss: "squared" }), data(weight)).chosen).why);
  expect(await why(10)).toContain("l2 is 0, since there are 20 rows or more for each column");
  // If the mean is below 10, or weights are fractions, rows count as rows.
  expect(await why(9)).toContain("under which held-out rows are predicted best");
  expect(await why(10.5)).toContain("under which held-out rows are predicted best");
});

test("more observations than are dealt individually are divided evenly", async () => {
  const many = rows.map((row) => ({ ...row, count: 1000 * row.count }));
  const model = await fit(linear(), of(many, true), { seed: 1 });
  expect(model.evaluate(oneByOne).accuracy).toBeCloseTo(0.7783, 3);
});
