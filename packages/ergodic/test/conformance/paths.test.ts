/**
 * Every registered loss has a path or is refused with the reason. Paths work on dense and sparse columns of any type,
 * are certified at every λ and do not depend on the number of workers. Their fits fall in loss, and held-out errors
 * exist for every fold.
 */
import { describe, expect, it } from "vitest";
import { fit, linear } from "../../src/entries/everything.ts";
import { lossFromJson, lossNames } from "../../src/learning/models/loss.ts";
import type { LossName } from "../../src/learning/models/loss-name.ts";
import { type Kind, randomRows, tableOf } from "../learning/coordinates/column-problems.ts";
import { isSlow } from "../power.ts";
import { builtIn } from "../reference/built-in.ts";

const kindOf: Record<string, Kind> = { binary: "logistic", multiclass: "multinomial", regression: "squared", count: "poisson" };
const formats = ["dense", "sparse"] as const;
const types = ["f64", "f32", "i16", "i8"] as const;

/** Formats, types and ratios that `npm test` combines. At full power the whole product runs. */
const USUAL = ["dense f64 1", "dense i8 0.5", "sparse f32 0.5", "sparse i16 1"];
const ratiosOf = (format: string, type: string): number[] =>
  [1, 0.5].filter((ratio) => isSlow || USUAL.includes(`${format} ${type} ${ratio}`));

describe.each(builtIn(lossNames(), "Loss"))("%s", (name) => {
  const { curvature, conjugate, task } = lossFromJson(name);
  const rows = randomRows(kindOf[task], { rows: 30, columns: 12 });
  const several = task === "binary" ? [rows, randomRows("one against the rest", { rows: 30, columns: 12 })] : [rows];
  const model = linear({ loss: name as LossName, standardise: false });

  if (curvature === undefined && !conjugate) {
    it("is refused with a recommended alternative", async () => {
      using data = tableOf(rows);
      await expect((async () => await fit.path(model, data))()).rejects.toThrow(
        /has kinks, where its curvature is undefined; use dualCoordinateDescent\(\), or one of .* \[MODEL_CAPABILITY\]$/,
      );
    });
    return;
  }

  describe.each(formats)("%s", (format) => {
    const taken = types.filter((type) => ratiosOf(format, type).length > 0);
    it.each(taken)("%s: is certified at every λ, falls in loss and is the same with two workers", async (precision) => {
      for (const problem of several) {
        using data = tableOf(problem, { format, type: precision === "f64" ? "f64" : "f32" });
        for (const l1Ratio of ratiosOf(format, precision)) {
          const options = { lambdas: 5, ratio: 0.05, l1Ratio, folds: 2, precision, seed: 4 };
          const path = await fit.path(model, data, { ...options, workers: 1 });
          expect(Math.max(...path.gaps)).toBeLessThanOrEqual(1e-6);
          expect(path.nonZeros[0]).toBe(0);
          expect(path.nonZeros[4]).toBeGreaterThan(0);
          path.explained.forEach((share, k) => {
            expect(share).toBeGreaterThanOrEqual((k > 0 ? path.explained[k - 1] : 0) - 1e-5);
            expect(share).toBeLessThanOrEqual(1);
          });
          const { byFold, minimum, oneStandardError, mean, standardError } = path.crossValidation!;
          expect(byFold.flatMap((errors) => [...errors]).every((error) => error >= 0 && Number.isFinite(error))).toBe(true);
          expect(mean[minimum]).toBe(Math.min(...mean));
          expect(oneStandardError).toBeLessThanOrEqual(minimum);
          expect(mean[oneStandardError]).toBeLessThanOrEqual(mean[minimum] + standardError[minimum]);
          const shared = await fit.path(model, data, { ...options, workers: 2 });
          expect(shared.predictor(4).weights).toEqual(path.predictor(4).weights);
          expect(shared.crossValidation).toEqual(path.crossValidation);
          expect(shared.gaps).toEqual(path.gaps);
        }
      }
    });
  });
});
