/** Calibration against scikit-learn and scipy (golden/calibration.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { calibrated } from "../../../src/predict/calibration/index.ts";
import { isotonicCurve } from "../../../src/predict/calibration/isotonic.ts";
import { valueAt } from "../../../src/predict/calibration/probabilities.ts";
import { temperatureOf } from "../../../src/predict/calibration/temperature.ts";
import { outputModel, range, rowsOf } from "./models.ts";

interface Golden {
  temperatures: { z: number[][]; y: number[]; w: number[] | null; temperature: number; logLoss: number; p0: number[] }[];
  isotonic: { s: number[]; t: number[]; w: number[] | null; at: number[]; p: number[]; x: number[]; y: number[] }[];
  classifiers: { z: number[][]; y: number[]; w: number[] | null; fresh: number[][]; p: number[][] }[];
}
const golden = JSON.parse(readFileSync(new URL("golden/calibration.json", import.meta.url), "utf8")) as Golden;

/** Represents two classes by one output. */
const oneOutput = (z: number[][]): number[][] => (z[0].length === 2 ? z.map(([a, b]) => [b - a]) : z);

describe("temperature", () => {
  it.each(golden.temperatures.map((one) => [one.z[0].length, one.y.length, one.w ? "weighted" : "plain", one] as const))(
    "matches the reference for %i classes, %i rows, %s",
    async (classes, rows, _, { z, y, w, temperature, logLoss, p0 }) => {
      const found = temperatureOf(Float64Array.from(z.flat()), y, w, classes);
      // brentq computes the slope as a sum of as many rounded terms.
      expect(Math.abs((found as number) / temperature - 1)).toBeLessThan(1e-12);
      const model = await calibrated(await outputModel(classes), rowsOf(oneOutput(z), y, classes, w ?? undefined));
      const { probabilities } = model.description.calibration as {
        probabilities: { temperature: number; rows: number; method: string };
      };
      expect(probabilities).toEqual({ method: "temperature", temperature: expect.closeTo(temperature, 10) as number, rows });
      const data = rowsOf(oneOutput(z), y, classes, w ?? undefined);
      expect(Math.abs(model.evaluate(data).logLoss! - logLoss)).toBeLessThan(1e-12);
      const out = new Float64Array(model.width);
      model.predictInto(oneOutput(z).slice(0, 1), out);
      for (const [k, p] of p0.entries()) expect(Math.abs(out[k] - p)).toBeLessThan(1e-12);
    },
  );
});

describe("isotonic regression", () => {
  it.each(golden.isotonic.map((one) => [one.s.length, one.w ? "weighted" : "plain", one] as const))(
    "matches the reference curve for %i rows, %s",
    (_, __, { s, t, w, at, p, x, y }) => {
      const curve = isotonicCurve(s, t, w);
      expect(curve.scores).toEqual(x.map((score) => score + 0));
      expect(curve.probabilities).toHaveLength(y.length);
      for (const [k, value] of y.entries()) expect(Math.abs(curve.probabilities[k] - value)).toBeLessThan(1e-14);
      for (const [k, score] of at.entries()) expect(Math.abs(valueAt(curve, score) - p[k])).toBeLessThan(1e-14);
    },
  );

  it.each(golden.classifiers.map((one) => [one.z[0].length, one.w ? "weighted" : "plain", one] as const))(
    "matches the reference classifier for %i outputs, %s",
    async (columns, _, { z, y, w, fresh, p }) => {
      const classes = columns === 1 ? 2 : columns;
      const model = await calibrated(await outputModel(classes), rowsOf(z, y, classes, w ?? undefined), { method: "isotonic" });
      const out = new Float64Array(model.width * fresh.length);
      expect(model.predictInto(fresh, out)).toBe(fresh.length);
      for (const i of range(fresh.length))
        for (const k of range(classes))
          expect(Math.abs(out[i * classes + k] - p[i][k]), `row ${i}, class ${k}`).toBeLessThan(1e-9);
    },
  );
});
