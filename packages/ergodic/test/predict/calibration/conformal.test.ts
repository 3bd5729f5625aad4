/** Conformal sets and intervals against a plain reference, and refused input. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Dataset,
  dense,
  factorisation,
  fit,
  type LinearPredictor,
  linear,
  network,
  predictor,
  Ratings,
  relu,
} from "../../../src/entries/everything.ts";
import { calibrated, conformal, coverage } from "../../../src/predict/calibration/index.ts";
import { rowNumber } from "../../../src/predict/calibration/row-number.ts";
import { classScores, intervalOf, numberScore, rankOf } from "../../../src/predict/calibration/scores.ts";
import { className, classRows, normalOf, outputModel, range, rowsOf, softmax, uniforms } from "./models.ts";

interface Held {
  score: string;
  alpha: number;
  quantile: number;
  tie: number;
  seed: number;
  rows: number;
}
const heldIn = (model: { readonly description: object }): Held =>
  (model.description as { calibration: { conformal: Held } }).calibration.conformal;

/** The definition in the papers, class by class. */
function scoreOf(score: string, p: readonly number[], k: number, u: number): number {
  if (score === "lac") return 1 - p[k];
  const above = p.filter((x) => x > p[k]).sort((a, b) => b - a);
  return above.reduce((a, b) => a + b, 0) + u * p[k];
}

const numberOf = (row: readonly number[], seed = 0): number =>
  rowNumber({ count: row.length, columns: null, values: Float64Array.from(row) }, seed);

describe("rank of the quantile", () => {
  it("is ⌈(n + 1)(1 − α)⌉ in exact arithmetic", () => {
    // α as the exact fraction that its double represents.
    const exact = (n: number, alpha: number): number => {
      const a = BigInt(alpha * 2 ** 60);
      const left = BigInt(n + 1) * (2n ** 60n - a);
      return Number((left + 2n ** 60n - 1n) / 2n ** 60n);
    };
    for (const n of [...range(120), 999, 1000, 12345]) {
      const far = range(255).filter((j) => rankOf(n, (j + 1) / 256) !== exact(n, (j + 1) / 256));
      expect(far, `${n} rows, j + 1 of 256`).toEqual([]);
    }
    expect(rankOf(99, 0.1)).toBe(90);
    expect(rankOf(9, 0.1)).toBe(9);
    expect(rankOf(8, 0.1)).toBe(9);
    expect(rankOf(19, 0.05)).toBe(19);
    // Here 1 − 0.18 is rounded up.
    expect(rankOf(149, 0.18)).toBe(123);
  });
});

describe.each(["lac", "aps"] as const)("prediction sets by %s", (score) => {
  it.each([2, 3, 6])("match the definition for %i classes", async (classes) => {
    const u = uniforms(classes);
    const { z, y } = classRows(u, 57, classes, 1);
    const rounded = z.map((row) => row.map(Math.fround));
    const p = rounded.map((row) => softmax(classes === 2 ? [0, row[0]] : row));
    const seed = 5;
    const model = await conformal(await outputModel(classes), rowsOf(rounded, y, classes), { alpha: 0.2, score, seed });
    const truths = range(57).map((i) => scoreOf(score, p[i], y[i], numberOf(rounded[i], seed)));
    const { quantile, tie, rows, alpha } = heldIn(model);
    const sorted = [...truths].sort((a, b) => a - b);
    // ⌈58 · 0.8⌉ = 47
    expect(Math.abs(quantile - sorted[46])).toBeLessThan(1e-12);
    const at = truths.findIndex((x) => Math.abs(x - quantile) < 1e-12);
    expect({ tie, rows, alpha }).toEqual({ tie: numberOf(rounded[at], seed), rows: 57, alpha: 0.2 });
    const fresh = classRows(u, 300, classes, 1).z.map((row) => row.map(Math.fround));
    let sizes = 0;
    for (const [i, { set, probabilities, value }] of model
      .predict(
        rowsOf(
          fresh,
          range(300).map((i) => i % classes),
          classes,
        ),
      )
      .entries()) {
      const own = softmax(classes === 2 ? [0, fresh[i][0]] : fresh[i]);
      const wanted = range(classes).filter((k) => scoreOf(score, own, k, numberOf(fresh[i], seed)) <= quantile);
      expect(set, `row ${i}`).toEqual(wanted.map(className));
      expect(probabilities![value]).toBe(Math.max(...Object.values(probabilities!)));
      sizes += set!.length;
    }
    expect(sizes).toBeGreaterThan(100);
  });

  it("cover 47 of the 57 rows used to fit them, also for equal probabilities", async () => {
    const u = uniforms(3);
    // Three kinds of rows, which differ in a column that the model ignores.
    const kind = range(57).map(() => Math.floor(3 * u()));
    const x = kind.map((k) =>
      [
        ...[
          [2, 0, 0],
          [0, 1, 1],
          [1, 1, 0],
        ][k],
        0,
      ].map((v, j) => (j === 3 ? u() : v)),
    );
    const y = kind.map((k) => Math.floor(3 * u() * (k === 0 ? 0.4 : 1)));
    const base = await outputModel(3);
    const data = Dataset.fromArrays({ x, y: y.map(className), type: "f64" });
    const model = await fit(linear({ loss: "multinomial" }), data, { epochs: 1, workers: 1 });
    model.weights.fill(0);
    for (const k of range(3)) model.weights[k * 4 + k] = 1;
    const found = await conformal(model, data, { alpha: 0.2, score, seed: 1 });
    expect(coverage(found, data).coverage * 57).toBeCloseTo(47, 9);
    expect(base.width).toBe(3);
  });
});

describe("random number of a row", () => {
  it("is uniform, and independent for another seed", () => {
    const n = 20_000;
    const bins = 20;
    const counts = [new Float64Array(bins), new Float64Array(bins * bins)];
    for (const i of range(n)) {
      const row = [i % 7, (i * i) % 1013, i / 8];
      const [a, b] = [numberOf(row, 0), numberOf(row, 1)];
      counts[0][Math.floor(a * bins)]++;
      counts[1][Math.floor(a * bins) * bins + Math.floor(b * bins)]++;
    }
    // χ² with 19 and 399 degrees of freedom exceeds 43.8 and 496 once in a thousand times.
    const chi = (all: Float64Array): number => all.reduce((sum, c) => sum + (c - n / all.length) ** 2 / (n / all.length), 0);
    expect(chi(counts[0])).toBeLessThan(43.8);
    expect(chi(counts[1])).toBeLessThan(496);
    // The counts must not be too even, either.
    expect(chi(counts[0])).toBeGreaterThan(5.4);
    expect(chi(counts[1])).toBeGreaterThan(317);
  });

  it("keeps its values, because saved files depend on them", () => {
    // Last steps of murmur3, reimplemented in Python: (mixed(mixed(seed) + Σ mixed(mixed(j + 1) ^ float32 bits)) +
    // 0.5)/2³², over nonzero columns.
    expect(numberOf([1, 2, 3], 0)).toBe(0.5221669921884313);
    expect(numberOf([0, 0.5], 1)).toBe(0.8675151745555922);
    expect(numberOf([-1.5, 0, 7], 12345)).toBe(0.15832881291862577);
    // The smallest possible number, which is not 0.
    expect(numberOf([0, 0], 0)).toBe(2 ** -33);
  });

  it("lies between 0 and 1 and depends on every number, position and sign, but not on the storage format", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.double({ noNaN: true, noDefaultInfinity: true })), { maxLength: 8 }),
        (row) => {
          const columns = range(row.length).filter((j) => row[j] !== 0);
          const sparse = {
            count: columns.length,
            columns: Uint32Array.from(columns),
            values: Float64Array.from(columns, (j) => row[j]),
          };
          const u = numberOf(row, 7);
          expect(u > 0 && u < 1).toBe(true);
          expect(rowNumber(sparse, 7)).toBe(u);
          expect(numberOf([...row, 0, -0], 7)).toBe(u);
          expect(numberOf(row.map(Math.fround), 7)).toBe(u);
        },
      ),
      { seed: 3 },
    );
    const all = [[1, 2, 3], [3, 2, 1], [1, 3, 2], [-1, 2, 3], [1, 2, 3.0001], [1, 2], [], [2, 2], [2]].map((row) =>
      numberOf(row),
    );
    expect(new Set(all).size).toBe(all.length);
    expect(numberOf([1, 2, 3], 1)).not.toBe(numberOf([1, 2, 3], 2));
    // Values of a longer row beyond its count are ignored.
    expect(rowNumber({ count: 1, columns: null, values: Float64Array.of(2, 9) }, 0)).toBe(numberOf([2]));
  });

  it("gives the same set for a row alone, in a batch, by name and in a dataset", async () => {
    const u = uniforms(4);
    const x = range(400).map(() => [normalOf(u), normalOf(u), Math.floor(2 * u())].map(Math.fround));
    const y = x.map(([a, b]) => className(a + normalOf(u) > 0 ? (b > 0 ? 1 : 2) : 0));
    const names = ["a", "b", "c"];
    for (const format of ["dense", "sparse"] as const) {
      const sparse = x.map((row) => Object.fromEntries(row.flatMap((v, j) => (v === 0 ? [] : [[names[j], v]]))));
      expect(sparse).toHaveLength(400);
      const data = Dataset.fromArrays({ x, y, names });
      const net = await fit(network([dense(5), relu(), dense(3)]), data, { epochs: 20 });
      for (const model of [await fit(linear(), data, { epochs: 3 }), net]) {
        const found = await conformal(model, data, { alpha: 0.3, score: "aps" });
        const rows = x.slice(0, 50);
        const sets = found.predict(rows).map(({ set }) => set);
        expect(rows.map((row) => found.predict(row).set)).toEqual(sets);
        expect(rows.map(([a, b, c]) => found.predict({ a, b, c }).set)).toEqual(sets);
        expect(
          found
            .predict([...rows].reverse())
            .map(({ set }) => set)
            .reverse(),
        ).toEqual(sets);
        expect(
          found
            .predict(data)
            .slice(0, 50)
            .map(({ set }) => set),
        ).toEqual(sets);
        expect(found.predict(rows.slice(20)).map(({ set }) => set)).toEqual(sets.slice(20));
        const other = await conformal(model, data, { alpha: 0.3, score: "aps", seed: 1 });
        expect(other.predict(rows).map(({ set }) => set)).not.toEqual(sets);
      }
      if (format === "sparse") continue;
    }
  });
});

describe("prediction intervals", () => {
  const numbers = (u: () => number, n: number, spread: (m: number) => number): { z: number[][]; y: number[] } => {
    const z = range(n).map(() => [Math.fround(1 + 4 * u())]);
    return { z, y: z.map(([m]) => m + spread(m) * normalOf(u)) };
  };

  it("have finite scores and ends for means that underflowed to 0", () => {
    expect(numberScore("scaled", 0, 0)).toBe(0);
    expect(numberScore("scaled", 0, 3)).toBe(3 * 2 ** 511);
    expect(numberScore("scaled", -1, -1)).toBe(0);
    expect(intervalOf("scaled", 0, 3 * 2 ** 511, true)).toEqual([0, 3 * (1 + 2 ** -50)]);
  });

  it("are as wide as the residual of the quantile's rank", async () => {
    const { z, y } = numbers(uniforms(6), 99, () => 1);
    const model = await conformal(await outputModel(0), rowsOf(z, y, 0), { alpha: 0.1 });
    const residuals = y.map((v, i) => Math.abs(v - z[i][0])).sort((a, b) => a - b);
    const { quantile, ...rest } = heldIn(model);
    expect(quantile).toBe(residuals[89]);
    expect(rest).toEqual({ score: "absolute", alpha: 0.1, rows: 99 });
    const { value, interval, set } = model.predict([2]);
    expect([value, set]).toEqual([2, undefined]);
    expect(interval![0]).toBeCloseTo(2 - quantile, 12);
    expect(interval![1]).toBeCloseTo(2 + quantile, 12);
    expect(coverage(model, rowsOf(z, y, 0))).toEqual({
      rows: 99,
      coverage: expect.closeTo(90 / 99, 12) as number,
      size: expect.closeTo(2 * quantile, 9) as number,
    });
    expect((await predictor<LinearPredictor>(model.toBytes())).predict([[2]])[0].interval).toEqual(interval);
  });

  it("grow with the square root of the mean for counts, and start at 0", async () => {
    const u = uniforms(7);
    const x = range(60).map(() => [2 * u()].map(Math.fround));
    const data = Dataset.fromArrays({
      x,
      y: x.map(([a]) => Math.round(Math.exp(a) + Math.sqrt(Math.exp(a)) * normalOf(u))).map((v) => Math.max(0, v)),
    });
    const plain = await fit(linear({ loss: "poisson" }), data, { epochs: 30 });
    const model = await conformal(plain, data, { alpha: 0.2 });
    expect(heldIn(model).score).toBe("scaled");
    const [few, many] = model.predict([[0], [3]]);
    for (const { value, interval } of [few, many]) {
      const half = heldIn(model).quantile * Math.sqrt(value as number);
      expect(interval![0]).toBeCloseTo(Math.max(0, (value as number) - half), 10);
      expect(interval![1]).toBeCloseTo((value as number) + half, 10);
    }
    expect(many.interval![1] - (many.value as number)).toBeGreaterThan(1.5 * (few.interval![1] - (few.value as number)));
    const wide = await conformal(plain, data, { score: "absolute" });
    expect(wide.predict([-5]).interval![0]).toBe(0);
    // The intervals include their ends.
    expect(coverage(wide, Dataset.fromArrays({ x: [[-5], [-6]], y: [0, 0] })).coverage).toBe(1);
  });

  it("contain numbers at their ends despite rounding", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("absolute" as const, "scaled" as const),
        fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (score, mean, y) => {
          const [low, high] = intervalOf(score, mean, numberScore(score, mean, y), true);
          expect(low <= y && y <= high).toBe(true);
          expect(high - low).toBeLessThanOrEqual(2 * Math.abs(y - mean) + 1e-14 * (mean + y));
        },
      ),
      { seed: 4, numRuns: 2000 },
    );
    // All targets are integers but the prediction is not. The quantile is the 9th of 9 residuals, so the interval must
    // contain every target.
    expect(intervalOf("absolute", 0.1, numberScore("absolute", 0.1, 3), false)[1]).toBeGreaterThanOrEqual(3);
  });

  it("are unbounded if the model's output is not finite", () => {
    expect(intervalOf("absolute", Number.NaN, 1, false)).toEqual([-Infinity, Infinity]);
    expect(intervalOf("absolute", Infinity, 1, false)).toEqual([-Infinity, Infinity]);
    expect(intervalOf("scaled", Infinity, 1, true)).toEqual([0, Infinity]);
  });
});

describe("conformity scores of classes", () => {
  it("allow all classes if the model's output is not finite", async () => {
    const model = await conformal(await outputModel(3), rowsOf(...rowsFor(3), 3));
    const bytes = model.toBytes();
    const read = await predictor<LinearPredictor>(bytes);
    read.weights.fill(1e308);
    expect(read.predict([1e30, 1, 1]).set).toEqual(["c0", "c1", "c2"]);
  });

  it("are equal for equal probabilities", () => {
    const out = new Float64Array(4);
    classScores("aps", [0.25, 0.25, 0.25, 0.25], 0.5, out);
    expect([...out]).toEqual([0.125, 0.125, 0.125, 0.125]);
    classScores("aps", [0.125, 0.5, 0.125, 0.25], 0.5, out);
    expect([...out]).toEqual([0.8125, 0.25, 0.8125, 0.625]);
    classScores("aps", [0, 1, 0, 0], 0.5, out);
    expect([...out]).toEqual([1, 0.5, 1, 1]);
  });

  it("are at most 1, although rounded probabilities can sum to more", () => {
    const p = [0.46, 0.23, 0.2, 0.11];
    expect(p.reduce((sum, x) => sum + x)).toBeGreaterThan(1);
    const out = new Float64Array(4);
    classScores("aps", p, 1 - 2 ** -33, out);
    expect(Math.max(...out)).toBeLessThan(1);
    classScores("aps", p, 1 - 2 ** -53, out);
    expect(Math.max(...out)).toBe(1);
  });
});

function rowsFor(classes: number): [number[][], number[]] {
  const { z, y } = classRows(uniforms(8), 40, classes, 1);
  return [z.map((row) => row.map(Math.fround)), y];
}

describe("conformal", () => {
  it("keeps calibrated probabilities and replaces earlier sets", async () => {
    const [z, y] = rowsFor(3);
    const data = rowsOf(z, y, 3);
    const model = await outputModel(3);
    for (const method of ["temperature", "isotonic"] as const) {
      const honest = await calibrated(model, data, { method });
      const both = await conformal(honest, data, { score: "aps" });
      const { probabilities } = both.description.calibration as { probabilities: object };
      expect(probabilities).toEqual((honest.description.calibration as { probabilities: object }).probabilities);
      expect(both.predict(z).map((one) => one.probabilities)).toEqual(honest.predict(z).map((one) => one.probabilities));
      expect((await conformal(await conformal(both, data), data, { score: "aps" })).toBytes()).toEqual(both.toBytes());
      expect((await predictor<LinearPredictor>(both.toBytes())).predict(z)).toEqual(both.predict(z));
    }
    // Scores use the calibrated probabilities.
    const hot = await conformal(
      await calibrated(
        model,
        rowsOf(
          z.map((row) => row.map((v) => 10 * v)),
          y,
          3,
        ),
      ),
      data,
    );
    expect(heldIn(hot).quantile).not.toBe(heldIn(await conformal(model, data)).quantile);
  });

  it("refuses too few rows and reports the required number", async () => {
    const [z, y] = rowsFor(3);
    const model = await outputModel(3);
    const some = (n: number): Dataset =>
      rowsOf(
        range(n).map((i) => z[i % 40]),
        range(n).map((i) => (i < 3 ? i : y[i % 40])),
        3,
      );
    for (const [alpha, wanted] of [
      [0.1, 9],
      [0.05, 19],
      [0.3, 3],
      [0.011, 90],
      [1 / 3, 3],
    ] as const) {
      const few = conformal(model, some(Math.max(3, wanted - 1)), { alpha });
      if (wanted > 3)
        await expect(few).rejects.toThrow(`${wanted - 1} rows are too few for alpha ${alpha}; give ${wanted} or more`);
      expect(heldIn(await conformal(model, some(wanted), { alpha })).rows).toBe(wanted);
    }
    await expect(conformal(model, some(5), { alpha: 1e-4 })).rejects.toMatchObject({
      code: "DATA_SHAPE",
      message: expect.stringMatching(/give 9999 or more/) as string,
    });
    const one = await conformal(await outputModel(0), rowsOf([[1]], [2], 0), { alpha: 0.5 });
    expect(one.predict([1]).interval![1]).toBeCloseTo(2, 12);
  });

  it("refuses unequal weights", async () => {
    const [z, y] = rowsFor(3);
    const model = await outputModel(3);
    const weights = y.map((_, i) => 1 + (i % 2));
    await expect(conformal(model, rowsOf(z, y, 3, weights))).rejects.toMatchObject({ code: "DATA_WEIGHT" });
    const equal = await conformal(
      model,
      rowsOf(
        z,
        y,
        3,
        weights.map(() => 2),
      ),
    );
    expect(heldIn(equal)).toEqual(heldIn(await conformal(model, rowsOf(z, y, 3))));
    // Coverage includes rows of this kind.
    const held = coverage(equal, rowsOf(z, y, 3, weights));
    const inside = equal.predict(z).map(({ set }, i) => Number(set!.includes(className(y[i]))));
    const sizes = equal.predict(z).map(({ set }) => set!.length);
    const mean = (values: number[]): number =>
      values.reduce((sum, v, i) => sum + v * weights[i], 0) / weights.reduce((a, b) => a + b);
    expect(held).toEqual({
      rows: 40,
      coverage: expect.closeTo(mean(inside), 12) as number,
      size: expect.closeTo(mean(sizes), 12) as number,
    });
  });

  it("accepts rows of one class, and models with constant output", async () => {
    const flat = await outputModel(3, undefined, 0);
    const [z, y] = rowsFor(3);
    const model = await conformal(flat, rowsOf(z, y, 3), { alpha: 0.2 });
    // All scores are equal, so the random number of a row decides: ⌈41 · 0.8⌉ = 33 of 40 rows get all classes, and the
    // others none.
    const sizes = model.predict(z).map(({ set }) => set!.length);
    expect(sizes.filter((n) => n === 3)).toHaveLength(33);
    expect(sizes.filter((n) => n === 0)).toHaveLength(7);
  });

  it("refuses unreadable input", async () => {
    const [z, y] = rowsFor(3);
    const data = rowsOf(z, y, 3);
    const model = await outputModel(3);
    for (const alpha of [0, 1, -0.1, 1.5, Number.NaN, "0.1" as unknown as number])
      await expect(conformal(model, data, { alpha })).rejects.toMatchObject({ code: "OPTION_RANGE" });
    for (const seed of [-1, 0.5, 2 ** 60])
      await expect(conformal(model, data, { seed })).rejects.toMatchObject({ code: "OPTION_RANGE" });
    await expect(conformal(model, data, { score: "absolute" })).rejects.toThrow(
      /score is "absolute", but must be "lac" or "aps"/,
    );
    await expect(
      conformal(
        await outputModel(0),
        rowsOf(
          z.map(([a]) => [a]),
          y,
          0,
        ),
        { score: "aps" },
      ),
    ).rejects.toThrow(/"absolute" or "scaled"/);
    await expect(conformal(model, z as unknown as Dataset)).rejects.toThrow(/heldOut is an array/);
    await expect(conformal(model, data, { alphas: 0.1 } as object)).rejects.toThrow(/did you mean "alpha"/);
    const hinge = await fit(linear({ loss: "hinge" }), data, { epochs: 1 });
    await expect(conformal(hinge, data)).rejects.toMatchObject({ code: "MODEL_CAPABILITY" });
    const ratings = await fit(
      factorisation({ rank: 1 }),
      Ratings.fromTriples({ users: ["u", "v"], items: ["a", "b"], values: [1, 2] }),
      { epochs: 1 },
    );
    await expect(conformal(ratings as unknown as LinearPredictor, data)).rejects.toThrow(
      /ratings are neither classes nor independent/,
    );
    expect(() => coverage(model, data)).toThrow(/neither sets nor intervals/);
  });
});
