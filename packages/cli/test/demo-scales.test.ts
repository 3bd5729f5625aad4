/** Scales and guesses in the demo: each line of the two tables shows what it is meant to show. */
import { expect, test } from "vitest";
import { adaptive, atBestRate, excess, guesses, leastLoss, scaledRows } from "../src/commands/demo-scales.ts";

test("plain descent fails to learn a column in other units, and adaptive rules learn it", async () => {
  const data = scaledRows(1);
  const deviation = (j: number): number => {
    const column = Array.from({ length: data.rowCount }, (_, i) => data.row(i)[j]);
    return Math.sqrt(column.reduce((sum, v) => sum + v * v, 0) / column.length);
  };
  for (const [j, scale] of [1, 30, 0.03].entries()) expect(deviation(j) / scale).toBeCloseTo(1, 0);
  const sgd = await atBestRate(adaptive.sgd, data, 1);
  expect(sgd.learnt[0]).toBeGreaterThan(0.9);
  expect(sgd.learnt[2]).toBeLessThan(0.1);
  expect(sgd.rmse).toBeGreaterThan(0.9);
  expect(Object.keys(adaptive)).toEqual(["sgd", "adagrad", "rmsprop", "adam"]);
  for (const name of ["adagrad", "rmsprop", "adam"]) {
    const { rmse, learnt } = await atBestRate(adaptive[name], data, 1);
    expect(rmse, name).toBeLessThan(0.2);
    for (const share of learnt) expect(share, name).toBeGreaterThan(0.8);
  }
});

test("Polyak's step settles at the right f*, wanders below it and stops at a guess above it", async () => {
  const data = scaledRows(1);
  const least = await leastLoss(data);
  expect(least).toBeCloseTo(0.1 ** 2 / 2, 3);
  const [right, half, zero, twice, estimated] = await Promise.all(guesses(least).map(({ rule }) => excess(rule, data, least)));
  expect(right.at(-1)).toBeLessThan(1e-9);
  expect(estimated.at(-1)).toBeLessThan(1e-6);
  for (const low of [half, zero]) expect(Math.min(...low.slice(2))).toBeGreaterThan(1e-5);
  expect(twice.at(-1)! / least).toBeCloseTo(1, 3);
});
