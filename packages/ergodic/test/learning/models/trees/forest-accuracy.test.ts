/** Held-out error of forests and extra trees, compared with scikit-learn's on the same rows. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Dataset, extraTrees, fit, forest } from "../../../../src/entries/index.ts";

/**
 * Means and standard deviations over 20 seeds of scikit-learn 1.4.2 with 100 trees, trained on the rows with i % 3 != 0
 * and measured on the others: RandomForestClassifier(100), ExtraTreesClassifier(100), RandomForestRegressor(100,
 * max_features=1/3) and ExtraTreesRegressor(100), all with random_state=seed.
 */
const peer = {
  digits: { forest: [0.02846, 0.00489], extraTrees: [0.01895, 0.0025] },
  friedman: { forest: [1.3312, 0.02396], extraTrees: [0.9482, 0.01161] },
} as const;
const PEER_SEEDS = 20;
const SEEDS = [1, 2, 3, 4, 5, 6];

/** Handwritten digits: 1797 rows of 64 columns, 10 classes. */
function digits(): { x: number[][]; y: string[] } {
  const text = readFileSync(new URL("../../../../../cli/data/digits.csv", import.meta.url), "utf8");
  const rows = text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  return { x: rows.map((row) => row.slice(0, -1).map(Number)), y: rows.map((row) => `d${row.at(-1)!.trim()}`) };
}

/** Friedman's first function on a lattice of 1200 points, with deterministic noise. */
function friedman(): { x: number[][]; y: number[] } {
  const steps = [0.8191725133961645, 0.6710436067037893, 0.5497004779019703, 0.4503245615214427, 0.3688931818136448];
  const x = Array.from({ length: 1200 }, (_, i) => steps.map((a) => Math.fround((0.5 + (i + 1) * a) % 1)));
  const y = x.map(
    ([a, b, c, d, e], i) =>
      10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + 2 * ((((i + 1) * 7919) % 1000) / 1000 - 0.5),
  );
  return { x, y };
}

/** The difference of the means is at most four standard errors, or 3 % of the peer's error if that is more. */
function expectAlike(found: readonly number[], [wanted, deviation]: readonly [number, number]): void {
  const mean = found.reduce((a, b) => a + b, 0) / found.length;
  const error = deviation * Math.sqrt(1 / found.length + 1 / PEER_SEEDS);
  console.log(`${mean.toPrecision(4)}, scikit-learn ${wanted} ± ${error.toPrecision(2)}`);
  expect(Math.abs(mean - wanted)).toBeLessThan(Math.max(4 * error, 0.03 * wanted));
}

describe("held-out error", () => {
  const makers = { forest, extraTrees };
  for (const kind of ["forest", "extraTrees"] as const) {
    it(`${kind} is like scikit-learn's on digits`, async () => {
      const { x, y } = digits();
      const part = (isTest: boolean) => [...y.keys()].filter((i) => (i % 3 === 0) === isTest);
      const [train, test] = [part(false), part(true)];
      const data = Dataset.fromArrays({ x: train.map((i) => x[i]), y: train.map((i) => y[i]) });
      const errors: number[] = [];
      for (const seed of SEEDS) {
        const model = await fit(makers[kind](), data, { seed });
        errors.push(model.predict(test.map((i) => x[i])).filter(({ value }, k) => value !== y[test[k]]).length / test.length);
      }
      expectAlike(errors, peer.digits[kind]);
    });

    it(`${kind} is like scikit-learn's on Friedman's function`, async () => {
      const { x, y } = friedman();
      // The peer counts rows from 1.
      const part = (isTest: boolean) => [...y.keys()].filter((i) => ((i + 1) % 3 === 0) === isTest);
      const [train, test] = [part(false), part(true)];
      const data = Dataset.fromArrays({ x: train.map((i) => x[i]), y: train.map((i) => y[i]) });
      const held = Dataset.fromArrays({ x: test.map((i) => x[i]), y: test.map((i) => y[i]) });
      const errors: number[] = [];
      for (const seed of SEEDS) errors.push((await fit(makers[kind](), data, { seed })).evaluate(held).rmse!);
      expectAlike(errors, peer.friedman[kind]);
    });
  }
});
