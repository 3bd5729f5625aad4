import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, OptionError } from "../../src/engine/errors/errors.ts";
import { metrics, type Task } from "../../src/predict/metrics.ts";

interface Case {
  task: Task;
  outputs: number[];
  targets: number[];
  weights: number[] | null;
  value: Record<string, number | number[][]>;
}

const { cases }: { cases: Case[] } = JSON.parse(readFileSync(new URL("golden/metrics.json", import.meta.url), "utf8"));

const all = (task: Task, outputs: number[], targets: number[], weights?: number[] | null, classes?: number) => {
  const tally = metrics(task, classes);
  tally.add(outputs, targets, weights);
  return tally.result() as unknown as Record<string, number | number[][]>;
};

const close = (given: number, wanted: number) =>
  expect(Math.abs(given - wanted)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(wanted)));

describe("golden values of scikit-learn (calls in golden/metrics.py)", () => {
  it.each(cases)("match for $task, weights $weights.length", ({ task, outputs, targets, weights, value }) => {
    const given = all(task, outputs, targets, weights, 4);
    expect(Object.keys(given).sort()).toEqual(Object.keys(value).sort());
    for (const [name, wanted] of Object.entries(value)) {
      if (typeof wanted === "number") close(given[name] as number, wanted);
      else
        (given[name] as number[][]).flat().forEach((w, k) => {
          close(w, wanted.flat()[k]);
        });
    }
  });
});

describe("macro F1", () => {
  it("averages over classes that occur in targets or predictions only", () => {
    const rows = [
      [0.7, 0.1, 0.1, 0.1],
      [0.2, 0.6, 0.1, 0.1],
      [0.6, 0.2, 0.1, 0.1],
    ];
    // Class 0: 2·1/(1 + 2), class 1: 2·1/(2 + 1). Classes 2 and 3 do not occur.
    expect(all("multiclass", rows.flat(), [0, 1, 1], null, 4).f1).toBeCloseTo(2 / 3, 12);
    // Class 2 is a target that was never predicted, so it counts as 0.
    expect(all("multiclass", rows.flat(), [0, 1, 2], null, 4).f1).toBeCloseTo((2 / 3 + 1 + 0) / 3, 12);
  });
});

describe("streaming metrics", () => {
  it("are the same for any batches", () => {
    for (const { task, outputs, targets, weights } of cases) {
      const width = outputs.length / targets.length;
      const whole = all(task, outputs, targets, weights, 4);
      const tally = metrics(task, 4);
      for (let i = 0; i < targets.length; ) {
        const end = Math.min(targets.length, i + 1 + ((i * 7) % 13));
        tally.add(outputs.slice(i * width, end * width), targets.slice(i, end), weights?.slice(i, end));
        tally.result(); // an early result must change nothing
        i = end;
      }
      expect(tally.result()).toEqual(whole);
    }
  });

  it("count a row of weight w like w rows, and a row of weight 0 never", () => {
    const row = fc.record({ p: fc.integer({ min: 0, max: 20 }).map((k) => k / 20), y: fc.nat(1), w: fc.nat(4) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        fc.pre(rows.some(({ w }) => w > 0));
        const repeated = rows.flatMap(({ p, y, w }) => Array.from({ length: w }, () => ({ p, y })));
        for (const task of ["binary", "regression"] as const) {
          const weighted = all(
            task,
            rows.map((r) => r.p),
            rows.map((r) => r.y),
            rows.map((r) => r.w),
          );
          const plain = all(
            task,
            repeated.map((r) => r.p),
            repeated.map((r) => r.y),
          );
          for (const [name, wanted] of Object.entries(plain)) {
            if (typeof wanted === "string") expect(typeof weighted[name]).toBe("string");
            else if (Array.isArray(wanted)) expect(weighted[name]).toEqual(wanted);
            else if (Number.isNaN(wanted)) expect(weighted[name]).toBeNaN();
            else expect(Math.abs((weighted[name] as number) - wanted)).toBeLessThan(1e-9);
          }
        }
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});

describe("auc", () => {
  it("matches the definition for a thousand rows per class, with weights from the first, last or no row on", () => {
    const count = 2000;
    const targets = Array.from({ length: count }, (_, i) => i % 2);
    const outputs = Array.from({ length: count }, (_, i) => (((i * 7919) % 1009) / 1009 + (i % 2) / 5) / 2);
    for (const weightOf of [(i: number) => 1 + (i % 3), (i: number) => (i < count - 2 ? 1 : 3), () => 1]) {
      const weights = targets.map((_, i) => weightOf(i));
      const rows = targets.flatMap((_, i) => new Array<number>(weights[i]).fill(i));
      const of = (values: number[]) => rows.map((i) => values[i]);
      const given = all("binary", outputs, targets, weights);
      const wanted = all("binary", of(outputs), of(targets));
      for (const name of ["auc", "averagePrecision"]) close(given[name] as number, wanted[name] as number);
    }
  });

  it("is the share of ordered pairs by complete count, with ties as one half", () => {
    const row = fc.record({
      p: fc.integer({ min: 0, max: 9 }).map((k) => k / 9),
      y: fc.nat(1),
      w: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 600 }), (rows) => {
        const ones = rows.filter((r) => r.y === 1);
        const zeros = rows.filter((r) => r.y === 0);
        let area = 0;
        let pairs = 0;
        for (const a of ones) {
          for (const b of zeros) {
            pairs += a.w * b.w;
            area += a.w * b.w * (a.p > b.p ? 1 : a.p === b.p ? 0.5 : 0);
          }
        }
        const given = all(
          "binary",
          rows.map((r) => r.p),
          rows.map((r) => r.y),
          rows.map((r) => r.w),
        ).auc as number;
        if (pairs === 0) expect(given).toBeNaN();
        else expect(Math.abs(given - area / pairs)).toBeLessThan(1e-12);
      }),
      { seed: 6, numRuns: 100 },
    );
  });
});

describe("averagePrecision", () => {
  it("is Σ (R_n − R_{n−1}) P_n over every threshold, by its definition", () => {
    const row = fc.record({
      p: fc.integer({ min: 0, max: 9 }).map((k) => k / 9),
      y: fc.nat(1),
      w: fc.constantFrom(0, 0.5, 1, 3),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 200 }), (rows) => {
        fc.pre(rows.some(({ w }) => w > 0));
        const total = (keep: (r: (typeof rows)[number]) => boolean) => rows.filter(keep).reduce((sum, { w }) => sum + w, 0);
        const positives = total(({ y }) => y === 1);
        let [expected, before] = [0, 0];
        for (const threshold of [...new Set(rows.map(({ p }) => p))].sort((a, b) => b - a)) {
          const hits = total(({ p, y }) => p >= threshold && y === 1);
          const said = total(({ p }) => p >= threshold);
          if (said > 0) expected += ((hits - before) / positives) * (hits / said);
          before = hits;
        }
        const given = all(
          "binary",
          rows.map((r) => r.p),
          rows.map((r) => r.y),
          rows.map((r) => r.w),
        ).averagePrecision as number;
        if (positives === 0) expect(given).toBeNaN();
        else expect(Math.abs(given - expected)).toBeLessThan(1e-12);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("is NaN without a positive, and 1 without a negative", () => {
    expect(all("binary", [0.9, 0.2], [0, 0]).averagePrecision).toBeNaN();
    expect(all("binary", [0.9, 0.2], [1, 1]).averagePrecision).toBe(1);
  });

  it("accepts unbounded scores by rank", () => {
    const tally = metrics("binary", 2, { outputs: "scores" });
    tally.add([-Infinity, -5, -1, Infinity], [0, 1, 0, 1]);
    expect(tally.result()).toMatchObject({ auc: 0.75, averagePrecision: (1 + 2 / 3) / 2 });
  });
});

describe("edge cases", () => {
  it("one class makes only auc NaN", () => {
    const { auc, accuracy, f1 } = all("binary", [0.9, 0.2], [1, 1]);
    expect([auc, accuracy, f1]).toEqual([NaN, 0.5, 2 / 3]);
    expect(all("binary", [0.1], [0]).f1).toBe(0);
  });

  it("a certain mistake costs log 2^52 rather than infinity", () => {
    close(all("binary", [0, 1], [1, 0]).logLoss as number, 52 * Math.LN2);
  });

  it("a constant target, as in one row, leaves r2 undefined", () => {
    expect(all("regression", [2, 2], [2, 2]).r2).toBeNaN();
    expect(all("regression", [2, 3], [2, 2]).r2).toBeNaN();
    expect(all("regression", [5], [4])).toEqual({ rmse: 1, mae: 1, r2: NaN });
    expect(all("count", [1], [1]).r2).toBeNaN();
  });

  it("scores have a threshold of 0 and an auc but no probabilities", () => {
    const tally = metrics("binary", 2, { outputs: "scores" });
    tally.add([-3, 0.1, 7, -0.2], [0, 0, 1, 1]);
    expect(tally.result()).toMatchObject({ accuracy: 0.5, auc: 0.75, logLoss: NaN, calibrationError: NaN });
    const several = metrics("multiclass", 3, { outputs: "scores" });
    several.add([-5, -4, -9], [1]);
    expect(several.result()).toMatchObject({ accuracy: 1, logLoss: NaN });
  });

  it("a large offset of the target does not distort r2", () => {
    const targets = [1, 2, 3, 4].map((y) => y + 1e9);
    close(
      all(
        "regression",
        [1.5, 2, 3, 4].map((y) => y + 1e9),
        targets,
      ).r2 as number,
      1 - 0.25 / 5,
    );
  });

  it("warns if the mean of the rows, or a given mean, predicts with a smaller error", () => {
    const warning = (outputs: number[], targets: number[], mean?: { value: number; of: string }, weights?: number[]) => {
      const tally = metrics("regression", undefined, mean ? { mean } : {});
      tally.add(outputs, targets, weights);
      return tally.result().warning;
    };
    // Errors are 2, 0, 2, and those of the mean are 1, 0, 1.
    expect(warning([3, 2, 1], [1, 2, 3])).toBe(
      "worse than predicting the mean: RMSE 1.633, where the mean of these rows gives 0.8165",
    );
    // An error equal to that of the mean, up to rounding, is not worse.
    expect(warning([0.2 + 0.1, 0.3], [0.1, 0.5])).toBeUndefined();
    expect(warning([1.9, 2.1], [1, 3])).toBeUndefined();
    // The same predictions are good compared with the distant 0, but not with 2.1.
    expect(warning([3, 2, 1], [1, 2, 3], { value: 0, of: "training" })).toBeUndefined();
    expect(warning([3, 2, 1], [1, 2, 3], { value: 2.1, of: "training" })).toBe(
      "worse than predicting the mean: RMSE 1.633, where the mean of training gives 0.8226",
    );
    // A row of weight 0 is ignored.
    expect(warning([3, 2, 3], [1, 2, 3], undefined, [0, 1, 1])).toBeUndefined();
    // A single target is its own mean, but can be worse than another mean.
    expect(warning([5], [4])).toBeUndefined();
    expect(warning([6], [4], { value: 5, of: "training" })).toMatch(/RMSE 2, where the mean of training gives 1$/);
    expect(all("count", [3, 1], [1, 3]).warning).toMatch(/RMSE 2, where the mean of these rows gives 1$/);
  });

  it("the deviance of an underflowed mean is large but finite, while scikit-learn refuses it", () => {
    const { deviance } = all("count", [0, 1], [3, 1]);
    close(deviance as number, 3 * Math.log(3 * 2 ** 1022) - 3);
    expect(all("count", [0], [0]).deviance).toBeCloseTo(0, 15);
  });

  it("types results by task", () => {
    const r: number = metrics("regression").result === undefined ? 0 : 1;
    expect(r).toBe(1);
    // @ts-expect-error a regression has no accuracy
    expect(() => metrics("regression").result().accuracy).toThrow(DataError);
  });
});

describe("refused metrics", () => {
  const refused: [string, () => unknown, RegExp][] = [
    ["no rows", () => metrics("binary").result(), /no row of positive weight/],
    ["a target that is no class", () => all("binary", [0.5, 0.5], [0, 2]), /row 2: target 2 is not a class index below 2/],
    ["a margin taken for a probability", () => all("binary", [1.5], [1]), /row 1: output 1.5 is not a probability; for margins/],
    ["NaN", () => all("multiclass", [NaN, 0.5, 0.5], [1], null, 3), /output NaN/],
    ["NaN in a regression", () => all("regression", [NaN], [1]), /row 1: output NaN/],
    ["a negative count", () => all("count", [1], [-1]), /target -1 of a count/],
    ["lengths that differ", () => all("multiclass", [0.5, 0.5], [1], null, 3), /1 targets came with 2 outputs/],
    ["a negative weight", () => all("binary", [0.5], [1], [-1]), /weight -1/],
  ];
  it.each(refused)("refuses %s", (_, act, message) => {
    expect(act).toThrow(message);
    expect(act).toThrow(DataError);
  });

  it("refuses an unknown task and option", () => {
    expect(() => metrics("ranking" as Task)).toThrow(OptionError);
    expect(() => metrics("binary", 2, { output: "scores" } as object)).toThrow(/unknown option "output"; did you mean "outputs"/);
  });
});
