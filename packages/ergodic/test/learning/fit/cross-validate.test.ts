/** Cross-validation: the rows held out together, their independence from training, and the report of the folds. */
import { describe, expect, it } from "vitest";
import { crossValidate, Dataset, dense, fit, linear, network, newtonCholesky } from "../../../src/entries/everything.ts";
import { dealFolds, dealGroups, heldOut, stretches } from "../../../src/learning/fit/folds.ts";

const n = 60;
const x = Array.from({ length: n }, (_, i) => [i % 7, (i * i) % 11]);
const y = x.map(([a, b], i) => a - 0.5 * b + ((i * 7919) % 13) / 13);
const data = Dataset.fromArrays({ x, y, type: "f64" });
const classes = Dataset.fromArrays({ x, y: y.map((v) => (v > -1 ? "yes" : "no")), type: "f64" });
const solve = { algorithm: newtonCholesky() };

it("each fold is a fit on all other rows, evaluated alone", async () => {
  const model = linear({ l2: 0.01 });
  const found = await crossValidate(model, data, { folds: 4, seed: 3, fit: solve });
  const of = dealFolds(data, 4, 3);
  const told: number[] = [];
  for (const [k, { train, test }] of heldOut(of, 4).entries()) {
    const fitted = await fit(model, data.select(train), solve);
    const { rmse, mae, r2 } = fitted.evaluate(data.select(test)) as { rmse: number; mae: number; r2: number };
    expect(found.folds[k]).toMatchObject({
      train: train.length,
      test: test.length,
      metrics: { rmse, mae, r2 },
      reason: "converged",
    });
    told.push(rmse);
  }
  const mean = told.reduce((a, b) => a + b, 0) / 4;
  const sd = Math.sqrt(told.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 3);
  expect(found.metrics.rmse.mean).toBeCloseTo(mean, 14);
  expect(found.metrics.rmse.sd).toBeCloseTo(sd, 14);
  expect(found.metrics.rmse.standardError).toBeCloseTo(sd / 2, 14);
  expect(found.metrics.rmse.folds).toBe(4);
  expect(found.by).toBe("random");
});

it("is repeatable by its seed, balances classes, and accepts networks", async () => {
  const run = (seed: number) => crossValidate(linear(), classes, { folds: 5, seed, fit: { epochs: 2 } });
  const [a, b, c] = [await run(1), await run(1), await run(2)];
  expect(a.metrics).toEqual(b.metrics);
  expect(a.metrics).not.toEqual(c.metrics);
  expect(Object.keys(a.metrics)).toEqual(expect.arrayContaining(["accuracy", "auc", "averagePrecision"]));
  expect(Object.keys(a.metrics)).not.toContain("confusion");
  const net = await crossValidate(network([dense(1)]), classes, { folds: 2, fit: { epochs: 1 } });
  expect(net.folds).toHaveLength(2);
});

it("passes its seed to each fold's training, unless the fit has a seed", async () => {
  // The folds do not depend on the seed.
  const time = x.map((_, i) => i);
  const run = async (seed: number, own = {}) =>
    (await crossValidate(linear(), data, { folds: 2, time, seed, fit: { epochs: 1, ...own } })).metrics;
  const [one, two, own] = [await run(1), await run(2), await run(2, { seed: 1 })];
  expect(two).not.toEqual(one);
  expect(own).toEqual(one);
});

it("averages a metric over the folds that have it", async () => {
  const groups = classes.target.values.map((v, i) => (i < 20 && v === 0 ? 0 : 1 + (i % 2)));
  const found = await crossValidate(linear(), classes, { folds: 3, groups, fit: { epochs: 1 } });
  expect(found.metrics.auc.folds).toBe(2);
  expect(found.metrics.auc.mean).not.toBeNaN();
  expect(found.metrics.accuracy.folds).toBe(3);
});

describe("groups", () => {
  const groups = Array.from({ length: n }, (_, i) => `g${Math.floor(Math.sqrt(i))}`);

  it("stay together, in folds of about the same size", () => {
    const of = dealGroups("t", groups, 3, 1);
    for (const group of new Set(groups)) expect(new Set([...of].filter((_, i) => groups[i] === group)).size).toBe(1);
    const sizes = [0, 1, 2].map((f) => of.filter((v) => v === f).length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(15);
    expect(dealGroups("t", groups, 3, 1)).toEqual(of);
    expect(
      Array.from({ length: 8 }, (_, seed) =>
        String(
          dealGroups(
            "t",
            Array.from({ length: 12 }, (_, i) => i),
            3,
            seed,
          ),
        ),
      ).some((s, _, all) => s !== all[0]),
    ).toBe(true);
  });

  it("are dealt from the largest to the smallest", () => {
    const uneven = [...Array<string>(10).fill("large"), ..."abcdefghij"];
    for (const seed of [1, 2, 3]) {
      const of = dealGroups("t", uneven, 2, seed);
      expect([0, 1].map((f) => of.filter((v) => v === f).length)).toEqual([10, 10]);
    }
  });

  it("are held out together by crossValidate", async () => {
    const found = await crossValidate(linear(), data, { folds: 3, groups, fit: solve, seed: 1 });
    expect(found.by).toBe("group");
    const of = dealGroups("t", groups, 3, 1);
    expect(found.folds.map(({ test }) => test)).toEqual([0, 1, 2].map((f) => of.filter((v) => v === f).length));
  });
});

describe("time", () => {
  it("tests each stretch on all earlier rows, whatever the order of the rows", () => {
    const time = Array.from({ length: 12 }, (_, i) => (i * 5) % 12);
    const parts = stretches("t", time, 3);
    const times = (rows: Uint32Array) => Array.from(rows, (i) => time[i]).sort((a, b) => a - b);
    expect(parts.map(({ test }) => times(test))).toEqual([
      [3, 4, 5],
      [6, 7, 8],
      [9, 10, 11],
    ]);
    expect(parts.map(({ train }) => times(train))).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ]);
    for (const { train, test } of parts)
      for (const rows of [train, test]) expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
  });

  it("keeps rows of one time together, and sorts strings", () => {
    const days = [
      "2020-01-03",
      "2020-01-01",
      "2020-01-02",
      "2020-01-02",
      "2020-01-02",
      "2020-01-04",
      "2020-01-05",
      "2020-02",
      "2021",
    ];
    const [first, second] = stretches("t", days, 2);
    expect([[...first.train], [...first.test]]).toEqual([
      [1, 2, 3, 4],
      [0, 5],
    ]);
    expect([[...second.train], [...second.test]]).toEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8],
    ]);
  });

  it("orders rows by time in crossValidate", async () => {
    const found = await crossValidate(linear(), data, { folds: 3, time: x.map((_, i) => n - i), fit: solve });
    expect(found.by).toBe("time");
    expect(found.folds.map(({ train, test }) => [train, test])).toEqual([
      [15, 15],
      [30, 15],
      [45, 15],
    ]);
    const late = await fit(linear(), data.select(Array.from({ length: 15 }, (_, k) => 45 + k)), solve);
    expect(found.folds[0].metrics.rmse).toBe(late.evaluate(data.select(Array.from({ length: 15 }, (_, k) => 30 + k))).rmse);
  });
});

it("calls onFold, and ends by its signal", async () => {
  const seen: number[] = [];
  const stop = new AbortController();
  const run = crossValidate(linear(), data, {
    folds: 5,
    fit: solve,
    signal: stop.signal,
    onFold(_, number) {
      seen.push(number);
      if (number === 1) stop.abort(new Error("enough"));
    },
  });
  await expect(run).rejects.toThrow("enough");
  expect(seen).toEqual([0, 1]);
});

it.each([
  [{ folds: 1 }, "crossValidate: folds is 1, but must be a whole number from 2 to 60 [OPTION_RANGE]"],
  [{ groups: [1, 2] }, /groups has 2 entries for 60 rows/],
  [{ groups: x.map(() => "a") }, /folds is 5, but there are only 1 groups; use fewer folds/],
  [{ time: x.map(() => 1) }, /so many rows have the same time that a period would be empty/],
  [{ time: x.map(() => 1), groups: x.map(() => 1) }, /both groups and time were given/],
  [{ groups: x.map(() => Number.NaN) }, /groups is .*, but must be a list of strings or numbers/],
])("refuses %j", async (options, message) => {
  await expect(crossValidate(linear(), data, options as object)).rejects.toThrow(message);
});
