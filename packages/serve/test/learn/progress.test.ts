/** Progressive validation by hand: sums over all rows, and over the last thousand or so. */
import { expect, test } from "vitest";
import { Progress } from "../../src/learn/progress.ts";

test("weights all rows equally in totals, and by half after a thousand rows in recent metrics", () => {
  const progress = new Progress();
  progress.add({ rows: 500, weight: 1000, loss: 0.5, right: 400 });
  progress.add({ rows: 1000, weight: 200, loss: 2, right: 50 });
  expect(progress.all()).toEqual({ rows: 1500, weight: 1200, loss: 900 / 1200, metrics: { accuracy: 450 / 1200 } });
  // The first 500 rows are 1000 rows old.
  expect(progress.recent()).toEqual({ rows: 1250, weight: 700, loss: 650 / 700, metrics: { accuracy: 250 / 700 } });
});

test("gives older rows the same weight however later rows are split into requests", () => {
  const [few, many] = [new Progress(), new Progress()];
  for (const one of [few, many]) one.add({ rows: 100, weight: 100, loss: 1, right: 100 });
  few.add({ rows: 2000, weight: 0, loss: 0, right: 0 });
  for (let i = 0; i < 4; i++) many.add({ rows: 500, weight: 0, loss: 0, right: 0 });
  expect(few.recent().weight).toBe(25);
  expect(many.recent().weight).toBeCloseTo(25, 12);
});

test("computes root mean square and mean absolute errors of numbers, and survives JSON", () => {
  const progress = new Progress();
  progress.add({ rows: 2, weight: 4, loss: 3, squares: 36, absolute: 8 });
  progress.add({ rows: 1000, weight: 4, loss: 1, squares: 4, absolute: 4 });
  expect(progress.all().metrics).toEqual({ rmse: Math.sqrt(40 / 8), mae: 12 / 8 });
  const again = new Progress();
  again.restore(JSON.parse(JSON.stringify(progress)));
  expect([again.all(), again.recent()]).toEqual([progress.all(), progress.recent()]);
  expect(again.recent()).not.toEqual(again.all());
});
