/**
 * Paths of group penalties: each point is the fit at its strength, the largest strength is the smallest with all
 * coefficients 0, and folds are fits on their rows.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { coordinateDescent, Dataset, fit, type LossName, linear } from "../../../src/entries/everything.ts";
import { dealFolds } from "../../../src/learning/fit/folds.ts";
import { isSlow } from "../../power.ts";
import { type Kind, meanLoss, randomRows, tableOf } from "../coordinates/column-problems.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-"));
afterAll(() => rmSync(folder, { recursive: true }));

const groups = [
  ["x0", "x1", "x2"],
  ["x3", "x4"],
];
const kinds: Kind[] = ["squared", "logistic", "poisson", "multinomial"];
const modelOf = (loss: Kind, strength = 1) => linear({ loss: loss as LossName, standardise: false, group: { strength, groups } });

describe.each(kinds)("%s", (kind) => {
  const rows = randomRows(kind, { rows: 40, columns: 7 });

  it("certifies every point, and equals the fit at its strength", async () => {
    using data = tableOf(rows);
    const path = await fit.path(modelOf(kind), data, { lambdas: 5, ratio: 0.1, tolerance: 1e-10 });
    expect(Math.max(...path.gaps)).toBeLessThanOrEqual(1e-10);
    expect(path.nonZeros[0]).toBe(0);
    for (const k of [1, 4]) {
      const alone = await fit(modelOf(kind, path.lambdas[k]), data, { algorithm: coordinateDescent({ tolerance: 1e-10 }) });
      const far = path.weights(k).map((w, j) => Math.abs(w - alone.weights[j]));
      expect(Math.max(...far)).toBeLessThan(1e-4);
      expect([...path.weights(k)].map((w) => w === 0)).toEqual([...alone.weights].map((w) => w === 0));
    }
    path.explained.slice(1).forEach((share, k) => {
      expect(share).toBeGreaterThan(path.explained[k]);
    });
  });

  it("activates the first group just below the largest strength", async () => {
    using data = tableOf(rows);
    const { lambdas } = await fit.path(modelOf(kind), data, { lambdas: 1 });
    const near = [1 + 1e-6, 1 - 1e-4].map((factor) => factor * lambdas[0]);
    const path = await fit.path(modelOf(kind), data, { lambdas: near, tolerance: 1e-12 });
    expect(path.nonZeros[0]).toBe(0);
    expect(path.nonZeros[1]).toBeGreaterThan(0);
  });

  it("has the held-out errors of fits on the rows of other folds", async () => {
    using data = tableOf(rows);
    const lambdas = [0.1, 0.03];
    const options = { lambdas, folds: 3, seed: 2, tolerance: 1e-10 };
    const path = await fit.path(modelOf(kind), data, options);
    const of = dealFolds(data, 3, 2);
    for (const [k, lambda] of lambdas.entries()) {
      using training = data.select([...of.keys()].filter((i) => of[i] !== 0));
      const alone = await fit(modelOf(kind, lambda), training, { algorithm: coordinateDescent({ tolerance: 1e-10 }) });
      const held = { x: rows.x.filter((_, i) => of[i] === 0), y: rows.y.filter((_, i) => of[i] === 0) };
      const loss = meanLoss(kind, { ...rows, ...held }, { weights: [...alone.weights], intercept: [...alone.intercept] });
      // The minimum Poisson loss of y is y − y log y, and that of the others is 0.
      const least =
        kind === "poisson" ? held.y.reduce((sum, y) => sum + y - (y > 0 ? y * Math.log(y) : 0), 0) / held.y.length : 0;
      expect(path.crossValidation!.byFold[0][k]).toBeCloseTo(2 * (loss - least), 4);
    }
    // Workers take folds, whatever the loss.
    if (!isSlow && kind !== "squared") return;
    const again = await fit.path(modelOf(kind), data, { ...options, workers: 2 });
    expect(again.crossValidation).toEqual(path.crossValidation);
  });
});

it("resumes from a checkpoint bit for bit, with folds", async () => {
  using data = tableOf(randomRows("squared", { rows: 40, columns: 7 }));
  const options = { lambdas: 6, ratio: 0.05, folds: 2, seed: 1 };
  const stop = new AbortController();
  const run = fit.path(modelOf("squared"), data, { ...options, signal: stop.signal });
  const file = join(folder, "group.checkpoint");
  const kept = run.checkpoint(file);
  await kept;
  stop.abort();
  await run.catch(() => {});
  const resumed = await fit.path.resume(file, data);
  const whole = await fit.path(modelOf("squared"), data, options);
  expect([...resumed.weights(5)]).toEqual([...whole.weights(5)]);
  expect(resumed.crossValidation).toEqual(whole.crossValidation);
  expect(resumed.gaps).toEqual(whole.gaps);
});

it("releases all memory", async () => {
  const { engineMemory } = await import("../../../src/engine/memory/memory.ts");
  using data = Dataset.fromArrays({
    x: [
      [1, 2],
      [2, 1],
      [3, 5],
      [0, 1],
      [2, 2],
      [1, 0],
    ],
    y: [1, 2, 4, 0, 2, 1],
    type: "f64",
  });
  const model = linear({ standardise: true, group: { strength: 1, groups: [["x0", "x1"]] } });
  const once = () => fit.path(model, data, { lambdas: 3, folds: 2 });
  await once();
  const before = engineMemory().usedBytes;
  await once();
  expect(engineMemory().usedBytes).toBeLessThanOrEqual(before);
});
