/**
 * `fit.path`: its λ, the reported numbers of each solution, cross-validation compared with fits on the selected rows,
 * the choice of λ, and refused input.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunSummary } from "../../../src/engine/loop/run.ts";
import { coordinateDescent, type Dataset, fit, type LinearOptions, linear, type Tick } from "../../../src/entries/everything.ts";
import type { PathRecord } from "../../../src/learning/coordinates/path.ts";
import { dealFolds } from "../../../src/learning/fit/folds.ts";
import { LinearPath } from "../../../src/learning/fit/linear-path.ts";
import type { FitPathOptions } from "../../../src/learning/fit/path-options.ts";
import { isSlow } from "../../power.ts";
import { type Kind, kinds, lossOf, meanLoss, objective, type Rows, randomRows, tableOf } from "../coordinates/column-problems.ts";

const modelOf = (kind: Kind, more: LinearOptions = {}) => linear({ loss: lossOf(kind), standardise: false, ...more });
const nonZeros = (values: ArrayLike<number>): number => Array.from(values).filter((v) => v !== 0).length;

describe.each(kinds)("%s", (kind) => {
  const rows = randomRows(kind, { rows: 40, columns: 10 });

  const penalties: [string, number, LinearOptions][] = [
    ["the lasso", 1, {}],
    ["half of each", 0.5, {}],
    ["coefficients ≥ 0", 1, { nonNegative: true }],
    ["weights of the penalty", 1, { penaltyWeights: { x0: 3, x2: 0.5 } }],
    ["no intercept", 1, { intercept: false }],
  ];
  // The largest λ depends on the loss through its slopes at 0 alone, so most losses take two penalties in npm test.
  it.each(isSlow || kind === "squared" || kind === "multinomial" ? penalties : penalties.slice(2, 4))(
    "starts at the smallest λ with all coefficients at zero: %s",
    async (_, l1Ratio, more) => {
      using data = tableOf(rows);
      const model = modelOf(kind, more);
      const { lambdas } = await fit.path(model, data, { lambdas: 3, ratio: 0.1, l1Ratio });
      expect([lambdas[1] / lambdas[0], lambdas[2] / lambdas[0]]).toEqual([
        expect.closeTo(Math.sqrt(0.1), 12),
        expect.closeTo(0.1, 12),
      ]);
      const around = [1 + 1e-9, 1 - 1e-6].map((by) => by * lambdas[0]);
      const path = await fit.path(model, data, { lambdas: around, l1Ratio, tolerance: 1e-14 });
      expect(nonZeros(path.weights(0))).toBe(0);
      expect(nonZeros(path.weights(1))).toBeGreaterThan(0);
    },
  );

  it("has the solution of a fit at every λ, and correct numbers", async () => {
    using data = tableOf(rows);
    const l1Ratio = 0.7;
    const path = await fit.path(modelOf(kind), data, { lambdas: 5, ratio: 0.05, l1Ratio, tolerance: 1e-11 });
    const null_ = meanLoss(kind, rows, { weights: path.weights(0), intercept: path.intercept(0) });
    const least = kind === "poisson" ? rows.y.reduce((sum, y) => sum + (y > 0 ? y - y * Math.log(y) : 0), 0) / 40 : 0;
    for (const [k, lambda] of path.lambdas.entries()) {
      const strengths = { l1: lambda * l1Ratio, l2: lambda * (1 - l1Ratio) };
      const alone = await fit(modelOf(kind, strengths), data, { algorithm: coordinateDescent({ tolerance: 1e-12 }) });
      const here = { weights: path.weights(k), intercept: path.intercept(k) };
      const optimum = objective(kind, rows, alone, strengths);
      expect(Math.abs(objective(kind, rows, here, strengths) - optimum)).toBeLessThan(1e-9 * Math.max(1, Math.abs(optimum)));
      for (const [at, b] of here.weights.entries()) expect(Math.abs(b - alone.weights[at])).toBeLessThan(1e-4);
      expect(path.gaps[k]).toBeLessThanOrEqual(1e-11);
      expect(path.nonZeros[k]).toBe(nonZeros(here.weights));
      expect(path.explained[k]).toBeCloseTo(1 - (meanLoss(kind, rows, here) - least) / (null_ - least), 9);
      expect(path.predictor(k).weights).toEqual(here.weights);
    }
    expect(path.explained[0]).toBeCloseTo(0, 9);
    expect(path.chosen).toBe(4);
    expect(path.crossValidation).toBeUndefined();
  });

  it("has the held-out errors of fits on the rows of each fold", async () => {
    const weights = rows.y.map((_, i) => 0.5 + (i % 3));
    // Without weights, the same sums are taken with weights of 1.
    for (const rowWeights of isSlow ? [undefined, weights] : [weights]) {
      using data = tableOf(rows, { weights: rowWeights });
      const lambdas = [0.2, 0.1, 0.04];
      const path = await fit.path(modelOf(kind), data, { lambdas, folds: 3, seed: 5, tolerance: 1e-11 });
      const { mean, standardError, byFold, folds, minimum } = path.crossValidation!;
      const of = dealFolds(data, 3, 5);
      const total = (which: (i: number) => boolean): number =>
        rows.y.reduce((sum, _, i) => sum + (which(i) ? (rowWeights?.[i] ?? 1) : 0), 0);
      expect(folds).toBe(3);
      for (const [k, l1] of lambdas.entries()) {
        for (let f = 0; f < 3; f++) {
          const part = (inside: boolean): Rows & { weights: number[] } => {
            const chosen = rows.y.map((_, i) => i).filter((i) => (of[i] === f) !== inside);
            const pick = <T>(all: readonly T[]): T[] => chosen.map((i) => all[i]);
            return { x: pick(rows.x), y: pick(rows.y), classes: rows.classes, weights: pick(rowWeights ?? rows.y.map(() => 1)) };
          };
          const [training, held] = [part(true), part(false)];
          using dataset = tableOf(training, { weights: training.weights });
          const alone = await fit(modelOf(kind, { l1 }), dataset, { algorithm: coordinateDescent({ tolerance: 1e-12 }) });
          const sum = meanLoss(kind, held, alone, held.weights) * held.y.length;
          const least =
            kind === "poisson" ? held.y.reduce((s, y, i) => s + held.weights[i] * (y > 0 ? y - y * Math.log(y) : 0), 0) : 0;
          const deviance = (2 * (sum - least)) / held.weights.reduce((a, b) => a + b, 0);
          // Folds are solved to the precision that the choice of λ requires, whatever the tolerance of the path.
          expect(Math.abs(byFold[f][k] - deviance)).toBeLessThan(0.15 * standardError[minimum]);
        }
        const shares = [0, 1, 2].map((f) => total((i) => of[i] === f) / total(() => true));
        const average = shares.reduce((sum, w, f) => sum + w * byFold[f][k], 0);
        expect(mean[k]).toBeCloseTo(average, 12);
        const variance = shares.reduce((sum, w, f) => sum + w * (byFold[f][k] - average) ** 2, 0);
        expect(standardError[k]).toBeCloseTo(Math.sqrt(variance / 2), 12);
      }
    }
  });
});

describe("the largest λ", () => {
  it("equals that of the model with unpenalised columns alone", async () => {
    using data = tableOf(randomRows("logistic"));
    const model = modelOf("logistic", { penaltyWeights: { x0: 0, x1: 0 } });
    const { lambdas } = await fit.path(model, data, { lambdas: 1 });
    const path = await fit.path(model, data, { lambdas: [1.001 * lambdas[0], 0.999 * lambdas[0]], tolerance: 1e-10 });
    expect([nonZeros(path.weights(0)), nonZeros(path.weights(1))]).toEqual([2, 3]);
  });

  it("is arbitrary for a constant target, and the list still falls", async () => {
    for (const value of [0, 0.1]) {
      using data = tableOf({ ...randomRows("squared"), y: new Array(50).fill(value) });
      const path = await fit.path(modelOf("squared"), data, { lambdas: 20 });
      for (const [k, lambda] of path.lambdas.entries())
        expect(lambda > 0 && (k === 0 || lambda < path.lambdas[k - 1])).toBe(true);
      for (const k of path.lambdas.keys()) expect(nonZeros(path.weights(k))).toBe(0);
      expect(Math.max(...path.gaps)).toBeLessThanOrEqual(1e-6);
    }
  });
});

describe("the choice of λ", () => {
  /** Two folds of equal weight whose errors are mean ± spread, in units of loss (errors are twice the losses). */
  function chosen(means: number[], spreads: number[], select: "minimum" | "oneStandardError") {
    const count = means.length;
    const record: PathRecord = {
      lambdas: Float64Array.from(means, (_, k) => count - k),
      parameters: new Float64Array(2 * count),
      gaps: new Float64Array(count),
      violations: new Float64Array(count),
      losses: new Float64Array(count),
      nullLoss: 1,
      nonZeros: new Float64Array(count),
      heldOut: Float64Array.from([...means.map((m, k) => m - spreads[k]), ...means.map((m, k) => m + spreads[k])]),
      foldWeights: Float64Array.of(0.5, 0.5),
    };
    const saved = {
      kind: "linear",
      description: { columns: [] },
      tensors: { weights: new Float64Array(0), intercept: new Float64Array(1) },
    };
    return new LinearPath({ record, run: {} as RunSummary, select, saving: { saved, stride: 2 } });
  }

  it("selects the smallest mean error, or the largest λ within one standard error of it", () => {
    const means = [5, 3, 2.25, 2, 2.5];
    const spreads = [1, 0.5, 0.25, 0.25, 0.5];
    // The standard error of the mean of two folds is half their difference: 0.25 in loss at the minimum.
    expect(chosen(means, spreads, "minimum").chosen).toBe(3);
    expect(chosen(means, spreads, "oneStandardError").chosen).toBe(2);
    const { mean, standardError } = chosen(means, spreads, "minimum").crossValidation!;
    expect([...mean]).toEqual(means.map((m) => 2 * m));
    expect([...standardError]).toEqual(spreads.map((s) => 2 * s));
    expect(chosen([5, 3, 2.26, 2, 2.5], spreads, "oneStandardError").chosen).toBe(3);
    expect(chosen([2, 2, 2], [0, 0, 0], "minimum").chosen).toBe(0);
    expect(chosen([4, 3, 2, 1], [1, 1, 1, 3.5], "oneStandardError").chosen).toBe(0);
  });

  it("balances classes in folds, whatever their order, as determined by the seed", () => {
    const y = Array.from({ length: 60 }, (_, i) => (i < 40 ? 0 : i < 55 ? 1 : 2));
    using data = tableOf({ x: y.map((_, i) => [i]), y, classes: 3 });
    for (const folds of [2, 5, 10]) {
      const of = dealFolds(data, folds, 7);
      expect(dealFolds(data, folds, 7)).toEqual(of);
      expect(dealFolds(data, folds, 8)).not.toEqual(of);
      for (const level of [0, 1, 2]) {
        const counts = Array.from({ length: folds }, (_, f) => y.filter((v, i) => v === level && of[i] === f).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
      const sizes = Array.from({ length: folds }, (_, f) => of.filter((v) => v === f).length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });

  it("tolerates a fold whose training rows are all of one class", async () => {
    const rows = randomRows("logistic", { rows: 30, columns: 4 });
    using data = tableOf({ ...rows, y: rows.y.map((_, i) => Number(i === 11)) });
    const path = await fit.path(modelOf("logistic"), data, { lambdas: 10, folds: 3 });
    expect(path.crossValidation!.mean.every(Number.isFinite)).toBe(true);
    expect(Math.max(...path.gaps)).toBeLessThanOrEqual(1e-6);
  });
});

describe("the end of a path", () => {
  const explainedBy = (path: { explained: Float64Array }) => [...path.explained.slice(-2)];

  it("comes when the deviance hardly grows, unless the strengths are listed", async () => {
    using data = tableOf(randomRows("logistic", { rows: 200, noise: 4 }));
    const path = await fit.path(modelOf("logistic"), data, { lambdas: 100 });
    expect(path.run.reason).toBe("the deviance explained hardly grows any more");
    const { length } = path.lambdas;
    expect(length).toBeLessThan(100);
    const growth = path.explained.map((now, k) => (k === 0 ? Infinity : (now - path.explained[k - 1]) / now));
    expect(growth[length - 1]).toBeLessThan(1e-5);
    expect(Math.min(...growth.slice(4, length - 1))).toBeGreaterThanOrEqual(1e-5);
    for (const part of [path.gaps, path.violations, path.nonZeros, path.explained]) expect(part.length).toBe(length);
    const listed = await fit.path(modelOf("logistic"), data, { lambdas: Array.from(path.lambdas, (lambda) => lambda / 8) });
    expect([listed.lambdas.length, listed.run.reason]).toEqual([length, "all updates made"]);
  });

  it("comes when nearly all deviance is explained, after at least five strengths", async () => {
    using data = tableOf(randomRows("squared", { noise: 0 }));
    const path = await fit.path(modelOf("squared"), data, { lambdas: 100, folds: 3 });
    expect(path.run.reason).toBe("more than 99.9 % of the deviance is explained");
    const [before, last] = explainedBy(path);
    expect([before <= 0.999, last > 0.999]).toEqual([true, true]);
    const { byFold, mean } = path.crossValidation!;
    for (const errors of [mean, ...byFold])
      expect([errors.length, errors.every((e) => e > 0)]).toEqual([path.lambdas.length, true]);
    const steep = await fit.path(modelOf("squared"), data, { lambdas: 20, ratio: 1e-30 });
    expect(steep.lambdas.length).toBe(5);
  });

  it("comes with stop too, and returns the solved strengths", async () => {
    using data = tableOf(randomRows("logistic"));
    const run = fit.path(modelOf("logistic"), data, {
      lambdas: Array.from({ length: 3000 }, (_, k) => 0.3 * 0.998 ** k),
      folds: 3,
    });
    for await (const { update } of run) if (update > 2) run.stop("enough");
    const path = await run;
    const count = path.lambdas.length;
    expect(path.run.updates).toBe(count);
    expect(count).toBeLessThan(3000);
    expect(path.chosen).toBeLessThan(count);
    expect(path.crossValidation!.mean.every((e) => e > 0)).toBe(true);
    using again = tableOf(randomRows("logistic"));
    const whole = await fit.path(modelOf("logistic"), again, { lambdas: [...path.lambdas], folds: 3 });
    expect(path.crossValidation).toEqual(whole.crossValidation);
    expect(path.weights(count - 1)).toEqual(whole.weights(count - 1));
  });
});

describe("a run", () => {
  it("ticks with λ, gap, nonzeros and held-out error", async () => {
    using data = tableOf(randomRows("logistic"));
    const run = fit.path(modelOf("logistic"), data, { lambdas: 6, folds: 3 });
    const ticks: Tick[] = [];
    for await (const tick of run) if (tick.update > 0) ticks.push(tick);
    const path = await run;
    const last = ticks[ticks.length - 1];
    expect(last).toMatchObject({ update: 6, lambda: path.lambdas[5], gap: path.gaps[5], nonZeros: path.nonZeros[5] });
    expect(2 * Number(last.heldOut)).toBeCloseTo(path.crossValidation!.mean[5], 12);
    expect(ticks[0].lambda).toBe(path.lambdas[ticks[0].update - 1]);
    expect([path.run.updates, path.run.reason]).toEqual([6, "all updates made"]);
  });

  it("is stopped by a signal", async () => {
    using data = tableOf(randomRows("multinomial", { rows: 200, columns: 60 }));
    const controller = new AbortController();
    const run = fit.path(modelOf("multinomial"), data, { lambdas: 10_000, ratio: 1e-3, folds: 5, signal: controller.signal });
    let last = 0;
    const watched = async (): Promise<void> => {
      for await (const { update } of run) {
        last = update;
        if (update >= 3) controller.abort(new Error("enough"));
      }
    };
    await expect(watched()).rejects.toThrow("enough");
    await expect((async () => await run)()).rejects.toThrow("enough");
    // The signal is checked between two of the 10,000 values of λ.
    expect(last).toBeLessThan(100);
  });

  it("reports its distance from the optimum if there is no gap", async () => {
    using data = tableOf(randomRows("squared"));
    const run = fit.path(modelOf("squared", { penaltyWeights: { x0: 0 } }), data, { lambdas: 5 });
    const path = await run;
    expect([...path.gaps]).toEqual(new Array(5).fill(Number.NaN));
    expect(Math.max(...path.violations)).toBeLessThanOrEqual(1e-6);
    expect(path.run.report.violation).toBe(path.violations[4]);
  });

  it("predicts with its chosen model", async () => {
    const rows = randomRows("logistic");
    using data = tableOf(rows);
    const path = await fit.path(linear({ loss: "logistic", standardise: true }), data, { lambdas: 20, folds: 4 });
    expect(path.chosen).toBe(path.crossValidation!.minimum);
    const alone = await fit(linear({ loss: "logistic", standardise: true, l1: path.lambdas[path.chosen] }), data, {
      algorithm: coordinateDescent({ tolerance: 1e-9 }),
    });
    const [one, other] = [path.predictor().outputs(data), alone.outputs(data)];
    for (const [i, z] of one.entries()) expect(Math.abs(z - other[i])).toBeLessThan(1e-2);
    expect(path.columns).toEqual(data.names);
    const count = path.lambdas.length;
    expect(() => path.weights(count)).toThrow(
      `path: k is ${count}, but must be an integer >= 0 and <= ${count - 1} [OPTION_RANGE]`,
    );
  });
});

describe("refused options", () => {
  const refusal = async (options: FitPathOptions, model: LinearOptions = {}): Promise<string> => {
    using data: Dataset = tableOf(randomRows("squared"));
    const message = (error: unknown): string => (error as Error).message;
    return (async () => await fit.path(linear(model), data, options))().then(() => "nothing", message);
  };

  it.each([
    [{ lambdas: [] }, "fit.path: lambdas is empty; give one number or more [OPTION_RANGE]"],
    [
      { lambdas: [0.1, 0.2] },
      "fit.path: lambdas[1] is 0.2 after 0.1, but lambdas must fall: each solution starts from the last; sort them [OPTION_RANGE]",
    ],
    [{ lambdas: [0.1, 0] }, "fit.path: lambdas[1] is 0, but must be a number > 0 [OPTION_RANGE]"],
    [{ lambdas: 1.5 }, /^fit\.path: lambdas is 1\.5, but must be an integer .*\[OPTION_RANGE\]$/],
    [{ lambdas: [0.1], ratio: 0.1 }, "fit.path: both a list of lambdas and ratio were given; leave ratio out [OPTION_CONFLICT]"],
    [{ l1Ratio: 0 }, /^fit\.path: l1Ratio is 0, but must be .*\[OPTION_RANGE\]$/],
    [{ folds: 1 }, /^fit\.path: folds is 1, but must be 0, for none, or a whole number from 2 to 50 \[OPTION_RANGE\]$/],
    [{ folds: 0, select: "minimum" }, /^fit\.path: select needs folds.*\[OPTION_MISSING\]$/],
    [{ folds: 51 }, /^fit\.path: folds is 51, but must be .*\[OPTION_RANGE\]$/],
    [{ select: "minimum" }, /^fit\.path: select needs folds.*\[OPTION_MISSING\]$/],
    [{ folds: 3, select: "best" as "minimum" }, /^fit\.path: select is "best", but must be .*\[OPTION_RANGE\]$/],
    [{ colour: 1 } as FitPathOptions, /unknown option "colour".*\[OPTION_UNKNOWN\]/],
  ] as [FitPathOptions, string | RegExp][])("refuses %o", async (options, message) => {
    expect(await refusal(options)).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
  });

  it("refuses a model with a penalty", async () => {
    expect(await refusal({}, { l1: 0.1 })).toBe(
      "fit.path: the model's l1 is 0.1, but a path sets the strengths itself; leave it out of linear(), and give l1Ratio here [OPTION_CONFLICT]",
    );
    expect(await refusal({}, { group: { strength: 2, groups: [["x0"]] } })).toMatch(
      /the model's group.strength is 2, .* write strength: 1 \[OPTION_CONFLICT\]$/,
    );
    expect(await refusal({ l1Ratio: 0.5 }, { group: { strength: 1, groups: [["x0"]] } })).toMatch(
      /l1Ratio is 0.5, but with groups the penalty is .*\[OPTION_CONFLICT\]$/,
    );
    expect(await refusal({}, { nonNegative: true, group: { strength: 1, groups: [["x0"]] } })).toMatch(
      /nonNegative and groups are given.*\[OPTION_CONFLICT\]$/,
    );
  });

  it("refuses to resume a run of the other verb, or with other data", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ergodic-"));
    const [ofFit, ofPath] = [join(folder, "fit"), join(folder, "path")];
    using data = tableOf(randomRows("squared"));
    using other = tableOf(randomRows("squared", { seed: 2 }));
    const one = fit(linear({ l1: 0.1 }), data, { algorithm: coordinateDescent() });
    await one;
    await one.checkpoint(ofFit);
    const path = fit.path(linear(), data, { lambdas: 3 });
    await path;
    await path.checkpoint(ofPath);
    const message = async (attempt: () => PromiseLike<unknown>): Promise<string> =>
      (async () => await attempt())().then(
        () => "nothing",
        (error) => (error as Error).message,
      );
    expect(await message(() => fit.path.resume(ofFit, data))).toBe(
      "fit.path.resume: the checkpoint is of one fit, not of a path; use fit.resume [CHECKPOINT_KIND]",
    );
    expect(await message(() => fit.resume(ofPath, data))).toBe(
      "fit.resume: the checkpoint is of a path, not of one fit; use fit.path.resume [CHECKPOINT_KIND]",
    );
    expect(await message(() => fit.path.resume(ofPath, other))).toMatch(/give the same dataset \[CHECKPOINT_DATA\]$/);
    expect(await message(async () => fit.path.resume(ofPath, data, { seed: 1 } as object))).toMatch(/\[OPTION_UNKNOWN\]$/);
    await rm(folder, { recursive: true });
  });
});
